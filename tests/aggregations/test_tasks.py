"""The tasks: each reads the clock and works until nothing is left."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aggregations import bulk, calculation, outbox, tasks
from aggregations.calculation import recalculate
from aggregations.models import (
    Aggregation,
    Freshness,
    RecalculationCount,
    RecalculationRequest,
    RecalculationRun,
)
from aggregations.selection import Selection
from aggregations.watch import watch
from omneo.celery import app
from profiles.models import Profile
from tests import messages
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
    ProfileFactory,
    TransactionFactory,
    TransactionItemFactory,
)
from tests.oracle import differences
from tests.waiting import who_waits

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("entry", settings.CELERY_BEAT_SCHEDULE)
def test_what_the_schedule_names_is_there(entry):
    app.loader.import_default_modules()

    assert settings.CELERY_BEAT_SCHEDULE[entry]["task"] in app.tasks


@pytest.mark.parametrize(
    "task",
    [tasks.recalculate_waiting, tasks.hand_out, tasks.refresh_due, tasks.compact_counts],
)
def test_a_message_of_a_later_version_is_understood(task):
    task(added_later=1)


class TestRecalculateWaiting:
    def test_goes_on_until_nobody_waits(self, monkeypatch):
        monkeypatch.setattr(outbox, "BATCH", 2)
        for _ in range(5):
            TransactionFactory()

        tasks.recalculate_waiting()

        assert who_waits() == set()
        for row in Freshness.objects.all():
            assert differences([row.profile_id], moment=row.calculated_at) == []

    def test_ends_though_a_profile_cannot_be_calculated(self):
        TransactionFactory(total="999999999999.99", currency=CurrencyFactory(rate="9999999999"))

        tasks.recalculate_waiting()

        assert RecalculationRequest.objects.get().attempts == 1

    def test_lets_other_tasks_have_their_turn_where_ever_more_comes_in(self, monkeypatch):
        monkeypatch.setattr(outbox, "recalculate_waiting", lambda *, moment: 1)
        messages.taken()

        tasks.recalculate_waiting()

        assert messages.taken() == ["aggregations.recalculate_waiting"]

    @pytest.mark.parametrize("batches", [0, 1])
    def test_says_in_the_log_that_somebody_waits_for_long(self, batches, monkeypatch, caplog):
        """Before the first batch and after each, so that neither a batch that fails nor a long
        row of them is passed over in silence."""
        monkeypatch.setattr(watch, "_quiet_until", 0.0)
        TransactionFactory()
        RecalculationRequest.objects.update(requested_at=timezone.now() - timedelta(minutes=2))
        left = iter([1] * batches + [0])
        monkeypatch.setattr(outbox, "recalculate_waiting", lambda *, moment: next(left))

        tasks.recalculate_waiting()

        assert "Recalculation is behind" in caplog.text


class TestHandOut:
    def test_asks_for_the_recalculation_of_whom_it_found(self):
        brand = BrandFactory()
        TransactionItemFactory(brand=brand)
        tasks.recalculate_waiting()
        brand.name = "Zest"
        brand.save()
        messages.taken()

        tasks.hand_out()

        assert messages.taken() == ["aggregations.recalculate_waiting"]
        assert outbox.recalculate_waiting(moment=timezone.now()) == 1

    def test_asks_for_nothing_where_nobody_is_to_be_found(self):
        messages.taken()

        tasks.hand_out()

        assert messages.taken() == []


class TestCompactCounts:
    def test_adds_up_what_is_older_than_a_minute(self):
        for _ in range(3):
            RecalculationCount.objects.create(
                counted_at=timezone.now() - timedelta(minutes=2), recalculated=2
            )

        tasks.compact_counts()

        assert RecalculationCount.objects.get().recalculated == 6


class TestRefreshDue:
    """Rows were calculated ten days ago; those who had joined 85 days before are due since."""

    @pytest.fixture
    def now(self):
        return timezone.now()

    @pytest.fixture
    def then(self, now):
        return now - timedelta(days=10)

    @pytest.fixture
    def due(self, now, then) -> list[Profile]:
        profiles = ProfileFactory.create_batch(5, joined_at=now - timedelta(days=95))
        recalculate(profile_ids=[profile.pk for profile in profiles], moment=then)
        return profiles

    @pytest.fixture
    def current(self, now, then) -> Profile:
        profile = ProfileFactory(joined_at=now - timedelta(days=30))
        recalculate(profile_ids=[profile.pk], moment=then)
        return profile

    def test_brings_up_to_date_what_the_clock_has_overtaken(self, due, now, then):
        tasks.refresh_due()

        assert differences([profile.pk for profile in due], moment=then, now=now) == []
        assert set(Freshness.objects.values_list("calculated_at", flat=True)) == {then}

    def test_leaves_every_other_row_alone(self, due, current, then):
        tasks.refresh_due()

        assert Aggregation.objects.get(profile=current).changed_at == then
        assert not Aggregation.objects.filter(profile__in=due, changed_at=then).exists()

    def test_goes_on_until_nothing_is_due(self, due, monkeypatch, now):
        monkeypatch.setattr(calculation, "DUE_BATCH", 2)

        tasks.refresh_due()

        assert not Freshness.objects.filter(next_change_at__lte=now).exists()

    def test_takes_as_many_queries_for_many_rows_as_for_one(self, due, now, monkeypatch):
        with monkeypatch.context() as only_one:
            only_one.setattr(calculation, "DUE_BATCH", 1)
            with CaptureQueriesContext(connection) as for_one:
                assert calculation.refresh_due(moment=now) == 1

        with CaptureQueriesContext(connection) as for_many:
            assert calculation.refresh_due(moment=now) == 4

        assert len(for_many) == len(for_one)


class TestRecalculateRun:
    def test_recalculates_one_range_and_asks_for_the_next(self, monkeypatch):
        monkeypatch.setattr(bulk, "PROFILES_A_RANGE", 2)
        ProfileFactory.create_batch(4)
        run = bulk.start(Selection())
        messages.taken()

        tasks.recalculate_run(run_id=run.pk)

        assert Freshness.objects.count() == 2
        assert messages.taken() == ["aggregations.recalculate_run"]

    def test_that_is_gone_is_nothing(self):
        tasks.recalculate_run(run_id=0)

        assert not Freshness.objects.exists()


class TestTakeUpRuns:
    @pytest.fixture
    def run(self) -> RecalculationRun:
        """A run of the workers that nothing came of for an hour."""
        ProfileFactory.create_batch(4)
        run = bulk.start(Selection())
        run.by_workers = True
        run.started_at = timezone.now() - timedelta(hours=1)
        run.save()
        messages.taken()
        return run

    def test_lets_the_workers_go_on(self, run):
        tasks.take_up_runs()

        assert messages.taken() == ["aggregations.recalculate_run"] * tasks.CHAINS

    def test_leaves_the_others_alone(self, run):
        tasks.recalculate_run(run_id=run.pk)
        messages.taken()

        tasks.take_up_runs()

        assert messages.taken() == []


@pytest.mark.parametrize("entry", settings.CELERY_BEAT_SCHEDULE)
def test_a_periodic_message_ends_before_many_more_are_sent(entry):
    entry = settings.CELERY_BEAT_SCHEDULE[entry]

    assert entry["schedule"] <= entry["options"]["expires"] <= 12 * entry["schedule"]

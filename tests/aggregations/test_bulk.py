"""Recalculation of many: ranges that are done once each, whoever works on them and how long."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from aggregations import bulk
from aggregations.calculation import recalculate_range
from aggregations.models import (
    Aggregation,
    Freshness,
    RecalculationRange,
    RecalculationRequest,
    RecalculationRun,
)
from aggregations.selection import Selection
from profiles.merging import purge
from profiles.models import Profile
from tests.concurrency import LIMIT, Session, another_session, impatient
from tests.factories import CurrencyFactory, ProfileFactory, TransactionFactory, utc
from tests.faults.witness import cut
from tests.oracle import differences
from tests.waiting import forget_who_waits, who_waits, work_off

pytestmark = pytest.mark.django_db

concurrent = pytest.mark.django_db(transaction=True)

EVERYBODY = Selection()


@pytest.fixture(autouse=True)
def _small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PROFILES_A_RANGE", 3)


@pytest.fixture
def session() -> Iterator[Session]:
    with another_session() as session:
        yield session


@pytest.fixture
def profiles() -> list[UUID]:
    """The keys of ten profiles with a sale each, in their order."""
    profiles = sorted(TransactionFactory().profile_id for _ in range(10))
    forget_who_waits()
    return profiles


def sell(profile_id: UUID, **values: Any) -> None:
    TransactionFactory(profile=Profile.objects.get(pk=profile_id), **values)


def finish(run: RecalculationRun) -> list[RecalculationRange]:
    return list(iter(lambda: bulk.recalculate_next(run), None))


def calculated() -> set[UUID]:
    return set(Freshness.objects.values_list("profile_id", flat=True))


def within(ranges: list[RecalculationRange], keys: list[UUID]) -> set[UUID]:
    return {key for key in keys if any(each.first <= key <= each.last for each in ranges)}


def wrong_rows() -> list[str]:
    moments = dict(Freshness.objects.values_list("profile_id", "calculated_at"))
    return [
        line
        for profile_id, calculated_at in moments.items()
        for line in differences([profile_id], moment=calculated_at)
    ]


class TestRanges:
    def test_hold_every_profile_once(self, profiles):
        run = bulk.start(EVERYBODY)

        ranges = run.ranges.order_by("first")

        assert [each.profiles for each in ranges] == [3, 3, 3, 1]
        assert Counter(
            key for key in profiles for each in ranges if each.first <= key <= each.last
        ) == Counter(profiles)

    def test_hold_the_selected_profiles_alone(self, profiles):
        run = bulk.start(Selection(profiles=[str(profiles[0]), str(profiles[9])]))

        finish(run)

        assert calculated() == {profiles[0], profiles[9]}

    def test_are_none_where_nobody_is_selected(self, profiles):
        run = bulk.start(Selection(location=1))

        assert finish(run) == []
        assert bulk.latest_unfinished() is None


class TestARun:
    def test_makes_every_row_true(self, profiles):
        finish(bulk.start(EVERYBODY))

        assert calculated() == set(profiles)
        assert wrong_rows() == []

    def test_answers_what_was_waiting(self, profiles):
        sell(profiles[0])

        finish(bulk.start(EVERYBODY))

        assert who_waits() == set()

    def test_says_how_many_rows_it_changed(self, profiles):
        finish(bulk.start(EVERYBODY))
        sell(profiles[0])
        run = bulk.start(EVERYBODY)

        finish(run)

        assert sum(run.ranges.values_list("changed", flat=True)) == 1

    def test_writes_no_row_that_has_not_changed(self, profiles):
        finish(bulk.start(EVERYBODY))
        before = self.versions()

        finish(bulk.start(EVERYBODY))

        assert self.versions() == before

    @staticmethod
    def versions() -> list[tuple]:
        """Return where each row's version lies, and which transaction wrote it."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid, xmin FROM aggregations_aggregation ORDER BY profile_id")
            return cursor.fetchall()

    def test_takes_in_who_joined_after_its_start(self, profiles):
        run = bulk.start(EVERYBODY)
        between = UUID(int=profiles[0].int + 1)
        ProfileFactory(id=between)

        finish(run)

        assert between in calculated()

    def test_is_the_one_to_go_on_with_while_it_has_ranges_left(self, profiles):
        finish(bulk.start(EVERYBODY))
        run = bulk.start(EVERYBODY)
        bulk.recalculate_next(run)
        finish(bulk.start(EVERYBODY))

        assert bulk.latest_unfinished() == run
        finish(run)
        assert bulk.latest_unfinished() is None


class TestARangeThatFails:
    @pytest.fixture
    def run(self, profiles: list[UUID]) -> RecalculationRun:
        """A run of which the second range holds a profile that cannot be calculated."""
        sell(
            profiles[4],
            total="999999999999.99",
            currency=CurrencyFactory(rate="9999999999"),
        )
        run = bulk.start(EVERYBODY)
        finish(run)
        return run

    def test_does_not_hold_up_the_others(self, run, profiles):
        assert calculated() == set(profiles) - set(profiles[3:6])
        assert wrong_rows() == []

    def test_keeps_its_error(self, run, profiles):
        failed = run.ranges.get(done_at=None)

        assert (failed.first, failed.last) == (profiles[3], profiles[5])
        assert "numeric field overflow" in failed.error
        assert failed.changed is None

    def test_keeps_the_requests_for_it(self, run, profiles):
        assert RecalculationRequest.objects.get().profile_id == profiles[4]

    def test_is_not_tried_again_by_itself(self, run):
        assert bulk.recalculate_next(run) is None

    def test_is_tried_again_when_the_run_goes_on(self, run, profiles):
        Profile.objects.get(pk=profiles[4]).transactions.all().delete()

        bulk.retry_failed(bulk.latest_unfinished())
        finish(run)

        assert calculated() == set(profiles)
        assert not run.ranges.exclude(error="").exists()
        assert bulk.latest_unfinished() is None


@concurrent
class TestWorkers:
    @pytest.mark.parametrize("workers", [1, 3])
    def test_do_every_range_once(self, profiles, workers):
        run = bulk.start(EVERYBODY)

        done = list(bulk.work_through(run, workers=workers, stop=threading.Event()))

        assert sorted(each.pk for each in done) == sorted(run.ranges.values_list("pk", flat=True))
        assert calculated() == set(profiles)
        assert wrong_rows() == []

    def test_take_no_range_that_another_has_in_hand(self, profiles, session):
        run = bulk.start(EVERYBODY)
        session.begin()
        taken = session.do(bulk.recalculate_next, run)

        with impatient():
            others = finish(run)
        session.commit()

        assert len(others) == 3
        assert taken.pk not in {each.pk for each in others}
        assert calculated() == set(profiles)

    def test_leave_the_range_of_one_that_dies_to_the_next(self, profiles, session):
        run = bulk.start(EVERYBODY)
        session.begin()
        session.do(bulk.recalculate_next, run)

        session.roll_back()

        assert len(finish(run)) == 4
        assert calculated() == set(profiles)

    def test_leave_the_range_of_one_whose_connection_is_cut_to_the_next(self, profiles, session):
        finish(bulk.start(EVERYBODY))
        run = bulk.start(EVERYBODY)
        with another_session() as holder:
            holder.begin()
            holder.do(lambda: list(Freshness.objects.select_for_update()))
            work = session.start(bulk.recalculate_next, run)
            holder.wait_until_blocking()
            assert cut("cardinality(pg_blocking_pids(pid)) > 0")
            with pytest.raises(OperationalError):
                work.result(LIMIT)

        assert len(finish(run)) == 4
        assert not run.ranges.exclude(error="").exists()

    def test_that_are_stopped_finish_the_range_in_hand(self, profiles, session):
        run = bulk.start(EVERYBODY)
        stop = threading.Event()
        with another_session() as holder:
            recalculate_range(first=profiles[3], last=profiles[5], moment=utc("2025-07-01"))
            holder.begin()
            holder.do(lambda: list(Freshness.objects.filter(pk=profiles[4]).select_for_update()))
            work = session.start(lambda: list(bulk.work_through(run, workers=1, stop=stop)))
            holder.wait_until_blocking()
            stop.set()
            holder.commit()
        done = work.result(LIMIT)

        assert len(done) == 2
        assert calculated() == within(done, profiles)
        assert wrong_rows() == []
        assert len(finish(run)) == 2
        assert calculated() == set(profiles)

    def test_that_are_stopped_before_the_start_do_nothing(self, profiles):
        run = bulk.start(EVERYBODY)
        stop = threading.Event()
        stop.set()

        assert list(bulk.work_through(run, workers=2, stop=stop)) == []
        assert calculated() == set()


class TestARunOfWorkers:
    """It is taken up again where nobody works on it, and nothing came of it for a while."""

    @pytest.fixture
    def run(self, profiles) -> RecalculationRun:
        run = bulk.start(EVERYBODY)
        run.by_workers = True
        run.started_at = utc("2025-07-01 12:00")
        run.save()
        return run

    def test_is_abandoned_after_a_message_would_have_come(self, run):
        assert bulk.abandoned(moment=utc("2025-07-01 12:00:59")) == []
        assert bulk.abandoned(moment=utc("2025-07-01 12:01")) == [run]

    @concurrent
    def test_is_not_while_somebody_has_a_range_in_hand(self, run, session):
        session.begin()
        session.do(bulk.recalculate_next, run)

        assert bulk.abandoned(moment=utc("2025-07-01 13:00")) == []

        session.roll_back()
        assert bulk.abandoned(moment=utc("2025-07-01 13:00")) == [run]

    def test_is_not_so_soon_after_a_range_was_done(self, run):
        done_at = bulk.recalculate_next(run).done_at

        assert bulk.abandoned(moment=done_at + timedelta(seconds=59)) == []
        assert bulk.abandoned(moment=done_at + timedelta(seconds=61)) == [run]

    def test_is_not_once_it_is_finished(self, run):
        finish(run)

        assert bulk.abandoned(moment=timezone.now() + timedelta(hours=1)) == []

    def test_is_not_for_the_ranges_that_failed(self, run):
        run.ranges.update(error="too large")

        assert bulk.abandoned(moment=utc("2025-07-01 13:00")) == []

    def test_is_left_alone_where_it_is_nobodys_but_the_commands(self, run):
        RecalculationRun.objects.update(by_workers=False)

        assert bulk.abandoned(moment=utc("2025-07-01 13:00")) == []


@concurrent
class TestWhileTheShopIsOpen:
    def test_nobody_waits_for_a_range_in_hand(self, profiles, session):
        finish(bulk.start(EVERYBODY))
        profile = Profile.objects.get(pk=profiles[0])
        session.begin()
        session.do(bulk.recalculate_next, bulk.start(EVERYBODY))

        with impatient():
            TransactionFactory(profile=profile)
            profile.joined_at = utc("2025-01-01")
            profile.save()
            assert Aggregation.objects.get(profile=profile).shop_count == 1
            profile.transactions.all().delete()

    def test_a_sale_before_the_range_is_computed_is_in_its_result(self, profiles, session):
        finish(bulk.start(EVERYBODY))
        run = bulk.start(EVERYBODY)
        with another_session() as holder:
            holder.begin()
            holder.do(lambda: list(Freshness.objects.filter(pk=profiles[0]).select_for_update()))
            later = session.start(bulk.recalculate_next, run)
            session.wait_until_blocked()
            sell(profiles[0])
            holder.commit()
        later.result(LIMIT)

        assert Aggregation.objects.get(pk=profiles[0]).shop_count == 2

    def test_a_sale_after_it_was_computed_waits_for_the_next_worker(self, profiles, session):
        session.begin()
        session.do(bulk.recalculate_next, bulk.start(EVERYBODY))
        sell(profiles[0])
        session.commit()

        work_off(moment=utc("2025-07-01"))

        assert Aggregation.objects.get(pk=profiles[0]).shop_count == 2

    @pytest.mark.parametrize("before", [0, 1], ids=["never calculated", "calculated before"])
    def test_a_profile_that_is_purged_does_not_take_its_range_with_it(
        self, profiles, session, before
    ):
        for _ in range(before):
            finish(bulk.start(EVERYBODY))
        run = bulk.start(EVERYBODY)
        with another_session() as worker:
            session.begin()
            session.do(purge, profile_id=profiles[1])
            ranges = worker.start(finish, run)
            worker.wait_until_blocked()
            session.commit()

            assert [each.error for each in ranges.result(LIMIT)] == [""] * 4

        assert calculated() == set(profiles) - {profiles[1]}
        assert wrong_rows() == []

"""The counters of recalculations, whoever did them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from aggregations import bulk
from aggregations.calculation import recalculate, refresh_clock
from aggregations.counts import compact, counts
from aggregations.models import RecalculationCount, RecalculationRequest
from aggregations.outbox import recalculate_waiting, request
from aggregations.selection import Selection
from profiles.models import Profile
from tests.concurrency import another_session, impatient
from tests.factories import CurrencyFactory, ProfileFactory, TransactionFactory
from tests.waiting import forget_who_waits

pytestmark = pytest.mark.django_db


@pytest.fixture
def profiles(db: None) -> list[Profile]:
    """Profiles of which nobody asked anything yet."""
    profiles = ProfileFactory.create_batch(5)
    forget_who_waits()
    return profiles


@pytest.fixture
def impossible(profiles: list[Profile]) -> Profile:
    """One of them, who bought for more than the row has room for."""
    TransactionFactory(
        profile=profiles[2], total="999999999999.99", currency=CurrencyFactory(rate="9999999999")
    )
    forget_who_waits()
    return profiles[2]


def counted() -> tuple[int, int]:
    """Return how many were recalculated, and tried in vain."""
    now = counts(moment=timezone.now())
    return now.recalculated, now.failed


class TestARecalculation:
    def test_counts_its_profiles(self, profiles, moment):
        recalculate(profile_ids=[profile.pk for profile in profiles], moment=moment)
        recalculate(profile_ids=[profiles[0].pk], moment=moment)

        assert counted() == (6, 0)

    def test_counts_no_profile_that_does_not_exist(self, moment):
        recalculate(profile_ids=[uuid4()], moment=moment)

        assert counted() == (0, 0)
        assert not RecalculationCount.objects.exists()

    def test_that_is_rolled_back_does_not_count(self, profiles, moment):
        with transaction.atomic():
            recalculate(profile_ids=[profiles[0].pk], moment=moment)
            transaction.set_rollback(True)

        assert counted() == (0, 0)

    def test_of_what_waits_counts_a_profile_once_however_often_it_waits(self, profiles, moment):
        request([profiles[0].pk])
        request([profile.pk for profile in profiles])

        recalculate_waiting(moment=moment)

        assert counted() == (5, 0)

    def test_of_everybody_counts_everybody(self, profiles):
        bulk.recalculate_next(bulk.start(Selection()))

        assert counted() == (5, 0)

    def test_is_what_a_refresh_by_the_clock_is_not(self, moment):
        profile = ProfileFactory(joined_at=moment - timedelta(days=95))
        recalculate(profile_ids=[profile.pk], moment=moment - timedelta(days=10))

        assert refresh_clock(profile_ids=[profile.pk], moment=moment) == 1

        assert counted() == (1, 0)

    @pytest.mark.django_db(transaction=True)
    def test_waits_for_no_other_ones_number(self, profiles, moment):
        with another_session() as session:
            session.begin()
            session.do(recalculate, profile_ids=[profiles[0].pk], moment=moment)

            with impatient():
                recalculate(profile_ids=[profiles[1].pk], moment=moment)

            assert counted() == (1, 0)
            session.commit()
        assert counted() == (2, 0)


class TestACrashOfTheServer:
    def test_lets_all_begin_anew_since_no_counter_may_fall_by_a_little(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relpersistence FROM pg_class WHERE oid = %s::regclass",
                [RecalculationCount._meta.db_table],
            )
            assert cursor.fetchone() == ("u",)


class TestAFailure:
    def test_counts_once_for_its_profile_alone(self, profiles, impossible, moment):
        request([profile.pk for profile in profiles])

        recalculate_waiting(moment=moment)

        assert counted() == (4, 1)

    def test_counts_at_each_try(self, impossible, moment):
        request([impossible.pk])

        for _ in range(3):
            recalculate_waiting(moment=moment)
            moment = RecalculationRequest.objects.get().retry_at

        assert counted() == (0, 3)

    def test_of_a_range_counts_all_that_were_not_recalculated(self, profiles, impossible):
        bulk.recalculate_next(bulk.start(Selection()))

        assert counted() == (0, 5)


class TestTheLastMinute:
    def test_is_what_the_rate_is_of(self, profiles, moment):
        for seconds, recalculated in ((120, 1000), (61, 500), (59, 30), (0, 90)):
            RecalculationCount.objects.create(
                counted_at=moment - timedelta(seconds=seconds), recalculated=recalculated
            )

        assert counts(moment=moment).per_second == 2.0

    def test_is_left_as_it_is_when_the_rest_is_added_up(self, moment):
        for seconds in (3600, 120, 61, 59, 0):
            RecalculationCount.objects.create(
                counted_at=moment - timedelta(seconds=seconds), recalculated=10, failed=1
            )
        before = counts(moment=moment)

        compact(moment=moment)

        assert counts(moment=moment) == before
        rows = RecalculationCount.objects.order_by("counted_at")
        assert list(rows.values_list("recalculated", "failed")) == [(30, 3), (10, 1), (10, 1)]

    def test_may_be_all_there_is(self, moment):
        compact(moment=moment)

        assert not RecalculationCount.objects.exists()

"""What a reader is answered, and that it waits for nobody and stores nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aggregations import outbox
from aggregations.calculation import recalculate, refresh_clock
from aggregations.models import Aggregation, Freshness, RecalculationRequest
from aggregations.reading import current, current_of
from profiles.models import Profile
from tests.concurrency import Session, another_session, impatient
from tests.factories import (
    BrandFactory,
    LocationAddressFactory,
    ProfileFactory,
    ProfileTierFactory,
    TransactionFactory,
    TransactionItemFactory,
)
from tests.waiting import forget_who_waits, who_waits, work_off

pytestmark = pytest.mark.django_db

concurrent = pytest.mark.django_db(transaction=True)

A_YEAR = timedelta(days=366)


@pytest.fixture
def session() -> Iterator[Session]:
    with another_session() as session:
        yield session


def sold(moment: datetime) -> Profile:
    """Return somebody who has bought, in every way that a row looks at."""
    place = LocationAddressFactory(iso="AU", iso_state="AU-VIC").location
    profile = ProfileFactory(joined_location=place)
    for days in (1, 3, 40):
        sale = TransactionFactory(
            profile=profile,
            location=place,
            total="10.10",
            total_original="30.30",
            transacted_at=moment - timedelta(days=days),
        )
        TransactionItemFactory(transaction=sale, brand=BrandFactory())
    ProfileTierFactory(profile=profile)
    return profile


@pytest.fixture
def profile(moment: datetime) -> Profile:
    return sold(moment)


class TestARowThatWasNeverCalculated:
    def test_is_worked_out_for_the_answer_alone(self, profile: Profile, moment: datetime) -> None:
        reading = current(profile_id=profile.pk, moment=moment)

        assert reading.row["shop_count"] == 3
        assert reading.calculated_at == moment
        assert not Aggregation.objects.exists()

    def test_has_the_version_that_it_has_when_it_is_stored(
        self, profile: Profile, moment: datetime
    ) -> None:
        version = current(profile_id=profile.pk, moment=moment).version

        work_off(moment=moment)

        assert current(profile_id=profile.pk, moment=moment).version == version

    def test_waits_for_a_worker_to_store_it(self, profile: Profile, moment: datetime) -> None:
        forget_who_waits()

        assert current(profile_id=profile.pk, moment=moment).is_pending

        assert RecalculationRequest.objects.get().profile_id == profile.pk

    def test_is_asked_for_once_however_often_it_is_read(
        self, profile: Profile, moment: datetime
    ) -> None:
        forget_who_waits()

        for _ in range(3):
            current(profile_id=profile.pk, moment=moment)

        assert RecalculationRequest.objects.count() == 1

    def test_of_nobody_is_none(self, moment: datetime) -> None:
        with pytest.raises(Profile.DoesNotExist):
            current(profile_id=ProfileFactory.build().pk, moment=moment)

        assert who_waits() == set()

    @concurrent
    def test_is_read_while_it_is_being_calculated(
        self, profile: Profile, moment: datetime, session: Session
    ) -> None:
        session.begin()
        session.do(recalculate, profile_ids=[profile.pk], moment=moment)

        with impatient():
            assert current(profile_id=profile.pk, moment=moment).row["shop_count"] == 3


class TestARowThatTheClockHasOvertaken:
    @pytest.fixture
    def later(self, profile: Profile, moment: datetime) -> datetime:
        work_off(moment=moment)
        return moment + A_YEAR

    def test_is_moved_for_the_answer_alone(self, profile: Profile, later: datetime) -> None:
        before = Aggregation.objects.values().get()

        row = current(profile_id=profile.pk, moment=later).row

        assert (row["spend_12m_now"], row["dimension_recency"]) == (0, "RI")
        assert Aggregation.objects.values().get() == before

    def test_says_when_the_clock_moves_it_next(self, profile: Profile, later: datetime) -> None:
        reading = current(profile_id=profile.pk, moment=later)

        assert reading.next_change_at > later

    def test_has_the_version_that_it_has_when_it_is_stored(
        self, profile: Profile, later: datetime
    ) -> None:
        version = current(profile_id=profile.pk, moment=later).version

        refresh_clock(profile_ids=[profile.pk], moment=later)

        assert current(profile_id=profile.pk, moment=later).version == version

    def test_is_not_held_to_be_unchanged_since_it_was_stored(
        self, profile: Profile, later: datetime
    ) -> None:
        assert current(profile_id=profile.pk, moment=later).changed_at == later

    @concurrent
    def test_is_read_while_it_is_being_refreshed(
        self, profile: Profile, later: datetime, session: Session
    ) -> None:
        session.begin()
        session.do(refresh_clock, profile_ids=[profile.pk], moment=later)

        with impatient():
            assert current(profile_id=profile.pk, moment=later).row["dimension_recency"] == "RI"


class TestRowsOfMany:
    @pytest.fixture
    def read(self, moment: datetime) -> Callable[[int], int]:
        def read(number: int) -> int:
            """Read so many of each kind; return the number of queries."""
            Profile.objects.all().delete()
            overtaken = [sold(moment) for _ in range(number)]
            work_off(moment=moment)
            Freshness.objects.update(next_change_at=moment)
            missing = [sold(moment) for _ in range(number)]
            forget_who_waits()
            gone = ProfileFactory.build()
            wanted = [each.pk for each in (*overtaken, *missing, gone)]
            with CaptureQueriesContext(connection) as queries:
                readings = current_of(profile_ids=wanted, moment=moment)
            assert readings.keys() == {each.pk for each in (*overtaken, *missing)}
            assert {reading.row["shop_count"] for reading in readings.values()} == {3}
            return len(queries)

        return read

    def test_take_as_many_queries_as_those_of_one(self, read: Callable[[int], int]) -> None:
        assert read(4) == read(1) == 4


class TestARowWhilePeopleWhoShareSomethingAreNotFoundOutYet:
    def test_waits_since_it_may_be_one_of_theirs(self, profile: Profile, moment: datetime) -> None:
        brand = BrandFactory()
        work_off(moment=moment)
        brand.name = "Zest"
        brand.save()

        assert current(profile_id=profile.pk, moment=moment).is_pending

        outbox.hand_out()
        assert not current(profile_id=profile.pk, moment=moment).is_pending

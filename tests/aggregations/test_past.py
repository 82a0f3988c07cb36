"""What a row would have said at a moment in the past."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregations.calculation import recalculate
from aggregations.models import Aggregation
from aggregations.reading import past
from profiles.models import Profile, ProfileTier, Transaction
from tests.factories import (
    BrandFactory,
    LocationAddressFactory,
    LocationFactory,
    ProfileAddressFactory,
    ProfileFactory,
    ProfileTierFactory,
    TierFactory,
    TransactionFactory,
    TransactionItemFactory,
    utc,
)
from tests.histories import MOMENTS, Customer, Setting, customers, instants, make_setting, write
from tests.oracle import calculate, known_at, load, stored
from tests.oracle.agreement import FIELDS

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]

MICROSECOND = timedelta.resolution
THEN = utc("2025-03-31 12:00")


def values(profile_id: UUID, moment: datetime) -> dict[str, Any]:
    """Return the row as of the moment, by the columns that a stored one has."""
    row = past(profile_id=profile_id, moment=moment).row
    return {name: row[name] for name in FIELDS}


class TestGeneratedHistories:
    # An example is many rows, and the setting is written once for all of them.
    many_rows = settings(
        suppress_health_check=[
            HealthCheck.data_too_large,
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
        ],
    )
    Batch = tuple[list[datetime], list[Customer]]

    @pytest.fixture
    def setting(self) -> Setting:
        return make_setting()

    @staticmethod
    def batches() -> st.SearchStrategy[Batch]:
        """Return a strategy for profiles with pasts, and moments of them on many a boundary."""

        def around(moment: datetime) -> st.SearchStrategy:
            moments = st.lists(instants(moment), min_size=1, max_size=3, unique=True)
            return st.tuples(moments, customers(moment, at_most=3))

        return st.sampled_from(MOMENTS).flatmap(around)

    @staticmethod
    @contextmanager
    def taken_back() -> Iterator[None]:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    @many_rows
    @given(batch=batches())
    def test_every_field_is_what_the_oracle_makes_of_what_was_known_then(
        self, setting: Setting, batch: Batch
    ):
        moments, profiles = batch
        with self.taken_back():
            profile_ids = write(profiles, setting=setting)
            world, histories = load(profile_ids)

            for moment in moments:
                for profile_id in profile_ids:
                    known = known_at(histories[profile_id], moment)
                    expected = calculate(known, world=world, moment=moment)
                    found = values(profile_id, moment)
                    assert found == {name: expected[name] for name in FIELDS}

    @many_rows
    @given(batch=batches())
    def test_the_row_said_just_that_while_nothing_later_was_there(
        self, setting: Setting, batch: Batch
    ):
        moments, profiles = batch
        with self.taken_back():
            profile_ids = write(profiles, setting=setting)
            found = {
                moment: {profile_id: values(profile_id, moment) for profile_id in profile_ids}
                for moment in moments
            }

            for moment in sorted(moments, reverse=True):
                self.take_away_what_is_later_than(moment)
                recalculate(profile_ids=profile_ids, moment=moment)
                rows = stored(profile_ids)
                said = {key: {name: row[name] for name in FIELDS} for key, row in rows.items()}
                assert found[moment] == said

    @staticmethod
    def take_away_what_is_later_than(moment: datetime) -> None:
        Transaction.objects.filter(transacted_at__gt=moment).delete()
        ProfileTier.objects.filter(started_at__gt=moment).delete()
        for profile in Profile.objects.exclude(referred_by=None):
            if (profile.joined_at or profile.created_at) > moment:
                Profile.objects.filter(pk=profile.pk).update(referred_by=None)


def test_a_walk_along_the_clock_finds_again_what_was_stored_on_the_way(profile: Profile):
    store, brand = LocationFactory(), BrandFactory()
    LocationAddressFactory(location=store, iso="AU", iso_state="AU-VIC")

    def sell(at: datetime, **facts: Any) -> None:
        sale = TransactionFactory(profile=profile, transacted_at=at, **facts)
        TransactionItemFactory(transaction=sale, brand=brand if facts.get("systems") else None)

    events = {
        "2025-01-20 08:00": lambda at: sell(at, total=10, location=store),
        "2025-01-20 08:00:00.000001": lambda at: sell(at, total=20, systems=["web"]),
        "2025-02-28 23:59:59.999999": lambda at: ProfileTierFactory(profile=profile, started_at=at),
        "2025-03-01 00:00": lambda at: sell(at, total=-5, location=store),
        "2025-04-16 00:00": lambda at: ProfileFactory(referred_by=profile, joined_at=at),
        "2026-03-01 00:00": lambda at: sell(at, total=30, location=LocationFactory()),
    }
    moments = [utc(written) for written in events] + [utc("2027-03-01 00:00")]
    said = {}
    for happen, at, next_at in zip(events.values(), moments, moments[1:], strict=False):
        happen(at)
        for moment in (at, next_at - MICROSECOND):
            recalculate(profile_ids=[profile.id], moment=moment)
            said[moment] = {name: stored([profile.id])[profile.id][name] for name in FIELDS}

    assert {moment: values(profile.id, moment) for moment in said} == said


class TestWhatHasATimeOfItsOwn:
    """It counts from that moment on, and not a microsecond before."""

    def refer(self, profile: Profile) -> None:
        ProfileFactory(referred_by=profile, joined_at=THEN)

    def refer_by_creation(self, profile: Profile) -> None:
        referred = ProfileFactory(referred_by=profile)
        Profile.objects.filter(pk=referred.pk).update(created_at=THEN)

    def buy(self, profile: Profile) -> None:
        TransactionFactory(profile=profile, transacted_at=THEN)

    def buy_of_a_brand(self, profile: Profile) -> None:
        sale = TransactionFactory(profile=profile, transacted_at=THEN)
        TransactionItemFactory(transaction=sale, brand=BrandFactory())

    def buy_somewhere(self, profile: Profile) -> None:
        TransactionFactory(profile=profile, transacted_at=THEN, location=LocationFactory())

    def reach_a_tier(self, profile: Profile) -> None:
        ProfileTierFactory(profile=profile, started_at=THEN)

    @pytest.mark.parametrize(
        ("happen", "field"),
        [
            ("buy", "spend_all"),
            ("buy", "shop_count"),
            ("buy_of_a_brand", "purchased_brands"),
            ("buy_somewhere", "transacted_locations"),
            ("buy_somewhere", "most_spend_location_id"),
            ("reach_a_tier", "top_historic_status_id"),
            ("refer", "total_referred"),
            ("refer_by_creation", "total_referred"),
        ],
    )
    def test_it_counts_from_that_moment_on(self, profile: Profile, happen: str, field: str):
        getattr(self, happen)(profile)

        assert not values(profile.id, THEN - MICROSECOND)[field]
        assert values(profile.id, THEN)[field]

    def test_a_better_tier_of_later_does_not_hide_the_one_of_then(self, profile: Profile):
        silver, gold = TierFactory(sort_order=2), TierFactory(sort_order=1)
        ProfileTierFactory(profile=profile, tier=silver, started_at=THEN)
        ProfileTierFactory(profile=profile, tier=gold, started_at=THEN + MICROSECOND)

        assert values(profile.id, THEN)["top_historic_status_id"] == silver.id


class TestWhatHasNoTimeOfItsOwn:
    """It counts as it is now."""

    def test_an_address(self, profile: Profile):
        ProfileAddressFactory(profile=profile, iso="AU")

        assert values(profile.id, THEN)["likely_country_iso"] == "AU"

    @pytest.mark.parametrize("role", ["joined_location", "preferred_location"])
    def test_a_place_that_the_profile_names(self, profile: Profile, role: str):
        store = LocationFactory(country_iso_3="NZL")
        Profile.objects.filter(pk=profile.pk).update(**{role: store})

        assert values(profile.id, THEN)["likely_country_iso"] == "NZ"

    def test_a_void(self, profile: Profile):
        TransactionFactory(profile=profile, transacted_at=THEN, is_void=True)

        assert values(profile.id, THEN)["shop_count"] == 0

    def test_the_moment_when_something_was_written_says_nothing(self, profile: Profile):
        sale = TransactionFactory(profile=profile, transacted_at=THEN)

        assert sale.created_at > THEN
        assert values(profile.id, THEN)["shop_count"] == 1


class TestBeforeTheProfileJoined:
    def test_it_is_new_and_has_done_nothing(self):
        profile = ProfileFactory(joined_at=THEN + timedelta(days=400))
        TransactionFactory(profile=profile, transacted_at=THEN + timedelta(days=401))

        row = values(profile.id, THEN)

        assert (row["dimension_join"], row["dimension_frequency"]) == ("JN", "F0")
        assert (row["spend_all"], row["spend_first_date"]) == (0, None)

    def test_what_it_did_all_the_same_counts(self):
        profile = ProfileFactory(joined_at=THEN + timedelta(days=400))
        TransactionFactory(profile=profile, transacted_at=THEN, total=10)

        assert values(profile.id, THEN)["spend_all"] == 10


def test_it_is_told_what_the_moment_was_and_that_nothing_is_left_to_wait_for(profile: Profile):
    reading = past(profile_id=profile.id, moment=THEN)

    assert reading.calculated_at == THEN
    assert reading.next_change_at is None
    assert reading.is_pending is False


def test_a_profile_that_is_not_there_has_no_past(db: None):
    with pytest.raises(Profile.DoesNotExist):
        past(profile_id=uuid4(), moment=THEN)


def test_nothing_is_written_or_locked(profile: Profile):
    TransactionFactory(profile=profile, transacted_at=THEN)

    # PostgreSQL refuses in it whatever changes a row or locks one.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        assert past(profile_id=profile.id, moment=THEN).row["shop_count"] == 1


def test_the_row_of_now_counts_what_lies_ahead_too(profile: Profile):
    TransactionFactory(profile=profile, transacted_at=THEN + timedelta(days=1), total=10)

    recalculate(profile_ids=[profile.id], moment=THEN)

    assert Aggregation.objects.get(profile=profile).spend_all == 10
    assert values(profile.id, THEN)["spend_all"] == 0

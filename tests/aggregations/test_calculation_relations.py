"""The best tier that a profile ever held, and whom it referred."""

from __future__ import annotations

import pytest

from profiles.models import Tier
from tests.factories import ProfileFactory, ProfileTierFactory, TierFactory, utc


@pytest.fixture
def gold(db: None) -> Tier:
    return TierFactory(name="Gold", sort_order=1)


@pytest.fixture
def silver(db: None) -> Tier:
    return TierFactory(name="Silver", sort_order=2)


class TestTopHistoricStatus:
    def test_is_missing_where_no_tier_was_held(self, profile, calculated, gold):
        assert calculated(profile).top_historic_status is None

    def test_has_the_lowest_sort_order(self, profile, calculated, gold, silver):
        ProfileTierFactory(profile=profile, tier=silver)
        ProfileTierFactory(profile=profile, tier=gold)
        ProfileTierFactory(profile=profile, tier=TierFactory(sort_order=3))

        assert calculated(profile).top_historic_status == gold

    def test_has_a_sort_order_below_0_before_0(self, profile, calculated):
        best = TierFactory(sort_order=-1)
        ProfileTierFactory(profile=profile, tier=TierFactory(sort_order=0))
        ProfileTierFactory(profile=profile, tier=best)

        assert calculated(profile).top_historic_status == best

    def test_may_have_expired(self, profile, calculated, gold, silver):
        ProfileTierFactory(
            profile=profile,
            tier=gold,
            started_at=utc("2020-01-01"),
            expires_at=utc("2021-01-01"),
        )
        ProfileTierFactory(profile=profile, tier=silver)

        assert calculated(profile).top_historic_status == gold

    def test_may_have_been_removed(self, profile, calculated, gold, silver):
        ProfileTierFactory(
            profile=profile,
            tier=gold,
            started_at=utc("2020-01-01"),
            removed_at=utc("2020-01-01"),
        )
        ProfileTierFactory(profile=profile, tier=silver)

        assert calculated(profile).top_historic_status == gold

    def test_of_equal_tiers_was_held_first(self, profile, calculated, gold):
        platinum = TierFactory(sort_order=gold.sort_order)
        ProfileTierFactory(profile=profile, tier=gold, started_at=utc("2022-01-01"))
        ProfileTierFactory(profile=profile, tier=platinum, started_at=utc("2021-01-01"))

        assert calculated(profile).top_historic_status == platinum

    def test_of_equal_tiers_since_one_instant_was_recorded_first(self, profile, calculated, gold):
        platinum = TierFactory(sort_order=gold.sort_order)
        ProfileTierFactory(profile=profile, tier=platinum)
        ProfileTierFactory(profile=profile, tier=gold)

        assert calculated(profile).top_historic_status == platinum

    def test_follows_a_new_order_of_the_tiers(self, profile, calculated, gold, silver):
        ProfileTierFactory(profile=profile, tier=silver)
        ProfileTierFactory(profile=profile, tier=gold)
        calculated(profile)
        silver.sort_order = 0
        silver.save()

        assert calculated(profile).top_historic_status == silver

    def test_is_no_other_profiles(self, profile, calculated, gold):
        ProfileTierFactory(profile=ProfileFactory(), tier=gold)

        assert calculated(profile).top_historic_status is None


class TestTotalReferred:
    def test_is_0_for_who_referred_nobody(self, profile, calculated):
        ProfileFactory(referred_by=ProfileFactory())

        assert calculated(profile).total_referred == 0

    def test_counts_the_profiles_that_name_this_one(self, profile, calculated):
        for _ in range(3):
            ProfileFactory(referred_by=profile)

        assert calculated(profile).total_referred == 3

    def test_does_not_count_those_whom_they_referred(self, profile, calculated):
        ProfileFactory(referred_by=ProfileFactory(referred_by=profile))

        assert calculated(profile).total_referred == 1

    def test_falls_when_a_referred_profile_is_deleted(self, profile, calculated):
        referred = ProfileFactory(referred_by=profile)
        calculated(profile)
        referred.delete()

        assert calculated(profile).total_referred == 0

"""Where a profile is likely to live, by the votes of four kinds of evidence.

Weights: a purchase of the last 24 months 1, of the last 6 months 2, the joined location 3, the
preferred location 5, a stored address 4, the default one 6. The calculations are of 1 July 2025,
noon: 6 months go back to 1 January 2025 and 24 to 1 July 2023, both at noon.
"""

from __future__ import annotations

import pytest

from locations.models import Location
from profiles.models import Profile
from tests.factories import (
    LocationAddressFactory,
    LocationFactory,
    ProfileAddressFactory,
    ProfileFactory,
    RegionFactory,
    RegionMemberFactory,
    TransactionFactory,
)


def store(iso: str | None = None, iso_state: str | None = None, **facts) -> Location:
    location = LocationFactory(**facts)
    LocationAddressFactory(location=location, iso=iso, iso_state=iso_state)
    return location


def shop_at(profile: Profile, location: Location, *days: str, **facts) -> None:
    for day in days:
        TransactionFactory(profile=profile, location=location, at=f"{day} 12:00", **facts)


def stored_address(profile: Profile, iso: str | None, **facts) -> None:
    ProfileAddressFactory(profile=profile, iso=iso, **facts)


def test_nothing_is_likely_without_evidence(profile, calculated):
    row = calculated(profile)

    assert row.likely_country is None
    assert row.likely_country_score is None
    assert row.likely_country_iso is None
    assert row.likely_country_iso_score is None
    assert row.likely_state_iso is None
    assert row.likely_state_iso_score is None
    assert row.likely_region is None
    assert row.likely_region_score is None


class TestCountry:
    def test_is_named_and_coded_with_one_score(self, profile, calculated):
        stored_address(profile, "AU")

        row = calculated(profile)

        assert row.likely_country == "Australia"
        assert row.likely_country_iso == "AU"
        assert row.likely_country_score == 1
        assert row.likely_country_iso_score == 1

    def test_has_no_name_where_iso_3166_has_none(self, profile, calculated):
        stored_address(profile, "XK")

        row = calculated(profile)

        assert row.likely_country is None
        assert row.likely_country_iso == "XK"
        assert row.likely_country_iso_score == 1

    def test_is_spoken_for_by_a_purchase(self, profile, calculated):
        shop_at(profile, store("NZ"), "2024-01-01")

        assert calculated(profile).likely_country_iso == "NZ"

    def test_is_spoken_for_by_the_joined_location(self, db, calculated):
        profile = ProfileFactory(joined_location=store("NZ"))

        assert calculated(profile).likely_country_iso == "NZ"

    def test_is_spoken_for_by_the_preferred_location(self, db, calculated):
        profile = ProfileFactory(preferred_location=store("NZ"))

        assert calculated(profile).likely_country_iso == "NZ"

    def test_is_not_spoken_for_by_refunds_voids_and_totals_of_0(self, profile, calculated):
        shop_at(profile, store("NZ"), "2025-05-01", total=-10)
        shop_at(profile, store("NZ"), "2025-05-01", total=0)
        shop_at(profile, store("NZ"), "2025-05-01", is_void=True)
        shop_at(profile, store("AU"), "2024-01-01")

        row = calculated(profile)

        assert (row.likely_country_iso, row.likely_country_score) == ("AU", 1)

    def test_is_not_spoken_for_by_purchases_of_24_months_ago(self, profile, calculated):
        shop_at(profile, store("NZ"), "2023-07-01")

        row = calculated(profile)

        assert row.likely_country_iso is None
        assert row.likely_country_score is None
        assert row.likely_country_iso_score is None

    def test_of_a_location_without_an_address_is_that_of_its_own_code(self, profile, calculated):
        shop_at(profile, LocationFactory(country_iso_3="NZL"), "2025-05-01")

        assert calculated(profile).likely_country_iso == "NZ"

    def test_of_a_location_whose_address_has_none_is_that_of_its_own_code(
        self, profile, calculated
    ):
        shop_at(profile, store(None, country_iso_3="NZL"), "2025-05-01")

        assert calculated(profile).likely_country_iso == "NZ"

    def test_of_a_location_is_its_addresss_before_that_of_its_own_code(self, profile, calculated):
        shop_at(profile, store("AU", country_iso_3="NZL"), "2025-05-01")

        assert calculated(profile).likely_country_iso == "AU"

    def test_of_an_unknown_code_is_none(self, profile, calculated):
        shop_at(profile, LocationFactory(country_iso_3="XKX"), "2025-05-01")

        assert calculated(profile).likely_country_iso is None

    def test_does_not_mind_evidence_that_names_none(self, profile, calculated):
        stored_address(profile, None, city="Atlantis")
        stored_address(profile, None, city="Avalon")
        shop_at(profile, LocationFactory(), "2025-05-01")
        shop_at(profile, store("AU"), "2024-05-01")

        row = calculated(profile)

        assert (row.likely_country_iso, row.likely_country_score) == ("AU", 1)


class TestWeights:
    """Each kind of evidence for New Zealand against as much for Australia, and a bit more."""

    def against(self, profile: Profile, weight: int) -> None:
        """Let purchases before the last 6 months speak for Australia."""
        australia = store("AU")
        for _ in range(weight):
            shop_at(profile, australia, "2024-02-01")

    @pytest.mark.parametrize(("weight", "winner"), [(0, "NZ"), (2, "AU")])
    def test_an_older_purchase_counts_1(self, profile, calculated, weight, winner):
        shop_at(profile, store("NZ"), "2024-01-01")
        self.against(profile, weight)

        assert calculated(profile).likely_country_iso == winner

    @pytest.mark.parametrize(("weight", "winner"), [(1, "NZ"), (3, "AU")])
    def test_a_purchase_of_the_last_6_months_counts_2(self, profile, calculated, weight, winner):
        shop_at(profile, store("NZ"), "2025-01-02")
        self.against(profile, weight)

        assert calculated(profile).likely_country_iso == winner

    @pytest.mark.parametrize(
        ("at", "winner"), [("2025-01-01 12:00:00.000001", "NZ"), ("2025-01-01 12:00", "AU")]
    )
    def test_the_6_months_begin_at_the_microsecond(self, profile, calculated, at, winner):
        TransactionFactory(profile=profile, location=store("NZ"), at=at)
        self.against(profile, 2)

        assert calculated(profile).likely_country_iso == winner

    @pytest.mark.parametrize(
        ("at", "winner"), [("2023-07-01 12:00:00.000001", "AU"), ("2023-07-01 12:00", None)]
    )
    def test_the_24_months_begin_at_the_microsecond(self, profile, calculated, at, winner):
        TransactionFactory(profile=profile, location=store("AU"), at=at)

        assert calculated(profile).likely_country_iso == winner

    @pytest.mark.parametrize(("weight", "winner"), [(2, "NZ"), (4, "AU")])
    def test_the_joined_location_counts_3(self, db, calculated, weight, winner):
        profile = ProfileFactory(joined_location=store("NZ"))
        self.against(profile, weight)

        assert calculated(profile).likely_country_iso == winner

    @pytest.mark.parametrize(("weight", "winner"), [(4, "NZ"), (6, "AU")])
    def test_the_preferred_location_counts_5(self, db, calculated, weight, winner):
        profile = ProfileFactory(preferred_location=store("NZ"))
        self.against(profile, weight)

        assert calculated(profile).likely_country_iso == winner

    @pytest.mark.parametrize(("weight", "winner"), [(3, "NZ"), (5, "AU")])
    def test_a_stored_address_counts_4(self, profile, calculated, weight, winner):
        stored_address(profile, "NZ")
        self.against(profile, weight)

        assert calculated(profile).likely_country_iso == winner

    @pytest.mark.parametrize(("weight", "winner"), [(5, "NZ"), (7, "AU")])
    def test_the_default_address_counts_6(self, profile, calculated, weight, winner):
        stored_address(profile, "NZ", is_default=True)
        self.against(profile, weight)

        assert calculated(profile).likely_country_iso == winner

    def test_all_kinds_add_up(self, db, calculated):
        home = store("NZ")
        profile = ProfileFactory(joined_location=home, preferred_location=home)
        shop_at(profile, home, "2024-01-01", "2025-05-01")
        stored_address(profile, "NZ")
        stored_address(profile, "NZ", is_default=True)
        self.against(profile, 20)

        assert calculated(profile).likely_country_iso == "NZ"

    def test_a_purchase_without_a_location_counts_for_nothing(self, profile, calculated):
        shop_at(profile, None, "2025-05-01")

        assert calculated(profile).likely_country_iso is None


class TestTies:
    def test_go_to_the_place_of_the_latest_purchase(self, profile, calculated):
        shop_at(profile, store("NZ"), "2024-01-02")
        shop_at(profile, store("AU"), "2024-01-01")

        assert calculated(profile).likely_country_iso == "NZ"

    def test_go_to_a_place_with_a_purchase_before_one_without(self, db, calculated):
        profile = ProfileFactory(joined_location=store("AU"))
        shop_at(profile, store("NZ"), "2025-02-01")
        shop_at(profile, store("NZ"), "2024-02-01")

        assert calculated(profile).likely_country_iso == "NZ"

    def test_look_at_purchases_too_old_to_vote(self, profile, calculated):
        stored_address(profile, "AU")
        stored_address(profile, "NZ")
        shop_at(profile, store("NZ"), "2015-02-01")

        row = calculated(profile)

        assert (row.likely_country_iso, row.likely_country_score) == ("NZ", 3)

    def test_do_not_look_at_refunds_and_voids(self, profile, calculated):
        stored_address(profile, "AU")
        stored_address(profile, "NZ")
        shop_at(profile, store("NZ"), "2025-02-01", total=-5)
        shop_at(profile, store("NZ"), "2025-02-01", is_void=True)

        assert calculated(profile).likely_country_iso == "AU"

    def test_go_at_one_instant_by_the_alphabet(self, profile, calculated):
        shop_at(profile, store("AU"), "2024-01-01")
        shop_at(profile, store("NZ"), "2024-01-01")

        assert calculated(profile).likely_country_iso == "AU"

    def test_go_else_by_the_alphabet(self, profile, calculated):
        stored_address(profile, "NZ")
        stored_address(profile, "AU")
        stored_address(profile, "FR")

        assert calculated(profile).likely_country_iso == "AU"


class TestScore:
    """The winner's share of the weight of all evidence that names a place."""

    @pytest.mark.parametrize(
        ("wins", "others", "score"),
        [
            (5, {}, 1),
            (4, {"NZ": 1}, 1),  # 80 %
            (79, {"NZ": 21}, 2),
            (3, {"NZ": 2}, 2),  # 60 %
            (59, {"NZ": 41}, 3),
            (2, {"NZ": 1, "FR": 1, "US": 1}, 3),  # 40 %
            (39, {"NZ": 31, "FR": 30}, 4),
            (2, {"NZ": 2, "FR": 2, "US": 2, "GB": 2}, 4),  # 20 %
            (2, dict.fromkeys(["NZ", "FR", "US", "GB", "CA"], 2), 5),
        ],
    )
    def test_is_the_band_of_the_share(self, profile, calculated, wins, others, score):
        for iso, weight in others.items():
            location = store(iso)
            for _ in range(weight):
                shop_at(profile, location, "2024-01-01")
        location = store("AU")
        for _ in range(wins):
            shop_at(profile, location, "2024-01-02")

        row = calculated(profile)

        assert row.likely_country_iso == "AU"
        assert row.likely_country_score == score
        assert row.likely_country_iso_score == score


class TestState:
    def test_is_voted_on_within_the_winning_country(self, profile, calculated):
        for _ in range(3):
            stored_address(profile, "US", iso_state="US-NY")
        stored_address(profile, "AU", iso_state="AU-VIC")
        stored_address(profile, "AU", iso_state="AU-NSW")
        stored_address(profile, "AU", iso_state="AU-QLD")
        stored_address(profile, "AU", iso_state="AU-QLD")

        row = calculated(profile)

        assert row.likely_country_iso == "AU"
        assert row.likely_state_iso == "AU-QLD"
        assert row.likely_state_iso_score == 3

    def test_is_missing_where_no_evidence_of_the_country_names_one(self, profile, calculated):
        stored_address(profile, "AU", is_default=True)
        stored_address(profile, "US", iso_state="US-NY")

        row = calculated(profile)

        assert row.likely_country_iso == "AU"
        assert row.likely_state_iso is None
        assert row.likely_state_iso_score is None

    def test_is_missing_where_purchases_too_old_to_vote_alone_name_one(self, profile, calculated):
        stored_address(profile, "AU")
        shop_at(profile, store("AU", "AU-VIC"), "2015-02-01")

        row = calculated(profile)

        assert row.likely_country_iso == "AU"
        assert row.likely_state_iso is None
        assert row.likely_state_iso_score is None

    def test_has_a_share_of_the_evidence_that_names_one(self, profile, calculated):
        stored_address(profile, "AU", is_default=True)
        stored_address(profile, "AU", iso_state="AU-VIC")

        row = calculated(profile)

        assert (row.likely_state_iso, row.likely_state_iso_score) == ("AU-VIC", 1)

    def test_of_a_purchase_is_that_of_its_locations_address(self, profile, calculated):
        shop_at(profile, store("AU", "AU-VIC"), "2025-05-01")

        assert calculated(profile).likely_state_iso == "AU-VIC"

    def test_goes_in_a_tie_to_the_latest_purchase_then_by_the_alphabet(self, profile, calculated):
        stored_address(profile, "AU", iso_state="AU-VIC")
        stored_address(profile, "AU", iso_state="AU-NSW")
        stored_address(profile, "AU", iso_state="AU-TAS")
        assert calculated(profile).likely_state_iso == "AU-NSW"

        shop_at(profile, store("AU", "AU-VIC"), "2010-05-01")
        assert calculated(profile).likely_state_iso == "AU-VIC"


class TestRegion:
    @pytest.fixture
    def oceania(self, db):
        region = RegionFactory(name="Oceania")
        RegionMemberFactory(region=region, iso="AU")
        RegionMemberFactory(region=region, iso="NZ")
        return region

    def test_gathers_the_evidence_of_its_countries(self, profile, calculated, oceania):
        stored_address(profile, "AU")
        stored_address(profile, "NZ")
        stored_address(profile, "US", is_default=True)
        RegionMemberFactory(iso="US")

        row = calculated(profile)

        assert row.likely_country_iso == "US"
        assert row.likely_region == "Oceania"
        assert row.likely_region_score == 3

    def test_does_not_count_evidence_of_no_region(self, profile, calculated, oceania):
        stored_address(profile, "AU")
        stored_address(profile, "US", is_default=True)

        row = calculated(profile)

        assert (row.likely_region, row.likely_region_score) == ("Oceania", 1)

    def test_is_missing_where_all_evidence_is_of_no_region(self, profile, calculated, oceania):
        stored_address(profile, "US")

        row = calculated(profile)

        assert row.likely_region is None
        assert row.likely_region_score is None

    def test_is_missing_where_purchases_too_old_to_vote_alone_are_of_one(
        self, profile, calculated, oceania
    ):
        stored_address(profile, "US")
        shop_at(profile, store("AU"), "2015-02-01")

        row = calculated(profile)

        assert row.likely_region is None
        assert row.likely_region_score is None

    def test_is_that_of_the_state_before_that_of_the_country(self, profile, calculated, oceania):
        RegionMemberFactory(region=RegionFactory(name="Tasmania"), iso="AU-TAS")
        stored_address(profile, "AU", iso_state="AU-TAS")

        assert calculated(profile).likely_region == "Tasmania"

    def test_is_that_of_the_country_where_the_state_has_none(self, profile, calculated, oceania):
        stored_address(profile, "AU", iso_state="AU-TAS")

        assert calculated(profile).likely_region == "Oceania"

    def test_of_a_location_is_its_own_before_all(self, profile, calculated, oceania):
        shop_at(profile, store("AU", region=RegionFactory(name="Online")), "2025-05-01")

        assert calculated(profile).likely_region == "Online"

    def test_of_a_location_is_else_that_of_its_state(self, profile, calculated, oceania):
        RegionMemberFactory(region=RegionFactory(name="Tasmania"), iso="AU-TAS")
        shop_at(profile, store("AU", "AU-TAS"), "2025-05-01")

        assert calculated(profile).likely_region == "Tasmania"

    def test_of_a_location_is_else_that_of_its_country(self, profile, calculated, oceania):
        shop_at(profile, LocationFactory(country_iso_3="NZL"), "2025-05-01")

        assert calculated(profile).likely_region == "Oceania"

    def test_is_spoken_for_by_locations_that_have_no_country(self, profile, calculated, oceania):
        shop_at(profile, LocationFactory(region=oceania), "2025-05-01")

        row = calculated(profile)

        assert row.likely_country_iso is None
        assert row.likely_region == "Oceania"

    def test_goes_in_a_tie_to_the_latest_purchase_then_by_name(self, profile, calculated, oceania):
        RegionMemberFactory(region=RegionFactory(name="Europe"), iso="FR")
        stored_address(profile, "AU")
        stored_address(profile, "FR")
        assert calculated(profile).likely_region == "Europe"

        shop_at(profile, store("NZ"), "2010-05-01")
        assert calculated(profile).likely_region == "Oceania"

    def test_keeps_namesakes_apart(self, profile, calculated, oceania):
        for iso in ("FR", "US"):
            RegionMemberFactory(region=RegionFactory(name="North"), iso=iso)
            stored_address(profile, iso)
        stored_address(profile, "AU", is_default=True)

        assert calculated(profile).likely_region == "Oceania"


def test_a_location_that_moves_takes_its_purchases_along(profile, calculated):
    location = store("AU", "AU-VIC")
    shop_at(profile, location, "2025-05-01")
    calculated(profile)
    location.address.iso, location.address.iso_state = "NZ", None
    location.address.save()

    row = calculated(profile)

    assert row.likely_country == "New Zealand"
    assert row.likely_state_iso is None

"""Where a profile shops: first, last, mostly, and where it spends most.

The calculations are of 1 July 2025, noon: 2 years go back to 1 July 2023, noon, and 12 months to
1 July 2024, noon.
"""

from __future__ import annotations

import pytest

from locations.models import Location
from profiles.models import Profile
from tests.factories import CurrencyFactory, LocationFactory, TransactionFactory


@pytest.fixture
def north(db: None) -> Location:
    return LocationFactory(name="North")


@pytest.fixture
def south(north: Location) -> Location:
    """Return a location that was made after the northern one."""
    return LocationFactory(name="South")


def shop_at(profile: Profile, location: Location | None, *days: str, total: int = 100) -> None:
    for day in days:
        TransactionFactory(profile=profile, location=location, at=f"{day} 12:00", total=total)


def test_a_profile_without_purchases_has_no_places(profile, calculated, north):
    shop_at(profile, north, "2025-01-01", total=-10)
    shop_at(profile, north, "2025-01-02", total=0)
    TransactionFactory(profile=profile, location=north, is_void=True)

    row = calculated(profile)

    assert row.store_join is None
    assert row.latest_transacted_location is None
    assert row.most_transacted_location is None
    assert row.most_spend_location is None
    assert row.most_spend_12m_location is None
    assert row.transacted_locations == []


def test_purchases_without_a_location_have_no_places(profile, calculated):
    shop_at(profile, None, "2025-01-01")

    row = calculated(profile)

    assert row.store_join is None
    assert row.latest_transacted_location is None
    assert row.most_transacted_location is None
    assert row.most_spend_location is None
    assert row.transacted_locations == []


class TestFirstAndLatest:
    def test_are_those_of_the_first_and_latest_purchase(self, profile, calculated, north, south):
        shop_at(profile, south, "2025-03-01")
        shop_at(profile, north, "2025-01-01", "2025-02-01")

        row = calculated(profile)

        assert row.store_join == north
        assert row.latest_transacted_location == south

    def test_pass_over_purchases_without_a_location(self, profile, calculated, north, south):
        shop_at(profile, None, "2025-01-01", "2025-04-01")
        shop_at(profile, north, "2025-02-01")
        shop_at(profile, south, "2025-03-01")

        row = calculated(profile)

        assert row.store_join == north
        assert row.latest_transacted_location == south

    def test_pass_over_refunds_and_voids(self, profile, calculated, north, south):
        shop_at(profile, north, "2025-02-01")
        shop_at(profile, south, "2025-01-01", "2025-03-01", total=-5)
        for day in ("2025-01-01", "2025-03-01"):
            TransactionFactory(profile=profile, location=south, at=day, is_void=True)

        row = calculated(profile)

        assert row.store_join == north
        assert row.latest_transacted_location == north

    def test_go_by_the_order_of_recording_at_one_instant(self, profile, calculated, north, south):
        shop_at(profile, south, "2025-01-01")
        shop_at(profile, north, "2025-01-01")

        row = calculated(profile)

        assert row.store_join == south
        assert row.latest_transacted_location == north


class TestMostTransacted:
    def test_has_the_most_purchases(self, profile, calculated, north, south):
        shop_at(profile, south, "2025-01-01", "2025-01-02")
        shop_at(profile, north, "2025-01-03", total=900)

        assert calculated(profile).most_transacted_location == south

    def test_does_not_count_refunds_and_voids(self, profile, calculated, north, south):
        shop_at(profile, south, "2025-01-01", "2025-01-02")
        shop_at(profile, north, "2025-01-03")
        shop_at(profile, north, "2025-01-04", "2025-01-05", total=-5)
        shop_at(profile, north, "2025-01-04", total=0)
        TransactionFactory(profile=profile, location=north, is_void=True)

        assert calculated(profile).most_transacted_location == south

    def test_looks_at_the_last_2_years(self, profile, calculated, north, south):
        shop_at(profile, south, "2023-06-01", "2023-06-02", "2023-06-03")
        shop_at(profile, north, "2025-01-03")

        assert calculated(profile).most_transacted_location == north

    def test_begins_the_2_years_at_the_microsecond(self, profile, calculated, north, south):
        shop_at(profile, south, "2023-07-01", "2023-07-01")
        TransactionFactory(profile=profile, location=north, at="2023-07-01 12:00:00.000001")

        assert calculated(profile).most_transacted_location == north

    def test_looks_at_all_time_where_the_2_years_have_no_purchase(
        self, profile, calculated, north, south
    ):
        shop_at(profile, south, "2020-06-01", "2020-06-02")
        shop_at(profile, north, "2022-01-03")

        assert calculated(profile).most_transacted_location == south

    def test_looks_at_all_time_where_the_2_years_have_no_purchase_with_a_location(
        self, profile, calculated, north, south
    ):
        shop_at(profile, south, "2020-06-01", "2020-06-02")
        shop_at(profile, north, "2022-01-03")
        shop_at(profile, north, "2025-01-03", total=-5)
        shop_at(profile, None, "2025-01-03")

        assert calculated(profile).most_transacted_location == south

    def test_is_in_a_tie_the_one_of_the_latest_purchase(self, profile, calculated, north, south):
        shop_at(profile, south, "2025-01-01", "2025-03-01")
        shop_at(profile, north, "2025-01-02", "2025-02-01")

        assert calculated(profile).most_transacted_location == south

    def test_is_in_a_tie_at_one_instant_the_older_location(self, profile, calculated, north, south):
        shop_at(profile, north, "2025-01-01")
        shop_at(profile, south, "2025-01-01")

        assert calculated(profile).most_transacted_location == north


class TestMostSpend:
    def test_has_the_highest_net_amount(self, profile, calculated, north, south):
        shop_at(profile, south, "2025-01-01", total=150)
        shop_at(profile, north, "2025-01-02", "2025-01-03")

        row = calculated(profile)

        assert row.most_spend_location == north
        assert row.most_spend_12m_location == north

    def test_takes_refunds_off_where_they_were_made(self, profile, calculated, north, south):
        shop_at(profile, south, "2025-01-01", total=150)
        shop_at(profile, north, "2025-01-02", total=200)
        shop_at(profile, north, "2025-01-03", total=-60)

        row = calculated(profile)

        assert row.most_spend_location == south
        assert row.most_spend_12m_location == south

    def test_does_not_count_voids(self, profile, calculated, north, south):
        shop_at(profile, south, "2025-01-01", total=50)
        TransactionFactory(profile=profile, location=north, total=500, is_void=True)

        assert calculated(profile).most_spend_location == south

    def test_compares_in_the_system_currency(self, profile, calculated, north, south):
        TransactionFactory(
            profile=profile, location=north, total=1000, currency=CurrencyFactory(rate="0.0067")
        )
        TransactionFactory(profile=profile, location=south, total=10)

        assert calculated(profile).most_spend_location == south

    def test_compares_exact_amounts(self, profile, calculated, north, south):
        TransactionFactory(profile=profile, location=north, total="10")
        TransactionFactory(
            profile=profile, location=south, total="10", currency=CurrencyFactory(rate="0.9999999")
        )

        assert calculated(profile).most_spend_location == north

    def test_of_12_months_leaves_out_what_was_before(self, profile, calculated, north, south):
        shop_at(profile, south, "2024-07-01", total=500)
        shop_at(profile, north, "2025-01-02")

        row = calculated(profile)

        assert row.most_spend_location == south
        assert row.most_spend_12m_location == north

    def test_of_12_months_can_be_missing(self, profile, calculated, south):
        shop_at(profile, south, "2024-07-01", total=500)

        row = calculated(profile)

        assert row.most_spend_location == south
        assert row.most_spend_12m_location is None

    def test_is_missing_where_no_location_is_above_0(self, profile, calculated, north, south):
        shop_at(profile, north, "2025-01-01", total=100)
        shop_at(profile, north, "2025-01-02", total=-100)
        shop_at(profile, south, "2025-01-02", total=-100)

        row = calculated(profile)

        assert row.most_spend_location is None
        assert row.most_spend_12m_location is None

    def test_is_in_a_tie_the_one_of_the_latest_purchase(self, profile, calculated, north, south):
        shop_at(profile, south, "2025-01-01", "2025-03-01", total=50)
        shop_at(profile, north, "2025-02-01", total=100)

        row = calculated(profile)

        assert row.most_spend_location == south
        assert row.most_spend_12m_location == south

    def test_is_in_a_tie_at_one_instant_the_older_location(self, profile, calculated, north, south):
        shop_at(profile, north, "2025-01-01")
        shop_at(profile, south, "2025-01-01")

        row = calculated(profile)

        assert row.most_spend_location == north
        assert row.most_spend_12m_location == north

    def test_is_in_a_tie_decided_by_purchases_not_by_refunds(
        self, profile, calculated, north, south
    ):
        shop_at(profile, south, "2025-01-01", total=100)
        shop_at(profile, north, "2025-02-01", total=100)
        shop_at(profile, south, "2025-03-01", total=0)

        assert calculated(profile).most_spend_location == north

    def test_of_12_months_in_a_tie_looks_at_the_latest_purchase_of_all_time(
        self, profile, calculated, north, south
    ):
        shop_at(profile, north, "2024-08-01", total=100)
        shop_at(profile, south, "2024-09-01", total=100)

        assert calculated(profile).most_spend_12m_location == south


class TestTransactedLocations:
    def test_are_the_names_of_all_with_a_purchase(self, profile, calculated, north, south):
        shop_at(profile, south, "2015-01-01", "2025-01-01")
        shop_at(profile, north, "2025-01-02")

        assert calculated(profile).transacted_locations == ["North", "South"]

    def test_leave_out_those_with_refunds_and_voids_alone(self, profile, calculated, north, south):
        shop_at(profile, south, "2025-01-01")
        shop_at(profile, north, "2025-01-01", total=-5)
        TransactionFactory(profile=profile, location=north, is_void=True)

        assert calculated(profile).transacted_locations == ["South"]

    def test_name_namesakes_once(self, profile, calculated, north):
        shop_at(profile, north, "2025-01-01")
        shop_at(profile, LocationFactory(name="North"), "2025-01-01")

        assert calculated(profile).transacted_locations == ["North"]

    def test_are_sorted_by_code_point(self, profile, calculated):
        for name in ("zoo", "Étoile", "Zoo", "apple", "10 Downing Street"):
            shop_at(profile, LocationFactory(name=name), "2025-01-01")

        assert calculated(profile).transacted_locations == [
            "10 Downing Street",
            "Zoo",
            "apple",
            "zoo",
            "Étoile",
        ]


def test_a_renamed_location_shows_its_new_name(profile, calculated, north):
    shop_at(profile, north, "2025-01-01")
    calculated(profile)
    north.name = "Far north"
    north.save()

    assert calculated(profile).transacted_locations == ["Far north"]

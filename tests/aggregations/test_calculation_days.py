"""The days on which a profile shops: whose calendar cuts them, and how far they lie apart."""

from __future__ import annotations

from datetime import date

import pytest

from profiles.models import Profile
from tests.factories import LocationFactory, ProfileFactory, TransactionFactory, utc


def shop_on(profile: Profile, *dates: str) -> None:
    for each in dates:
        TransactionFactory(profile=profile, at=f"{each} 12:00")


def test_a_profile_without_purchases_has_no_shop_days(profile, calculated):
    TransactionFactory(profile=profile, total=-10)
    TransactionFactory(profile=profile, total=0)
    TransactionFactory(profile=profile, is_void=True)

    row = calculated(profile)

    assert row.total_shop_days == 0
    assert row.shop_days is None
    assert row.first_shop_days is None
    assert row.second_shop_days is None
    assert row.latest_shop_days is None
    assert row.average_shop_days is None
    assert row.second_shop_date is None
    assert row.previous_shop_date is None
    assert row.at_risk_date is None


def test_one_shop_day_has_no_second(profile, calculated):
    shop_on(profile, "2025-03-01")

    row = calculated(profile)

    assert row.total_shop_days == 1
    assert row.shop_days is None
    assert row.second_shop_days is None
    assert row.latest_shop_days is None
    assert row.second_shop_date is None
    assert row.previous_shop_date is None


def test_two_shop_days_are_second_and_latest_to_each_other(profile, calculated):
    shop_on(profile, "2025-03-01", "2025-03-11")

    row = calculated(profile)

    assert (row.second_shop_days, row.latest_shop_days) == (10, 10)
    assert row.second_shop_date == date(2025, 3, 11)
    assert row.previous_shop_date == date(2025, 3, 1)


def test_four_shop_days_in_any_order_of_arrival(profile, calculated):
    shop_on(profile, "2025-04-01", "2025-03-01", "2025-05-15", "2025-03-08")

    row = calculated(profile)

    assert row.total_shop_days == 4
    assert row.second_shop_date == date(2025, 3, 8)
    assert row.second_shop_days == 7
    assert row.previous_shop_date == date(2025, 4, 1)
    assert row.latest_shop_days == 44


def test_several_purchases_of_a_day_are_one_shop_day(profile, calculated):
    shop_on(profile, "2025-03-01", "2025-03-01", "2025-03-05", "2025-03-05", "2025-03-05")

    row = calculated(profile)

    assert row.total_shop_days == 2
    assert row.second_shop_date == date(2025, 3, 5)
    assert row.previous_shop_date == date(2025, 3, 1)
    assert row.latest_shop_days == 4


def test_a_day_on_which_all_was_given_back_is_a_shop_day(profile, calculated):
    shop_on(profile, "2025-03-01", "2025-03-05")
    TransactionFactory(profile=profile, at="2025-03-05 13:00", total=-100)

    row = calculated(profile)

    assert row.total_shop_days == 2
    assert row.second_shop_date == date(2025, 3, 5)


def test_a_day_with_refunds_alone_is_none(profile, calculated):
    shop_on(profile, "2025-03-01", "2025-03-05")
    TransactionFactory(profile=profile, at="2025-03-09 13:00", total=-100)

    assert calculated(profile).total_shop_days == 2


class TestAverageBetweenPurchases:
    def test_divides_by_the_gaps_between_purchases(self, profile, calculated):
        shop_on(profile, "2025-03-01", "2025-03-02", "2025-03-21")

        assert calculated(profile).shop_days == 10

    def test_of_two_purchases_in_a_day_is_0(self, profile, calculated):
        shop_on(profile, "2025-03-01", "2025-03-01")

        assert calculated(profile).shop_days == 0

    def test_counts_a_second_purchase_of_the_day_as_a_gap(self, profile, calculated):
        shop_on(profile, "2025-03-01", "2025-03-01", "2025-03-21")

        assert calculated(profile).shop_days == 10

    @pytest.mark.parametrize(
        ("last", "days"), [("2025-03-02", 1), ("2025-03-03", 1), ("2025-03-04", 2)]
    )
    def test_rounds_half_up(self, profile, calculated, last, days):
        shop_on(profile, "2025-03-01", "2025-03-01", last)

        assert calculated(profile).shop_days == days

    def test_rounds_less_than_half_down(self, profile, calculated):
        shop_on(profile, "2025-03-01", "2025-03-01", "2025-03-01", "2025-03-02")

        assert calculated(profile).shop_days == 0


class TestAverageShopDays:
    def test_is_missing_below_three_shop_days(self, profile, calculated):
        shop_on(profile, "2025-03-01", "2025-03-05", "2025-03-05")

        row = calculated(profile)

        assert row.average_shop_days is None
        assert row.at_risk_date is None

    def test_divides_by_the_number_of_shop_days(self, profile, calculated):
        shop_on(profile, "2025-03-01", "2025-03-02", "2025-03-31", "2025-03-31")

        row = calculated(profile)

        assert row.average_shop_days == 10
        assert row.shop_days == 10

    def test_differs_from_the_average_between_purchases(self, profile, calculated):
        shop_on(profile, "2025-03-01", "2025-03-11", "2025-03-31")

        row = calculated(profile)

        assert row.average_shop_days == 10
        assert row.shop_days == 15

    @pytest.mark.parametrize(("last", "days"), [("2025-03-10", 2), ("2025-03-11", 3)])
    def test_of_four_shop_days_rounds_half_up(self, profile, calculated, last, days):
        shop_on(profile, "2025-03-01", "2025-03-04", "2025-03-05", last)

        assert calculated(profile).average_shop_days == days

    def test_puts_the_profile_at_risk_three_of_them_after_the_last(self, profile, calculated):
        shop_on(profile, "2024-01-01", "2024-01-05", "2024-01-31")

        row = calculated(profile)

        assert row.average_shop_days == 10
        assert row.at_risk_date == date(2024, 3, 1)

    def test_is_rounded_before_it_is_tripled(self, profile, calculated):
        shop_on(profile, "2025-03-01", "2025-03-02", "2025-03-05")

        row = calculated(profile)

        assert row.average_shop_days == 1
        assert row.at_risk_date == date(2025, 3, 8)


class TestFirstShopDays:
    def test_counts_from_joining(self, db, calculated):
        profile = ProfileFactory(joined_at=utc("2025-01-15 23:00"))
        TransactionFactory(profile=profile, at="2025-01-20 01:00")

        assert calculated(profile).first_shop_days == 5

    def test_is_0_on_the_day_of_joining(self, db, calculated):
        profile = ProfileFactory(joined_at=utc("2025-01-15 23:00"))
        TransactionFactory(profile=profile, at="2025-01-15 01:00")

        assert calculated(profile).first_shop_days == 0

    def test_is_0_for_purchases_before_joining(self, db, calculated):
        profile = ProfileFactory(joined_at=utc("2025-01-15 23:00"))
        shop_on(profile, "2024-12-01")

        assert calculated(profile).first_shop_days == 0

    def test_counts_from_the_creation_where_no_joining_is_named(self, db, calculated):
        profile = ProfileFactory()
        Profile.objects.filter(pk=profile.pk).update(created_at=utc("2025-01-15 23:00"))
        shop_on(profile, "2025-02-15")

        assert calculated(profile).first_shop_days == 31

    def test_takes_the_day_of_joining_in_utc_and_of_shopping_where_it_was(self, db, calculated):
        profile = ProfileFactory(joined_at=utc("2025-01-15 20:00"))
        TransactionFactory(profile=profile, at="2025-01-15 20:30", timezone="Australia/Melbourne")

        assert calculated(profile).first_shop_days == 1


class TestWhoseCalendar:
    """Two purchases an hour apart: a midnight between them makes two days of them."""

    def days(self, profile, calculated, *moments: str, **facts) -> int:
        for at in moments:
            TransactionFactory(profile=profile, at=at, **facts)
        return calculated(profile).total_shop_days

    def test_is_utcs_where_nothing_else_is_said(self, profile, calculated):
        assert self.days(profile, calculated, "2025-03-01 23:59:59", "2025-03-02 00:00") == 2

    def test_is_the_transactions_own(self, profile, calculated):
        moments = ("2025-03-01 23:59:59", "2025-03-02 00:00")
        assert self.days(profile, calculated, *moments, timezone="America/New_York") == 1

    def test_is_else_the_locations(self, profile, calculated):
        moments = ("2025-03-01 23:59:59", "2025-03-02 00:00")
        store = LocationFactory(timezone="America/New_York")
        assert self.days(profile, calculated, *moments, location=store) == 1

    def test_is_utcs_where_the_location_names_none(self, profile, calculated):
        moments = ("2025-03-01 23:59:59", "2025-03-02 00:00")
        assert self.days(profile, calculated, *moments, location=LocationFactory()) == 2

    def test_is_the_transactions_own_before_the_locations(self, profile, calculated):
        store = LocationFactory(timezone="America/New_York")
        moments = ("2025-03-01 12:59:59", "2025-03-01 13:00")  # midnight in Melbourne, summer
        facts = {"location": store, "timezone": "Australia/Melbourne"}
        assert self.days(profile, calculated, *moments, **facts) == 2

    @pytest.mark.parametrize(
        ("timezone", "before", "midnight"),
        [
            ("Australia/Melbourne", "2025-01-01 12:59:59.999999", "2025-01-01 13:00"),
            ("Australia/Melbourne", "2025-07-01 13:59:59.999999", "2025-07-01 14:00"),
            # Daylight saving ends on 6 April and begins on 5 October, between two midnights.
            ("Australia/Melbourne", "2025-04-05 12:59:59.999999", "2025-04-05 13:00"),
            ("Australia/Melbourne", "2025-04-06 13:59:59.999999", "2025-04-06 14:00"),
            ("Australia/Melbourne", "2025-10-04 13:59:59.999999", "2025-10-04 14:00"),
            ("Australia/Melbourne", "2025-10-05 12:59:59.999999", "2025-10-05 13:00"),
            ("America/New_York", "2025-03-09 04:59:59.999999", "2025-03-09 05:00"),
            ("America/New_York", "2025-03-10 03:59:59.999999", "2025-03-10 04:00"),
            ("America/New_York", "2025-11-02 03:59:59.999999", "2025-11-02 04:00"),
            ("America/New_York", "2025-11-03 04:59:59.999999", "2025-11-03 05:00"),
            ("Asia/Kathmandu", "2025-03-01 18:14:59.999999", "2025-03-01 18:15"),
            ("Pacific/Kiritimati", "2025-03-01 09:59:59.999999", "2025-03-01 10:00"),
        ],
    )
    def test_changes_the_date_at_midnight_by_its_clocks(
        self, profile, calculated, timezone, before, midnight
    ):
        assert self.days(profile, calculated, before, midnight, timezone=timezone) == 2

    @pytest.mark.parametrize(
        ("timezone", "first", "last"),
        [
            # The days of 25 and of 23 hours, from midnight to midnight
            ("Australia/Melbourne", "2025-04-05 13:00", "2025-04-06 13:59:59.999999"),
            ("Australia/Melbourne", "2025-10-04 14:00", "2025-10-05 12:59:59.999999"),
            ("America/New_York", "2025-03-09 05:00", "2025-03-10 03:59:59.999999"),
            ("America/New_York", "2025-11-02 04:00", "2025-11-03 04:59:59.999999"),
        ],
    )
    def test_has_one_date_for_a_day_that_is_longer_or_shorter(
        self, profile, calculated, timezone, first, last
    ):
        assert self.days(profile, calculated, first, last, timezone=timezone) == 1

    def test_may_put_a_later_purchase_on_an_earlier_date(self, profile, calculated):
        TransactionFactory(profile=profile, at="2025-03-01 20:00", timezone="Australia/Melbourne")
        TransactionFactory(profile=profile, at="2025-03-01 21:00", timezone="America/New_York")

        row = calculated(profile)

        assert row.previous_shop_date == date(2025, 3, 1)
        assert row.second_shop_date == date(2025, 3, 2)
        assert row.shop_days == 1

    def test_counts_a_leap_day(self, profile, calculated):
        shop_on(profile, "2024-02-28", "2024-02-29", "2024-03-01")

        row = calculated(profile)

        assert row.total_shop_days == 3
        assert (row.second_shop_days, row.latest_shop_days) == (1, 1)

"""How often, how lately and by which channel a profile shops, and how long it has been known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from profiles.models import Profile
from tests.factories import CurrencyFactory, ProfileFactory, TransactionFactory, utc


class TestShopCount:
    def test_is_0_without_transactions(self, profile, calculated):
        assert calculated(profile).shop_count == 0

    def test_counts_every_purchase_of_a_day(self, profile, calculated):
        for at in ("2025-06-01 09:00", "2025-06-01 09:00", "2025-06-01 17:00"):
            TransactionFactory(profile=profile, at=at)

        assert calculated(profile).shop_count == 3

    def test_leaves_out_refunds_voids_and_totals_of_0(self, profile, calculated):
        TransactionFactory(profile=profile, total="0.01")
        TransactionFactory(profile=profile, total=0)
        TransactionFactory(profile=profile, total="-0.01")
        TransactionFactory(profile=profile, total=50, is_void=True)

        assert calculated(profile).shop_count == 1

    def test_keeps_a_purchase_that_was_given_back_later(self, profile, calculated):
        TransactionFactory(profile=profile, at="2025-06-01 09:00", total=50)
        TransactionFactory(profile=profile, at="2025-06-01 10:00", total=-50)

        assert calculated(profile).shop_count == 1


class TestFrequency:
    @pytest.mark.parametrize(("purchases", "code"), [(0, "F0"), (1, "F1"), (2, "F2"), (3, "FH")])
    def test_counts_purchases_up_to_two(self, profile, calculated, purchases, code):
        for number in range(purchases):
            TransactionFactory(profile=profile, at=f"2025-0{number + 1}-01 12:00")

        assert calculated(profile).dimension_frequency == code

    @pytest.mark.parametrize(
        ("dates", "code"),
        [
            (["2025-01-01", "2025-01-02", "2025-03-02"], "FH"),  # 60 days by two gaps
            (["2025-01-01", "2025-01-02", "2025-03-03"], "FL"),  # 61
            (["2025-01-01", "2025-01-31", "2025-03-02", "2025-04-01"], "FH"),  # gaps of 30
            (["2025-01-01", "2025-01-31", "2025-03-02", "2025-04-02"], "FL"),  # 91 by three
        ],
    )
    def test_from_three_is_low_when_the_average_gap_exceeds_30_days(
        self, profile, calculated, dates, code
    ):
        for date in dates:
            TransactionFactory(profile=profile, at=f"{date} 12:00")

        assert calculated(profile).dimension_frequency == code

    def test_divides_by_purchases_not_by_days_on_which_they_were_made(self, profile, calculated):
        for at in ("2025-01-01 09:00", "2025-01-01 10:00", "2025-03-02 09:00"):
            TransactionFactory(profile=profile, at=at)

        assert calculated(profile).dimension_frequency == "FH"

    def test_counts_days_between_shop_dates_not_between_instants(self, profile, calculated):
        for at in ("2025-01-01 00:00", "2025-01-02 00:00", "2025-03-02 23:59:59"):
            TransactionFactory(profile=profile, at=at)

        assert calculated(profile).dimension_frequency == "FH"


class TestRecency:
    def test_is_r0_without_a_purchase(self, profile, calculated):
        TransactionFactory(profile=profile, total=-10)
        TransactionFactory(profile=profile, total=0)
        TransactionFactory(profile=profile, is_void=True)

        assert calculated(profile).dimension_recency == "R0"

    @pytest.mark.parametrize(
        ("at", "code"),
        [
            ("2025-07-01 11:59", "RC"),
            ("2025-04-01 12:00:00.000001", "RC"),
            ("2025-04-01 12:00:00", "RS"),
            ("2025-01-01 12:00:00.000001", "RS"),
            ("2025-01-01 12:00:00", "RA"),
            ("2024-07-01 12:00:00.000001", "RA"),
            ("2024-07-01 12:00:00", "RI"),
            ("2001-01-01 12:00", "RI"),
            ("2025-12-24 12:00", "RC"),
        ],
    )
    def test_goes_by_3_6_and_12_months_since_the_latest_purchase(
        self, profile, calculated, at, code
    ):
        TransactionFactory(profile=profile, at=at)

        assert calculated(profile).dimension_recency == code

    def test_is_that_of_the_latest_purchase(self, profile, calculated):
        TransactionFactory(profile=profile, at="2025-02-01 12:00")
        TransactionFactory(profile=profile, at="2020-02-01 12:00")

        assert calculated(profile).dimension_recency == "RS"

    def test_takes_no_notice_of_a_later_refund(self, profile, calculated):
        TransactionFactory(profile=profile, at="2025-02-01 12:00")
        TransactionFactory(profile=profile, at="2025-06-30 12:00", total=-10)

        assert calculated(profile).dimension_recency == "RS"

    @pytest.mark.parametrize(
        ("at", "code"), [("2025-02-28 08:00", "RS"), ("2025-02-28 08:00:00.000001", "RC")]
    )
    def test_counts_back_from_31_may_to_28_february(self, profile, calculated, at, code):
        TransactionFactory(profile=profile, at=at)

        assert calculated(profile, at=utc("2025-05-31 08:00")).dimension_recency == code

    def test_counts_months_in_utc_not_in_the_purchases_time_zone(self, profile, calculated):
        # 1 April, 23:30 in Melbourne: by its own calendar three months are not yet over.
        TransactionFactory(profile=profile, at="2025-04-01 11:30", timezone="Australia/Melbourne")

        assert calculated(profile).dimension_recency == "RS"


class TestJoin:
    @pytest.mark.parametrize(
        ("days", "code"),
        [
            (0, "JN"),
            (90, "JN"),
            (91, "JC"),
            (365, "JC"),
            (366, "J1"),
            (730, "J1"),
            (731, "J2"),
            (1095, "J2"),
            (1096, "J3"),
            (3650, "J9"),
            (3651, "J10"),
            (-30, "JN"),
        ],
    )
    def test_goes_by_days_since_joining(self, db, calculated, moment, days, code):
        profile = ProfileFactory(joined_at=moment - timedelta(days=days))

        assert calculated(profile).dimension_join == code

    @pytest.mark.parametrize(("days", "code"), [(91, "JN"), (366, "JC"), (731, "J1")])
    def test_counts_whole_days(self, db, calculated, moment, days, code):
        almost = timedelta(days=days) - timedelta(microseconds=1)
        profile = ProfileFactory(joined_at=moment - almost)

        assert calculated(profile).dimension_join == code

    def test_counts_leap_days(self, db, calculated):
        profile = ProfileFactory(joined_at=utc("2024-02-01 00:00"))

        assert calculated(profile, at=utc("2025-01-31 00:00")).dimension_join == "JC"
        assert calculated(profile, at=utc("2025-02-01 00:00")).dimension_join == "J1"

    def test_takes_the_creation_where_the_profile_names_no_joining(self, db, calculated):
        profile = ProfileFactory()
        Profile.objects.filter(pk=profile.pk).update(created_at=utc("2025-04-01 12:00"))

        assert calculated(profile, at=utc("2025-06-30 12:00")).dimension_join == "JN"
        assert calculated(profile, at=utc("2025-07-01 12:00")).dimension_join == "JC"

    def test_of_someone_known_for_longer_than_a_life_has_a_code(self, db, calculated):
        profile = ProfileFactory(joined_at=utc("1900-01-01 00:00"))

        assert calculated(profile).dimension_join == "J125"


class TestChannel:
    @pytest.mark.parametrize(
        ("systems", "code"),
        [
            ([], None),
            ([["kiosk"]], None),
            ([["pos"]], "CF"),
            ([["web"]], "CO"),
            ([["pos", "web"]], "CM"),
            ([["pos"], ["web"]], "CM"),
            ([["pos"], []], "CF"),
            ([["kiosk", "web"], ["web"]], "CO"),
            ([["POS"], ["website"]], None),
        ],
    )
    def test_is_made_of_the_systems_of_all_purchases(self, profile, calculated, systems, code):
        for each in systems:
            TransactionFactory(profile=profile, systems=each)

        assert calculated(profile).channel == code

    def test_does_not_look_at_refunds_and_voids(self, profile, calculated):
        TransactionFactory(profile=profile, systems=["pos"])
        TransactionFactory(profile=profile, systems=["web"], total=-10)
        TransactionFactory(profile=profile, systems=["web"], total=0)
        TransactionFactory(profile=profile, systems=["web"], is_void=True)

        assert calculated(profile).channel == "CF"

    def test_counts_a_purchase_of_the_distant_past_and_in_any_currency(self, profile, calculated):
        TransactionFactory(profile=profile, systems=["pos"], at="2001-01-01 12:00")
        TransactionFactory(profile=profile, systems=["web"], currency=CurrencyFactory())

        assert calculated(profile).channel == "CM"

"""What a profile spent: windows, refunds, voids, currencies, discounts and the latest purchase.

The calculations are of 1 July 2025, noon, so that the last 12 months begin on 1 July 2024, noon.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from profiles.models import Transaction
from tests.factories import CurrencyFactory, ProfileFactory, TransactionFactory, utc


def test_a_profile_without_transactions_spent_0(profile, calculated):
    row = calculated(profile)

    assert (row.spend_12m, row.spend_12m_now, row.spend_all) == (0, 0, 0)


def test_a_profile_without_transactions_has_no_averages_dates_or_latest_purchase(
    profile, calculated
):
    row = calculated(profile)

    assert row.spend_atv_12m is None
    assert row.spend_atv_all is None
    assert row.discount_avg is None
    assert row.spend_first_date is None
    assert row.spend_last_date is None
    assert row.latest_shop_spend is None
    assert row.latest_shop_currency is None


def test_spend_adds_up_the_transactions_of_its_window(profile, calculated):
    TransactionFactory(profile=profile, at="2025-06-01 12:00", total="20.50")
    TransactionFactory(profile=profile, at="2024-12-01 12:00", total="10.25")
    TransactionFactory(profile=profile, at="2023-06-01 12:00", total="100")

    row = calculated(profile)

    assert row.spend_12m == Decimal("30.75")
    assert row.spend_12m_now == Decimal("30.75")
    assert row.spend_all == Decimal("130.75")


def test_spend_leaves_out_other_profiles(profile, calculated):
    TransactionFactory(profile=profile, total=10)
    TransactionFactory(profile=ProfileFactory(), total=99)

    assert calculated(profile).spend_all == 10


def test_a_refund_is_taken_off_the_spend(profile, calculated):
    TransactionFactory(profile=profile, at="2025-05-01 12:00", total=100)
    TransactionFactory(profile=profile, at="2025-05-02 12:00", total="-30.01")

    row = calculated(profile)

    assert row.spend_12m == Decimal("69.99")
    assert row.spend_all == Decimal("69.99")


def test_refunds_alone_make_a_negative_spend(profile, calculated):
    TransactionFactory(profile=profile, total="-30")

    assert calculated(profile).spend_all == -30


def test_a_void_transaction_does_not_count(profile, calculated):
    TransactionFactory(profile=profile, at="2025-05-01 12:00", total=100)
    TransactionFactory(profile=profile, at="2025-05-02 12:00", total=999, is_void=True)

    row = calculated(profile)

    assert (row.spend_12m, row.spend_all, row.spend_atv_all) == (100, 100, 100)
    assert row.spend_last_date == utc("2025-05-01 12:00")


def test_a_purchase_given_back_in_full_leaves_a_spend_of_0(profile, calculated):
    TransactionFactory(profile=profile, total="59.90")
    TransactionFactory(profile=profile, total="-59.90")

    row = calculated(profile)

    assert (row.spend_all, row.spend_atv_all) == (0, 0)


@pytest.mark.parametrize(
    ("at", "spend"),
    [
        ("2024-07-01 12:00:00", 0),
        ("2024-07-01 12:00:00.000001", 100),
        ("2024-07-01 11:59:59.999999", 0),
    ],
)
def test_a_transaction_is_in_the_12_months_when_later_than_their_start(
    profile, calculated, at, spend
):
    TransactionFactory(profile=profile, at=at)

    assert calculated(profile).spend_12m == spend


@pytest.mark.parametrize(
    ("at", "spend"), [("2023-02-28 12:00", 0), ("2023-02-28 12:00:00.000001", 100)]
)
def test_12_months_before_29_february_is_28_february(profile, calculated, at, spend):
    TransactionFactory(profile=profile, at=at)

    assert calculated(profile, at=utc("2024-02-29 12:00")).spend_12m == spend


def test_29_february_is_within_12_months_of_28_february(profile, calculated):
    TransactionFactory(profile=profile, at="2024-02-29 00:00")

    assert calculated(profile, at=utc("2025-02-28 23:59:59")).spend_12m == 100
    assert calculated(profile, at=utc("2025-03-01 00:00")).spend_12m == 0


def test_a_transaction_of_the_future_counts(profile, calculated):
    TransactionFactory(profile=profile, at="2025-12-24 12:00")

    row = calculated(profile)

    assert (row.spend_12m, row.spend_all, row.shop_count) == (100, 100, 1)


def test_the_average_is_net_spend_per_purchase(profile, calculated):
    TransactionFactory(profile=profile, at="2023-01-01 12:00", total=40)
    TransactionFactory(profile=profile, at="2025-01-01 12:00", total=100)
    TransactionFactory(profile=profile, at="2025-02-01 12:00", total=20)
    TransactionFactory(profile=profile, at="2025-02-02 12:00", total=-10)

    row = calculated(profile)

    assert row.spend_atv_12m == 55
    assert row.spend_atv_all == 50


def test_the_average_of_12_months_without_a_purchase_is_missing(profile, calculated):
    TransactionFactory(profile=profile, at="2023-01-01 12:00", total=40)
    TransactionFactory(profile=profile, at="2025-02-02 12:00", total=-10)

    row = calculated(profile)

    assert row.spend_12m == -10
    assert row.spend_atv_12m is None
    assert row.spend_atv_all == 30


def test_a_transaction_of_0_is_no_purchase_in_the_average(profile, calculated):
    TransactionFactory(profile=profile, total=30)
    TransactionFactory(profile=profile, total=0)

    assert calculated(profile).spend_atv_all == 30


def test_averages_round_half_away_from_zero(profile, calculated):
    TransactionFactory(profile=profile, total="0.01")
    TransactionFactory(profile=profile, total="0.02")
    other = ProfileFactory()
    TransactionFactory(profile=other, total="0.01")
    TransactionFactory(profile=other, total="0.02")
    TransactionFactory(profile=other, total="-0.06")

    assert calculated(profile).spend_atv_all == Decimal("0.02")
    assert calculated(other).spend_atv_all == Decimal("-0.02")


class TestFirstAndLastDate:
    def test_are_those_of_the_first_and_last_transaction(self, profile, calculated):
        TransactionFactory(profile=profile, at="2025-02-01 12:00")
        TransactionFactory(profile=profile, at="2020-12-07 13:04:30")
        TransactionFactory(profile=profile, at="2025-01-01 12:00")

        row = calculated(profile)

        assert row.spend_first_date == utc("2020-12-07 13:04:30")
        assert row.spend_last_date == utc("2025-02-01 12:00")

    def test_count_refunds_and_transactions_of_0(self, profile, calculated):
        TransactionFactory(profile=profile, at="2025-01-01 12:00", total=0)
        TransactionFactory(profile=profile, at="2025-02-01 12:00")
        TransactionFactory(profile=profile, at="2025-03-01 12:00", total=-5)

        row = calculated(profile)

        assert row.spend_first_date == utc("2025-01-01 12:00")
        assert row.spend_last_date == utc("2025-03-01 12:00")

    def test_are_in_utc_whatever_the_transactions_time_zone(self, profile, calculated):
        TransactionFactory(profile=profile, at="2025-01-01 20:00", timezone="Australia/Melbourne")

        row = calculated(profile)

        assert row.spend_first_date == utc("2025-01-01 20:00")
        assert row.spend_first_date.utcoffset().total_seconds() == 0


class TestCurrencies:
    def test_amounts_are_turned_into_the_system_currency(self, profile, calculated):
        TransactionFactory(profile=profile, total=100, currency=CurrencyFactory(rate="0.65"))
        TransactionFactory(profile=profile, total=1000, currency=CurrencyFactory(rate="0.0067"))
        TransactionFactory(profile=profile, total=10)

        assert calculated(profile).spend_all == Decimal("81.70")

    def test_a_new_rate_is_not_for_transactions_that_are_saved_already(self, profile, calculated):
        currency = CurrencyFactory(rate="2")
        saved = TransactionFactory(profile=profile, total=10, currency=currency)
        currency.rate = 3
        currency.save()
        Transaction.objects.get(pk=saved.pk).save()
        TransactionFactory(profile=profile, total=10, currency=currency)

        assert calculated(profile).spend_all == 50

    def test_amounts_are_added_before_they_are_rounded(self, profile, calculated):
        third = CurrencyFactory(rate="0.33333333")
        for _ in range(3):
            TransactionFactory(profile=profile, total="0.01", currency=third)

        assert calculated(profile).spend_all == Decimal("0.01")

    def test_a_sum_is_rounded_half_away_from_zero(self, profile, calculated):
        half = CurrencyFactory(rate="0.5")
        TransactionFactory(profile=profile, total="0.01", currency=half)
        other = ProfileFactory()
        TransactionFactory(profile=other, total="-0.01", currency=half)

        assert calculated(profile).spend_all == Decimal("0.01")
        assert calculated(other).spend_all == Decimal("-0.01")

    def test_a_purchase_too_small_to_show_is_a_purchase(self, profile, calculated):
        TransactionFactory(profile=profile, total="0.01", currency=CurrencyFactory(rate="0.0001"))

        row = calculated(profile)

        assert (row.spend_all, row.shop_count) == (0, 1)


class TestDiscount:
    def test_is_the_part_of_the_original_total_that_was_not_paid(self, profile, calculated):
        TransactionFactory(profile=profile, total=75, total_original=100)

        assert calculated(profile).discount_avg == 25

    def test_counts_each_purchase_the_same_whatever_its_size(self, profile, calculated):
        TransactionFactory(profile=profile, total=50, total_original=100)
        TransactionFactory(profile=profile, total=1000, total_original=1000)

        assert calculated(profile).discount_avg == 25

    def test_has_2_decimals(self, profile, calculated):
        TransactionFactory(profile=profile, total=2, total_original=3)

        assert calculated(profile).discount_avg == Decimal("33.33")

    def test_leaves_out_purchases_without_an_original_total_above_0(self, profile, calculated):
        TransactionFactory(profile=profile, total=90, total_original=100)
        TransactionFactory(profile=profile, total=90)
        TransactionFactory(profile=profile, total=90, total_original=0)
        TransactionFactory(profile=profile, total=90, total_original=-5)

        assert calculated(profile).discount_avg == 10

    def test_leaves_out_refunds_and_voids(self, profile, calculated):
        TransactionFactory(profile=profile, total=90, total_original=100)
        TransactionFactory(profile=profile, total=-50, total_original=100)
        TransactionFactory(profile=profile, total=0, total_original=100)
        TransactionFactory(profile=profile, total=10, total_original=100, is_void=True)

        assert calculated(profile).discount_avg == 10

    def test_is_missing_where_no_purchase_states_an_original_total(self, profile, calculated):
        TransactionFactory(profile=profile, total=90)

        assert calculated(profile).discount_avg is None

    def test_is_below_0_where_more_was_paid(self, profile, calculated):
        TransactionFactory(profile=profile, total=110, total_original=100)

        assert calculated(profile).discount_avg == -10

    def test_rounds_half_away_from_zero(self, profile, calculated):
        TransactionFactory(profile=profile, total="99.99", total_original="100")
        TransactionFactory(profile=profile, total="100", total_original="100")
        other = ProfileFactory()
        TransactionFactory(profile=other, total="100.01", total_original="100")
        TransactionFactory(profile=other, total="100", total_original="100")

        assert calculated(profile).discount_avg == Decimal("0.01")
        assert calculated(other).discount_avg == Decimal("-0.01")

    def test_is_of_the_totals_in_their_own_currency(self, profile, calculated):
        TransactionFactory(
            profile=profile, total=80, total_original=100, currency=CurrencyFactory(rate="0.5")
        )

        assert calculated(profile).discount_avg == 20


class TestLatestPurchase:
    def test_is_the_one_made_last_in_its_own_currency(self, profile, calculated):
        currency = CurrencyFactory(rate="0.5")
        TransactionFactory(profile=profile, at="2025-06-02 12:00", total=70, currency=currency)
        TransactionFactory(profile=profile, at="2025-06-01 12:00", total=90)

        row = calculated(profile)

        assert row.latest_shop_spend == 70
        assert row.latest_shop_currency == currency

    def test_is_no_refund_and_no_void(self, profile, calculated):
        TransactionFactory(profile=profile, at="2025-06-01 12:00", total=70)
        TransactionFactory(profile=profile, at="2025-06-02 12:00", total=-20)
        TransactionFactory(profile=profile, at="2025-06-03 12:00", total=0)
        TransactionFactory(profile=profile, at="2025-06-04 12:00", total=20, is_void=True)

        assert calculated(profile).latest_shop_spend == 70

    def test_has_no_currency_where_it_names_none(self, profile, calculated):
        TransactionFactory(profile=profile, at="2025-06-01 12:00", currency=CurrencyFactory())
        TransactionFactory(profile=profile, at="2025-06-02 12:00", total=80)

        row = calculated(profile)

        assert row.latest_shop_spend == 80
        assert row.latest_shop_currency is None

    def test_of_several_at_one_instant_is_the_one_recorded_last(self, profile, calculated):
        TransactionFactory(profile=profile, total=90, currency=CurrencyFactory())
        TransactionFactory(profile=profile, total=10, currency=(last := CurrencyFactory()))

        row = calculated(profile)

        assert row.latest_shop_spend == 10
        assert row.latest_shop_currency == last

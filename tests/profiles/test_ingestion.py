"""Sales come in as a set: each row has its effect, in its order, whatever else is among them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aggregations import outbox
from aggregations.models import RecalculationRequest
from locations.models import Brand, Location
from profiles.ingestion import Outcome, Posted, Status, delete_transaction, upsert_transactions
from profiles.models import Currency, Profile, Transaction, TransactionItem
from profiles.signals import history_changed
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
    IdentityFactory,
    LocationFactory,
    ProfileFactory,
    TransactionFactory,
    TransactionItemFactory,
    utc,
)
from tests.oracle.agreement import differences
from tests.waiting import forget_who_waits, who_waits, work_off

pytestmark = pytest.mark.django_db

ACCEPTED_AT = utc("2025-06-30 08:05")

Upsert = Callable[..., list[Outcome]]


def upsert(*bodies: Any, is_live: bool = True) -> list[Outcome]:
    return upsert_transactions(
        [Posted(body=body, accepted_at=ACCEPTED_AT) for body in bodies], is_live=is_live
    )


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory(email="Ann@example.com")


@pytest.fixture
def sale(profile: Profile) -> Callable[..., dict[str, Any]]:
    """Return the function that makes the body of a sale of the profile."""

    def body(**fields: Any) -> dict[str, Any]:
        return {"profile_id": str(profile.id), "total": 10} | fields

    return body


@pytest.fixture
def stored(profile: Profile) -> Transaction:
    """A transaction that is there, with nothing waiting for a recalculation."""
    stored = TransactionFactory(profile=profile, external_id="T-1", total=100)
    forget_who_waits()
    return stored


def refreshed(row: Transaction) -> Transaction:
    return Transaction.objects.get(pk=row.pk)


class TestWhichTransaction:
    def test_one_that_nobody_knows_is_created(self, sale):
        [outcome] = upsert(sale(external_id="T-1"))

        created = Transaction.objects.get()
        assert outcome == Outcome(Status.CREATED, id=created.id, external_id="T-1")

    def test_one_is_found_by_its_external_id(self, sale, stored):
        [outcome] = upsert(sale(external_id="T-1", total=20))

        assert outcome == Outcome(Status.UPDATED, id=stored.id, external_id="T-1")
        assert Transaction.objects.get().total == 20

    def test_one_is_else_found_by_its_id(self, sale, stored):
        [outcome] = upsert(sale(id=stored.id, external_id="T-2", total=20))

        assert outcome == Outcome(Status.UPDATED, id=stored.id, external_id="T-2")
        assert Transaction.objects.get().external_id == "T-2"

    def test_the_external_id_goes_before_the_id(self, sale, stored):
        other = TransactionFactory(external_id="T-2")

        [outcome] = upsert(sale(id=other.id, external_id="T-1", total=20))

        assert outcome.id == stored.id
        assert refreshed(other).total == 100

    def test_an_id_that_nobody_has_makes_a_new_one_with_an_id_of_its_own(self, sale):
        [outcome] = upsert(sale(id=4711))

        assert outcome.status == Status.CREATED
        assert outcome.id != 4711

    def test_a_body_without_either_makes_a_new_one_each_time(self, sale):
        upsert(sale())
        upsert(sale())

        assert Transaction.objects.count() == 2

    def test_two_rows_of_one_external_id_have_their_effect_in_their_order(self, sale):
        first, second = upsert(
            sale(external_id="T-1", total=10, receipt_ref="R"), sale(external_id="T-1", total=20)
        )

        only = Transaction.objects.get()
        assert (only.total, only.receipt_ref) == (20, "R")
        assert [first.status, second.status] == [Status.CREATED, Status.UPDATED]
        assert first.id == second.id == only.id

    def test_an_external_id_that_one_row_gives_up_can_be_taken_by_the_next(self, stored):
        other = TransactionFactory(external_id="T-2")

        upsert({"id": stored.id, "external_id": "T-3"}, {"id": other.id, "external_id": "T-1"})

        assert refreshed(stored).external_id == "T-3"
        assert refreshed(other).external_id == "T-1"


class TestWhatIsWritten:
    def test_every_field_that_is_given(self, profile):
        location = LocationFactory()

        upsert(
            {
                "profile_id": str(profile.id),
                "external_id": "T-1",
                "receipt_ref": "R-1",
                "location_id": location.id,
                "total": 12.5,
                "total_original": 20,
                "rounding": -0.02,
                "margin": 3.1,
                "currency": "USD",
                "systems": ["pos", "web"],
                "tags": ["sale"],
                "timezone": "Australia/Melbourne",
                "transacted_at": "2025-06-30T23:30:00+10:00",
                "is_void": True,
                "meta": {"till": 4, "ratio": 0.1, "deep": [None, {"a": "ü"}]},
            }
        )

        row = Transaction.objects.values().get()
        for derived in ("id", "created_at", "updated_at", "is_purchase", "amount", "channels"):
            del row[derived]
        assert row == {
            "profile_id": profile.id,
            "external_id": "T-1",
            "receipt_ref": "R-1",
            "location_id": location.id,
            "total": Decimal("12.50"),
            "total_original": Decimal("20.00"),
            "rounding": Decimal("-0.02"),
            "margin": Decimal("3.10"),
            "currency_id": Currency.objects.get().id,
            "currency_rate": 1,
            "systems": ["pos", "web"],
            "tags": ["sale"],
            "timezone": "Australia/Melbourne",
            "shop_timezone": "Australia/Melbourne",
            "shop_date": utc("2025-06-30").date(),
            "transacted_at": utc("2025-06-30 13:30"),
            "is_void": True,
            "meta": {"till": 4, "ratio": 0.1, "deep": [None, {"a": "ü"}]},
        }

    def test_what_is_left_out_of_a_new_one_is_what_the_model_says(self, profile, sale):
        upsert(sale())

        made = Transaction.objects.get()
        fresh = Transaction(profile=profile, total=10)
        for field in ("external_id", "location_id", "currency_id", "systems", "tags", "meta"):
            assert getattr(made, field) == getattr(fresh, field)
        assert (made.currency_rate, made.is_void, made.timezone) == (1, False, None)

    def test_one_that_does_not_say_when_was_made_when_it_was_accepted(self, sale):
        upsert(sale())

        assert Transaction.objects.get().transacted_at == ACCEPTED_AT

    def test_what_is_left_out_of_a_known_one_stays(self, stored):
        upsert({"external_id": "T-1", "receipt_ref": "R-1"})

        after = refreshed(stored)
        assert after.receipt_ref == "R-1"
        assert (after.total, after.profile_id) == (100, stored.profile_id)
        assert after.transacted_at == stored.transacted_at

    def test_null_takes_away(self, stored):
        Transaction.objects.update(receipt_ref="R-1", timezone="Australia/Melbourne")

        upsert({"external_id": "T-1", "receipt_ref": None, "timezone": None})

        after = refreshed(stored)
        assert (after.receipt_ref, after.timezone, after.shop_timezone) == (None, None, "UTC")

    def test_a_row_that_changes_nothing_writes_nothing(self, sale, stored):
        before = Transaction.objects.values().get()

        [outcome] = upsert(sale(external_id="T-1", total=100))

        assert outcome.status == Status.UPDATED
        assert Transaction.objects.values().get() == before
        assert who_waits() == set()

    @pytest.mark.parametrize("other", [True, 1.0, "1", [1]])
    def test_what_only_python_takes_for_the_same_is_a_change(self, stored, other):
        upsert({"external_id": "T-1", "meta": {"a": 1}})

        upsert({"external_id": "T-1", "meta": {"a": other}})

        assert repr(refreshed(stored).meta) == repr({"a": other})

    def test_a_change_moves_the_time_of_the_last_change(self, stored):
        Transaction.objects.update(updated_at=utc("2020-01-01"))

        upsert({"external_id": "T-1", "total": 5})

        assert refreshed(stored).updated_at > utc("2020-01-01")


class TestWhoseItIs:
    def test_a_profile_is_named_by_its_uuid(self, profile):
        upsert({"profile_id": str(profile.id).upper(), "total": 1})

        assert Transaction.objects.get().profile == profile

    def test_a_profile_is_named_by_its_email_in_any_case(self, profile):
        upsert({"profile_id": "aNN@EXAMPLE.com", "profile_id_handle": "email", "total": 1})

        assert Transaction.objects.get().profile == profile

    def test_a_profile_is_named_by_an_identity(self, profile):
        IdentityFactory(handle="loyalty", identifier="42")
        IdentityFactory(handle="shop", identifier="42", profile=profile)

        upsert({"profile_id": "42", "profile_id_handle": "shop", "total": 1})

        assert Transaction.objects.get().profile == profile

    @pytest.mark.parametrize(
        "name",
        [
            {"profile_id": str(uuid4())},
            {"profile_id": "1"},
            {"profile_id": "ann@example.com"},
            {"profile_id": "bob@example.com", "profile_id_handle": "email"},
            {"profile_id": "42", "profile_id_handle": "loyalty"},
        ],
    )
    def test_a_profile_that_nobody_knows_is_an_error(self, profile, name):
        [outcome] = upsert({"total": 1} | name)

        assert outcome.errors == {"profile_id": ["There is no such profile."]}
        assert Transaction.objects.count() == 0

    @pytest.mark.parametrize("handle", [None, "email", "loyalty"])
    def test_a_deleted_profile_is_not_there_by_any_name(self, profile, handle):
        IdentityFactory(handle="loyalty", identifier="42", profile=profile)
        Profile.objects.update(profile_type=Profile.Type.DELETED)
        names = {None: str(profile.id), "email": profile.email, "loyalty": "42"}

        [outcome] = upsert({"total": 1, "profile_id": names[handle], "profile_id_handle": handle})

        assert outcome.errors == {"profile_id": ["There is no such profile."]}

    def test_a_new_one_needs_a_profile_and_a_total(self):
        [outcome] = upsert({})

        required = ["This field is required."]
        assert outcome.errors == {"profile_id": required, "total": required}

    def test_a_known_one_moves_to_another_profile_with_its_items(self, stored):
        item = TransactionItemFactory(transaction=stored)
        other = ProfileFactory()

        upsert({"external_id": "T-1", "profile_id": str(other.id)})

        item.refresh_from_db()
        assert refreshed(stored).profile == item.profile == other


class TestWhereItWas:
    def test_a_location_is_named_by_its_id(self, sale):
        location = LocationFactory(external_id="S-1")

        upsert(sale(location_id=location.id))

        assert Transaction.objects.get().location == location

    def test_a_location_is_else_named_by_its_external_id(self, sale):
        location = LocationFactory(external_id="S-1")

        upsert(sale(location_id="S-1"))

        assert Transaction.objects.get().location == location

    def test_the_id_goes_before_the_external_id(self, sale):
        location = LocationFactory()
        LocationFactory(external_id=str(location.id))

        upsert(sale(location_id=str(location.id)))

        assert Transaction.objects.get().location == location

    def test_a_number_with_leading_zeros_is_no_id(self, sale):
        location = LocationFactory()

        upsert(sale(location_id=f"0{location.id}"))

        assert Transaction.objects.get().location.external_id == f"0{location.id}"

    def test_an_external_id_that_nobody_knows_makes_a_placeholder(self, sale):
        upsert(sale(location_id="S-9"), sale(location_id="S-9"))

        placeholder = Location.objects.get()
        assert (placeholder.external_id, placeholder.name) == ("S-9", "S-9")
        assert [row.location for row in Transaction.objects.all()] == [placeholder] * 2

    def test_a_row_with_an_error_makes_no_placeholder(self, sale):
        upsert(sale(location_id="S-9", currency="ZZZ", items=[{"brand": "Acme"}]))

        assert not Location.objects.exists()
        assert not Brand.objects.exists()

    def test_the_locations_time_zone_cuts_the_day(self, sale):
        location = LocationFactory(timezone="Australia/Melbourne")

        upsert(sale(location_id=location.id, transacted_at="2025-06-30 20:00:00"))

        assert Transaction.objects.get().shop_date == utc("2025-07-01").date()

    def test_the_day_is_cut_anew_by_the_location_it_moves_to(self, stored):
        location = LocationFactory(timezone="Australia/Melbourne")

        upsert(
            {
                "external_id": "T-1",
                "location_id": location.id,
                "transacted_at": "2025-06-30 20:00:00",
            }
        )

        assert refreshed(stored).shop_date == utc("2025-07-01").date()


class TestItsCurrency:
    def test_a_currency_is_named_by_its_code(self, sale):
        currency = CurrencyFactory(from_code="AUD", rate="0.65")

        upsert(sale(currency="AUD"))

        made = Transaction.objects.get()
        assert (made.currency, made.currency_rate) == (currency, Decimal("0.65"))

    def test_a_currency_is_named_by_its_id(self, sale):
        currency = CurrencyFactory(rate="0.65")

        upsert(sale(currency=currency.id))

        assert Transaction.objects.get().currency == currency

    def test_a_code_means_the_rate_into_the_system_currency(self, sale):
        CurrencyFactory(from_code="AUD", to_code="NZD", rate="1.1")
        currency = CurrencyFactory(from_code="AUD", to_code="USD", rate="0.65")

        upsert(sale(currency="AUD"))

        assert Transaction.objects.get().currency == currency

    @pytest.mark.parametrize("name", ["ZZZ", "aud", 4711, "4711"])
    def test_a_currency_that_nobody_knows_is_an_error(self, sale, name):
        CurrencyFactory(from_code="AUD")

        [outcome] = upsert(sale(currency=name))

        assert outcome.errors == {"currency": ["There is no such currency."]}

    def test_the_rate_stays_while_the_currency_does(self, sale):
        currency = CurrencyFactory(from_code="AUD", rate="0.65")
        upsert(sale(external_id="T-1", currency="AUD"))
        Currency.objects.filter(pk=currency.pk).update(rate="0.7")

        upsert(sale(external_id="T-1", currency="AUD", total=20))

        assert Transaction.objects.get().currency_rate == Decimal("0.65")

    def test_another_currency_brings_its_rate(self, sale):
        CurrencyFactory(from_code="AUD", rate="0.65")
        upsert(sale(external_id="T-1", currency="USD"))

        upsert({"external_id": "T-1", "currency": "AUD"})

        assert Transaction.objects.get().currency_rate == Decimal("0.65")

    def test_without_a_currency_the_rate_is_1_again(self, sale):
        CurrencyFactory(from_code="AUD", rate="0.65")
        upsert(sale(external_id="T-1", currency="AUD"))

        upsert({"external_id": "T-1", "currency": None})

        assert Transaction.objects.get().currency_rate == 1


class TestItems:
    def test_items_come_with_their_transaction(self, profile, sale):
        upsert(
            sale(
                items=[
                    {
                        "name": "Socks",
                        "quantity": 2.5,
                        "price_current": 1,
                        "price_sell": 2,
                        "price_original": 3,
                        "price_tax": 0.15,
                        "sku": "S-1",
                        "product_variant": {"size": "XL"},
                        "discounts": [{"amount": 0.5, "reason_desc": "Staff"}],
                        "is_void": True,
                    }
                ]
            )
        )

        row = TransactionItem.objects.values().get()
        for derived in ("id", "created_at", "updated_at", "transaction_id"):
            del row[derived]
        assert row == {
            "profile_id": profile.id,
            "is_purchase": True,
            "name": "Socks",
            "quantity": Decimal("2.500"),
            "price_current": 1,
            "price_sell": 2,
            "price_original": 3,
            "price_tax": Decimal("0.15"),
            "sku": "S-1",
            "brand_id": None,
            "product_variant": {"size": "XL"},
            "discounts": [{"amount": 0.5, "reason_desc": "Staff"}],
            "is_void": True,
        }

    def test_items_keep_their_order(self, sale):
        upsert(sale(items=[{"name": name} for name in "cab"]))

        names = TransactionItem.objects.order_by("id").values_list("name", flat=True)
        assert list(names) == ["c", "a", "b"]

    def test_items_that_are_posted_again_are_not_doubled(self, sale):
        body = sale(external_id="T-1", items=[{"name": "Socks", "brand": "Acme"}] * 2)

        upsert(body)
        upsert(body, body)

        assert TransactionItem.objects.count() == 2

    def test_other_items_are_added(self, sale):
        upsert(sale(external_id="T-1", items=[{"name": "Socks"}]))

        upsert(sale(external_id="T-1", items=[{"name": "Socks", "quantity": 2}]))

        assert TransactionItem.objects.count() == 2

    def test_items_take_the_place_of_others_where_that_is_wanted(self, sale):
        upsert(sale(external_id="T-1", items=[{"name": "Socks"}, {"name": "Shoes"}]))
        shoes = TransactionItem.objects.get(name="Shoes")

        upsert(
            sale(
                external_id="T-1",
                items=[{"name": "Shoes"}, {"name": "Hat"}],
                delete_existing_items=True,
            )
        )

        items = TransactionItem.objects.order_by("id")
        assert [item.name for item in items] == ["Shoes", "Hat"]
        assert items[0].id == shoes.id

    def test_items_of_an_earlier_row_give_way_too(self, sale):
        upsert(
            sale(external_id="T-1", items=[{"name": "Socks"}]),
            sale(external_id="T-1", items=[{"name": "Hat"}], delete_existing_items=True),
        )

        assert TransactionItem.objects.get().name == "Hat"

    def test_items_stay_where_none_are_given(self, stored):
        TransactionItemFactory(transaction=stored)

        upsert({"external_id": "T-1", "total": 5})

        assert TransactionItem.objects.count() == 1

    def test_an_item_that_is_named_by_its_id_is_changed(self, stored):
        item = TransactionItemFactory(transaction=stored, name="Socks")

        upsert({"external_id": "T-1", "items": [{"id": item.id, "is_void": True}]})

        only = TransactionItem.objects.get()
        assert (only.id, only.name, only.is_void) == (item.id, "Socks", True)

    def test_an_item_of_another_transaction_is_not_touched(self, stored):
        foreign = TransactionItemFactory(name="Socks")

        upsert({"external_id": "T-1", "items": [{"id": foreign.id, "name": "Hat"}]})

        foreign.refresh_from_db()
        assert foreign.name == "Socks"
        assert stored.items.get().name == "Hat"

    @pytest.mark.parametrize("change", [{"is_void": True}, {"total": -1}])
    def test_items_follow_when_their_transaction_is_no_purchase_any_more(self, stored, change):
        TransactionItemFactory(transaction=stored)

        upsert({"external_id": "T-1", "items": [{"name": "Hat"}]} | change)

        assert [item.is_purchase for item in stored.items.all()] == [False, False]


class TestBrands:
    @pytest.mark.parametrize("given", ["Acme & Co", "acme", {"name": "Acme & Co"}])
    def test_a_brand_is_named_by_its_name_or_handle(self, sale, given):
        brand = BrandFactory(name="Acme & Co", handle="acme")

        upsert(sale(items=[{"brand": given}]))

        assert TransactionItem.objects.get().brand == brand

    def test_the_variants_brand_stands_in_for_the_items(self, sale):
        brand = BrandFactory(name="Acme")

        upsert(sale(items=[{"product_variant": {"brand": "Acme"}}]))

        assert TransactionItem.objects.get().brand == brand

    def test_a_brand_that_nobody_knows_is_made(self, sale):
        upsert(sale(items=[{"brand": "Acme & Co"}, {"brand": "Acme & Co"}]))

        brand = Brand.objects.get()
        assert (brand.name, brand.handle) == ("Acme & Co", "acme-co")
        assert brand.items.count() == 2

    def test_brands_that_only_look_alike_are_different(self, sale):
        BrandFactory(name="Elm", handle="acme-co")

        upsert(sale(items=[{"brand": "Acme & Co"}, {"brand": "Acme Co"}, {"brand": "山"}]))

        names = [item.brand.name for item in TransactionItem.objects.order_by("id")]
        assert names == ["Acme & Co", "Acme Co", "山"]

    @pytest.mark.parametrize("name", ["Acme", "山"])
    def test_a_brand_is_made_anew_however_often_it_was_renamed(self, sale, name):
        for number in range(4):
            upsert(sale(items=[{"brand": name}]))
            Brand.objects.filter(name=name).update(name=f"Former {number}")

        assert TransactionItem.objects.values("brand").distinct().count() == 4


class TestBadRows:
    def test_good_rows_land_and_bad_ones_come_back(self, sale):
        outcomes = upsert(
            sale(external_id="T-1"), sale(external_id="T-2", total="much"), sale(external_id="T-3")
        )

        assert [outcome.status for outcome in outcomes] == ["created", "error", "created"]
        assert list(outcomes[1].errors) == ["total"]
        assert Transaction.objects.count() == 2

    @pytest.mark.parametrize("body", [None, 5, "x", [], [{}]])
    def test_a_row_that_is_no_object_is_a_bad_one(self, body):
        [outcome] = upsert(body)

        assert outcome.status == Status.ERROR

    def test_a_row_that_the_database_refuses_holds_up_no_other(self, sale, caplog):
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE profiles_transaction ADD CHECK (receipt_ref IS DISTINCT FROM 'bad')"
            )
        bodies = [sale(external_id=f"T-{n}") for n in range(5)]
        bodies[3]["receipt_ref"] = "bad"

        outcomes = upsert(*bodies)

        assert [outcome.status for outcome in outcomes].count(Status.CREATED) == 4
        assert outcomes[3].errors == {"non_field_errors": ["This transaction cannot be stored."]}
        assert "cannot be stored" in caplog.text

    def test_a_row_that_meets_a_fault_of_ours_holds_up_no_other(self, profile, sale):
        victim = ProfileFactory()

        def fail(profile_ids: Any, **kwargs: Any) -> None:
            if victim.pk in profile_ids:
                raise ValueError("a fault of ours")

        history_changed.connect(fail)
        outcomes = upsert(sale(), sale(profile_id=str(victim.pk)), sale())
        history_changed.disconnect(fail)

        assert [outcome.status for outcome in outcomes] == ["created", "error", "created"]
        assert not victim.transactions.exists()


class TestWhatFollows:
    def test_a_sale_asks_for_a_recalculation_before_all_that_is_in_bulk(self, profile, sale):
        forget_who_waits()

        upsert(sale())

        request = RecalculationRequest.objects.get()
        assert (request.profile_id, request.lane) == (profile.id, outbox.Lane.LIVE)

    def test_an_import_waits_behind_the_sales(self, sale):
        forget_who_waits()

        upsert(sale(), is_live=False)

        assert RecalculationRequest.objects.get().lane == outbox.Lane.BULK

    def test_a_move_asks_for_both_profiles(self, profile, stored):
        other = ProfileFactory()
        forget_who_waits()

        upsert({"external_id": "T-1", "profile_id": str(other.id)})

        assert who_waits() == {profile.id, other.id}

    def test_a_change_of_an_item_alone_asks_too(self, profile, stored):
        item = TransactionItemFactory(transaction=stored)
        forget_who_waits()

        upsert({"external_id": "T-1", "items": [{"id": item.id, "is_void": True}]})

        assert who_waits() == {profile.id}

    def test_a_deletion_takes_the_items_and_asks_for_the_profile(self, profile, stored):
        TransactionItemFactory(transaction=stored)
        forget_who_waits()

        delete_transaction(stored.pk)

        assert not Transaction.objects.exists()
        assert not TransactionItem.objects.exists()
        assert who_waits() == {profile.id}

    def test_the_rows_are_true_when_all_is_recalculated(self, profile, moment: datetime):
        other = ProfileFactory()
        CurrencyFactory(from_code="AUD", rate="0.65")

        def body(n: int, **fields: Any) -> dict[str, Any]:
            return {
                "external_id": f"T-{n}",
                "profile_id": str((profile, other)[n % 2].id),
                "total": 10 * n - 15,
                "total_original": 10 * n,
                "currency": ["AUD", "USD", None][n % 3],
                "location_id": f"S-{n % 4}",
                "systems": [["pos"], ["web"], []][n % 3],
                "transacted_at": f"2025-{n % 6 + 1:02}-{n % 27 + 1:02} 23:{n % 60:02}:00",
                "items": [{"brand": f"Brand {n % 5}", "quantity": n % 3 - 1}],
            } | fields

        upsert(*[body(n) for n in range(60)])
        upsert(
            *[body(n, is_void=True) for n in range(0, 60, 7)],
            *[body(n, profile_id=str(other.id)) for n in range(0, 60, 5)],
            *[body(n, items=[{"brand": "New"}], delete_existing_items=True) for n in range(9)],
        )
        delete_transaction(Transaction.objects.order_by("-transacted_at").first().pk)

        work_off(moment=moment)
        assert differences([profile.id, other.id], moment=moment) == []


class TestHowManyStatements:
    def bodies(self, count: int, *, total: int) -> list[dict[str, Any]]:
        return [
            {
                "external_id": f"T-{n}",
                "profile_id": f"card-{n % 7}",
                "profile_id_handle": "loyalty",
                "location_id": f"S-{n % 5}",
                "currency": "USD",
                "total": total,
                "items": [{"name": f"{n}", "brand": f"Brand {n % 9}"}, {"name": f"total {total}"}],
                "delete_existing_items": True,
            }
            for n in range(count)
        ]

    def statements(self, bodies: list[dict[str, Any]]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert {each.status for each in upsert(*bodies)} <= {Status.CREATED, Status.UPDATED}
        return len(queries)

    def test_are_the_same_for_one_row_and_for_a_hundred(self):
        for n in range(7):
            IdentityFactory(handle="loyalty", identifier=f"card-{n}")
        upsert(*self.bodies(20, total=1))  # so that the places and brands are there

        created = [self.statements(self.new(count)) for count in (1, 100)]
        updated = [self.statements(self.bodies(count, total=2 + count)) for count in (1, 20)]

        assert created == [12, 12]
        assert updated == [13, 13]

    def new(self, count: int) -> list[dict[str, Any]]:
        return [
            body | {"external_id": f"new {count} {n}"}
            for n, body in enumerate(self.bodies(count, total=1))
        ]

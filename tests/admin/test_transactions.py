"""A transaction written in the admin is complete, and asks for what follows from it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from profiles.models import Profile, Transaction, TransactionItem
from tests import factories
from tests.admin.browser import errors, submit
from tests.admin.conftest import page_of
from tests.waiting import forget_who_waits, who_waits

ADD = "/admin/profiles/transaction/add/"
NO_ITEMS = {"items-TOTAL_FORMS": "0"}
NESTED = '{"a":' + "[" * 10_000 + "]" * 10_000 + "}"


def test_a_new_transaction_asks_for_a_recalculation(admin_client: Client, profile: Profile):
    forget_who_waits()

    submit(admin_client, ADD, profile=str(profile.pk), total="12.50", **NO_ITEMS)

    assert Transaction.objects.get().total == Decimal("12.50")
    assert who_waits() == {profile.pk}


def test_a_change_asks_for_a_recalculation(admin_client: Client, profile: Profile):
    transaction = factories.TransactionFactory(profile=profile)
    forget_who_waits()

    submit(admin_client, page_of(transaction), is_void="on")

    assert Transaction.objects.get().is_void
    assert who_waits() == {profile.pk}


def test_a_transaction_that_moves_asks_for_both_profiles(admin_client: Client, profile: Profile):
    transaction = factories.TransactionFactory(profile=profile)
    item = factories.TransactionItemFactory(transaction=transaction)
    other = factories.ProfileFactory()
    forget_who_waits()

    submit(admin_client, page_of(transaction), profile=str(other.pk))

    item.refresh_from_db()
    assert item.profile == other
    assert who_waits() == {profile.pk, other.pk}


def test_an_added_item_asks_for_a_recalculation(admin_client: Client, profile: Profile):
    transaction = factories.TransactionFactory(profile=profile)
    brand = factories.BrandFactory()
    forget_who_waits()
    new = {
        "items-TOTAL_FORMS": "1",
        "items-0-name": "Cheese",
        "items-0-quantity": "2",
        "items-0-brand": str(brand.pk),
    }

    submit(admin_client, page_of(transaction), **new)

    item = transaction.items.get()
    assert (item.name, item.quantity, item.brand, item.profile) == ("Cheese", 2, brand, profile)
    assert who_waits() == {profile.pk}


def test_a_deleted_transaction_asks_for_a_recalculation(admin_client: Client, profile: Profile):
    transaction = factories.TransactionFactory(profile=profile)
    forget_who_waits()

    admin_client.post(page_of(transaction, "delete"), {"post": "yes"})

    assert not Transaction.objects.exists()
    assert profile.pk in who_waits()


def test_selected_transactions_are_deleted_with_a_request(admin_client: Client, profile: Profile):
    transaction = factories.TransactionFactory(profile=profile)
    forget_who_waits()
    selected = {"action": "delete_selected", "_selected_action": transaction.pk, "post": "yes"}

    admin_client.post("/admin/profiles/transaction/", selected)

    assert not Transaction.objects.exists()
    assert profile.pk in who_waits()


def test_a_page_saved_as_it_was_changes_nothing(admin_client: Client, one_of_each: None):
    before = Transaction.objects.values().get(), TransactionItem.objects.values().get()

    page = submit(admin_client, page_of(Transaction.objects.get()))

    after = Transaction.objects.values().get(), TransactionItem.objects.values().get()
    assert page.status_code == 302
    for row in (*before, *after):
        row.pop("updated_at")
    assert after == before


def test_the_rate_and_the_shop_date_follow(admin_client: Client, profile: Profile):
    currency = factories.CurrencyFactory(rate="0.65")
    place = factories.LocationFactory(timezone="Australia/Melbourne")

    submit(
        admin_client,
        ADD,
        profile=str(profile.pk),
        total="10",
        currency=str(currency.pk),
        location=str(place.pk),
        transacted_at_0="2025-06-30",
        transacted_at_1="23:00",
        **NO_ITEMS,
    )

    saved = Transaction.objects.get()
    assert (saved.amount, saved.currency_rate) == (Decimal("6.5"), Decimal("0.65"))
    assert (saved.shop_date, saved.shop_timezone) == (date(2025, 7, 1), "Australia/Melbourne")


def test_what_follows_is_shown_without_idle_zeros(admin_client: Client, db: None):
    currency = factories.CurrencyFactory(rate="0.655")
    transaction = factories.TransactionFactory(total="10.10", currency=currency)

    page = admin_client.get(page_of(transaction)).content.decode()

    assert "6.6155 USD" in page
    assert ">0.655<" in page


def test_systems_and_tags_are_names_that_may_have_commas(admin_client: Client, db: None):
    transaction = factories.TransactionFactory(systems=["kiosk, upper floor"])
    typed = {"systems": ["kiosk, upper floor", "pos", "pos"], "tags": [" new ", ""]}

    submit(admin_client, page_of(transaction), **typed)

    transaction.refresh_from_db()
    assert transaction.systems == ["kiosk, upper floor", "pos"]
    assert transaction.tags == ["new"]


def test_a_tag_that_is_too_long_is_an_error(admin_client: Client, db: None):
    page = submit(admin_client, page_of(factories.TransactionFactory()), tags=["x" * 101])

    assert "at most 100 characters" in errors(page)


def test_an_emptied_json_column_is_what_it_starts_as(admin_client: Client, db: None):
    transaction = factories.TransactionFactory(meta={"till": 3})

    submit(admin_client, page_of(transaction), meta="")

    transaction.refresh_from_db()
    assert transaction.meta == {}


@pytest.mark.parametrize(
    "typed",
    [
        "[1]",
        '"text"',
        "{",
        '{"a": NaN}',
        '{"a": 1e999}',
        r'{"a": "\u0000"}',
        r'{"a": "\ud800"}',
        NESTED,
    ],
    ids=lambda typed: typed[:12],
)
def test_json_that_the_column_does_not_take_is_an_error(admin_client: Client, db: None, typed: str):
    page = submit(admin_client, page_of(factories.TransactionFactory()), meta=typed)

    assert "errorlist" in errors(page)


def test_a_null_character_in_a_name_is_an_error(admin_client: Client, db: None):
    page = submit(admin_client, page_of(factories.TransactionFactory()), tags=["a\x00b"])

    assert "errorlist" in errors(page)


def test_a_time_zone_that_does_not_exist_is_an_error(admin_client: Client, db: None):
    page = submit(admin_client, page_of(factories.TransactionFactory()), timezone="Mars/Olympus")

    assert "is not an IANA time zone" in errors(page)


def test_a_line_has_a_page_of_its_own_for_what_is_long(admin_client: Client, db: None):
    item = factories.TransactionItemFactory()

    submit(admin_client, page_of(item), discounts='[{"amount": 1, "reason_desc": "coupon"}]')

    item.refresh_from_db()
    assert item.discounts == [{"amount": 1, "reason_desc": "coupon"}]

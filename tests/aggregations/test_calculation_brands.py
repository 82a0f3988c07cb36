"""Which brands a profile has bought."""

from __future__ import annotations

import pytest

from profiles.models import Transaction, TransactionItem
from tests.factories import (
    BrandFactory,
    ProfileFactory,
    TransactionFactory,
    TransactionItemFactory,
)


@pytest.fixture
def purchase(profile) -> Transaction:
    return TransactionFactory(profile=profile)


@pytest.fixture
def item(purchase) -> TransactionItem:
    return TransactionItemFactory(transaction=purchase, brand=BrandFactory(name="Acme"))


def test_a_profile_without_purchases_has_bought_no_brand(profile, calculated):
    assert calculated(profile).purchased_brands == []


def test_an_items_brand_was_bought(profile, calculated, item):
    assert calculated(profile).purchased_brands == ["Acme"]


def test_an_item_without_a_brand_says_nothing(profile, calculated, purchase):
    TransactionItemFactory(transaction=purchase)

    assert calculated(profile).purchased_brands == []


def test_brands_are_named_once_and_sorted_by_code_point(profile, calculated):
    for name in ("zest", "Éclat", "Zest", "apple", "7 Up"):
        brand = BrandFactory(name=name)
        for day in ("2015-01-01", "2025-01-01"):
            transaction = TransactionFactory(profile=profile, at=day)
            TransactionItemFactory(transaction=transaction, brand=brand)

    assert calculated(profile).purchased_brands == ["7 Up", "Zest", "apple", "zest", "Éclat"]


def test_brands_of_one_name_are_named_once(profile, calculated, purchase):
    for _ in range(2):
        TransactionItemFactory(transaction=purchase, brand=BrandFactory(name="Twin"))

    assert calculated(profile).purchased_brands == ["Twin"]


def test_a_void_item_was_not_bought(profile, calculated, item):
    item.is_void = True
    item.save()

    assert calculated(profile).purchased_brands == []


@pytest.mark.parametrize("quantity", ["0", "-1", "-0.001"])
def test_an_item_given_back_was_not_bought(profile, calculated, item, quantity):
    item.quantity = quantity
    item.save()

    assert calculated(profile).purchased_brands == []


def test_a_fraction_of_an_item_was_bought(profile, calculated, item):
    item.quantity = "0.001"
    item.save()

    assert calculated(profile).purchased_brands == ["Acme"]


@pytest.mark.parametrize("change", [{"is_void": True}, {"total": -5}, {"total": 0}])
def test_an_item_of_what_is_no_purchase_was_not_bought(profile, calculated, purchase, item, change):
    for name, value in change.items():
        setattr(purchase, name, value)
    purchase.save()

    assert calculated(profile).purchased_brands == []


def test_an_item_of_a_purchase_that_is_void_no_more_was_bought(profile, calculated, purchase, item):
    for is_void in (True, False):
        purchase.is_void = is_void
        purchase.save()

    assert calculated(profile).purchased_brands == ["Acme"]


def test_a_brand_bought_and_given_back_was_bought(profile, calculated, item):
    refund = TransactionFactory(profile=profile, total=-100)
    TransactionItemFactory(transaction=refund, brand=item.brand, quantity=-1)

    assert calculated(profile).purchased_brands == ["Acme"]


def test_an_item_moves_with_its_transaction(profile, calculated, purchase, item):
    other = ProfileFactory()
    purchase.profile = other
    purchase.save()

    assert calculated(profile).purchased_brands == []
    assert calculated(other).purchased_brands == ["Acme"]


def test_a_renamed_brand_shows_its_new_name(profile, calculated, item):
    calculated(profile)
    item.brand.name = "Acme and Sons"
    item.brand.save()

    assert calculated(profile).purchased_brands == ["Acme and Sons"]

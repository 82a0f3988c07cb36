"""What is in use cannot be deleted, and the page says what uses it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db.models import Model
from django.test import Client

from aggregations.calculation import recalculate
from aggregations.models import Aggregation
from profiles.ingestion import Posted
from profiles.models import Profile, QueuedTransaction
from profiles.queueing import accept
from tests import factories
from tests.admin.conftest import NOW, page_of

IN_USE: dict[str, Callable[[], tuple[Model, Model]]] = {}


def in_use(make: Callable[[], tuple[Model, Model]]) -> Callable[[], tuple[Model, Model]]:
    IN_USE[make.__name__] = make
    return make


@in_use
def a_location_with_a_transaction() -> tuple[Model, Model]:
    user = factories.TransactionFactory(location=factories.LocationFactory())
    return user.location, user


@in_use
def a_location_that_somebody_prefers() -> tuple[Model, Model]:
    user = factories.ProfileFactory(preferred_location=factories.LocationFactory())
    return user.preferred_location, user


@in_use
def a_currency_with_a_transaction() -> tuple[Model, Model]:
    user = factories.TransactionFactory(currency=factories.CurrencyFactory())
    return user.currency, user


@in_use
def a_brand_that_was_bought() -> tuple[Model, Model]:
    user = factories.TransactionItemFactory(brand=factories.BrandFactory(), name="Cheese")
    return user.brand, user


@in_use
def a_region_with_a_location() -> tuple[Model, Model]:
    user = factories.LocationFactory(region=factories.RegionFactory())
    return user.region, user


@in_use
def a_tier_that_somebody_held() -> tuple[Model, Model]:
    user = factories.ProfileTierFactory()
    return user.tier, user


@pytest.mark.django_db
@pytest.mark.parametrize("make", IN_USE.values(), ids=IN_USE)
def test_it_stays_and_its_user_is_named(
    admin_client: Client, make: Callable[[], tuple[Model, Model]]
):
    row, user = make()

    page = admin_client.post(page_of(row, "delete"), {"post": "yes"})

    assert type(row).objects.filter(pk=row.pk).exists()
    assert str(user) in page.content.decode()


def test_only_the_first_users_are_named(admin_client: Client, db: None):
    place = factories.LocationFactory()
    for _ in range(12):
        factories.TransactionFactory(location=place)

    page = admin_client.get(page_of(place, "delete"))

    *named, rest = page.context["protected"]
    assert len(named) == 10
    assert rest == "… and others"


def test_a_location_that_nobody_uses_goes_with_its_parts(admin_client: Client, db: None):
    address = factories.LocationAddressFactory()
    factories.NormalHoursFactory(location=address.location)

    admin_client.post(page_of(address.location, "delete"), {"post": "yes"})

    assert not type(address).objects.exists()


def test_a_profile_goes_with_its_history_and_its_row(admin_client: Client, profile: Profile):
    factories.TransactionItemFactory(transaction__profile=profile)
    recalculate(profile_ids=[profile.pk], moment=NOW)

    page = admin_client.post(page_of(profile, "delete"), {"post": "yes"})

    assert page.status_code == 302
    assert not Profile.objects.exists()
    assert not Aggregation.objects.exists()


def test_with_a_profile_goes_who_was_merged_into_it_and_what_still_waits_for_it(
    admin_client: Client, profile: Profile
):
    factories.ProfileFactory(profile_type=Profile.Type.DELETED, merged_into=profile)
    body = {"profile_id": str(profile.pk), "total": 1}
    accept([Posted(body, accepted_at=NOW)], external_ids=[None])

    admin_client.post(page_of(profile, "delete"), {"post": "yes"})

    assert not Profile.objects.exists()
    assert not QueuedTransaction.objects.exists()


def test_several_are_deleted_at_once_also_where_one_was_merged_into_another(
    admin_client: Client, profile: Profile
):
    stays = factories.ProfileFactory()
    merged = factories.ProfileFactory(profile_type=Profile.Type.DELETED, merged_into=profile)
    chosen = [profile.pk, merged.pk, factories.ProfileFactory().pk]

    admin_client.post(
        "/admin/profiles/profile/",
        {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
    )

    assert Profile.objects.get() == stays

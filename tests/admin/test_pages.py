"""Every list and every page of the admin opens, in as many queries for many rows as for few."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aggregations.models import RecalculationRequest
from tests import factories
from tests.admin.conftest import add_one_of_each, page_of

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
BY_LABEL = {model._meta.label: model for model in MODELS}
NEVER_ADDED = {
    "aggregations.Aggregation",
    "aggregations.RecalculationRequest",
    "locations.Country",
    "profiles.ProfileBatch",
    "profiles.ProfileBatchRow",
    "profiles.QueuedTransaction",
}

every_model = pytest.mark.parametrize("model", MODELS, ids=BY_LABEL)


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def most_queries(model: type[Model]) -> int:
    """Return the bound on what a list may take: more where numbers stand above it."""
    return 15 if model is RecalculationRequest else 9


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@every_model
def test_a_list_shows_its_rows(admin_client: Client, one_of_each: None, model: type[Model]):
    page = admin_client.get(list_of(model))

    assert page.status_code == 200
    assert page.context["cl"].result_count == model._default_manager.count() > 0


@every_model
def test_a_list_takes_as_many_queries_for_many_rows(
    admin_client: Client, one_of_each: None, model: type[Model]
):
    for_one = queries(admin_client, list_of(model))
    add_one_of_each(2)
    add_one_of_each(3)

    assert queries(admin_client, list_of(model)) == for_one <= most_queries(model)


@every_model
def test_an_empty_search_result_is_a_page(
    admin_client: Client, one_of_each: None, model: type[Model]
):
    page = admin_client.get(list_of(model), {"q": "nothing is called so"})

    assert page.status_code == 200
    assert page.context["cl"].result_count == 0


@every_model
def test_a_row_has_a_page(admin_client: Client, one_of_each: None, model: type[Model]):
    row = model._default_manager.order_by("pk").last()

    assert admin_client.get(page_of(row)).status_code == 200
    assert admin_client.get(page_of(row, "history")).status_code == 200


@every_model
def test_a_row_that_is_not_there_leads_to_the_index(
    admin_client: Client, one_of_each: None, model: type[Model]
):
    page = admin_client.get(f"{list_of(model)}no-such-key/change/")

    assert page.status_code == 302
    assert page["Location"] == reverse("admin:index")


@every_model
def test_what_can_be_added_has_an_empty_form(
    admin_client: Client, one_of_each: None, model: type[Model]
):
    page = admin_client.get(f"{list_of(model)}add/")

    assert page.status_code == (403 if model._meta.label in NEVER_ADDED else 200)


def test_the_sidebar_leads_to_every_list(admin_client: Client):
    page = admin_client.get("/admin/")

    links = {
        item["link"] for group in page.context["sidebar_navigation"] for item in group["items"]
    }
    reached_from_others = {
        list_of(BY_LABEL[label])
        for label in ("profiles.TransactionItem", "profiles.ProfileBatchRow")
    }
    assert links == {list_of(model) for model in MODELS} - reached_from_others


def test_the_sidebar_shows_only_what_one_may_see(client: Client, django_user_model: type):
    client.force_login(django_user_model.objects.create(username="new", is_staff=True))

    page = client.get("/admin/")

    assert page.context["sidebar_navigation"] == []


def test_the_pages_bear_the_products_name(client: Client, db: None):
    page = client.get("/admin/login/")

    assert b"Log in | Omneo" in b" ".join(page.content.split())


def test_a_receipt_of_many_items_takes_as_many_queries_as_one_of_few(
    admin_client: Client, db: None
):
    receipt = factories.TransactionFactory()
    factories.TransactionItemFactory(transaction=receipt, brand=factories.BrandFactory())
    for_one = queries(admin_client, page_of(receipt))
    for _ in range(3):
        factories.TransactionItemFactory(transaction=receipt, brand=factories.BrandFactory())

    assert queries(admin_client, page_of(receipt)) == for_one


def test_a_profile_with_a_long_history_takes_as_many_queries_as_one_with_a_short(
    admin_client: Client, profile
):
    def live_on() -> None:
        place = factories.LocationFactory()
        currency = factories.CurrencyFactory()
        factories.TransactionFactory(profile=profile, location=place, currency=currency)
        factories.ProfileTierFactory(profile=profile)
        factories.ProfileAddressFactory(profile=profile)
        factories.IdentityFactory(profile=profile)

    live_on()
    admin_client.get(page_of(profile))
    for_one = queries(admin_client, page_of(profile))
    live_on()
    live_on()

    assert queries(admin_client, page_of(profile)) == for_one

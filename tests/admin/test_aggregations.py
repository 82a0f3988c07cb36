"""Rows of aggregations and requests for them are shown, and written by nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone as clock

from aggregations.admin.panel import SUBJECTS
from aggregations.calculation import recalculate
from aggregations.models import Aggregation, RecalculationRequest
from profiles.models import Profile, Transaction
from tests import factories
from tests.admin.conftest import NOW, page_of

LISTS = ["/admin/aggregations/aggregation/", "/admin/aggregations/recalculationrequest/"]
[LIST, _] = LISTS


@pytest.fixture
def row(profile: Profile) -> Aggregation:
    recalculate(profile_ids=[profile.pk], moment=NOW)
    return profile.aggregation


@pytest.mark.parametrize("path", LISTS)
def test_even_a_superuser_cannot_add_one(admin_client: Client, path: str):
    assert admin_client.post(f"{path}add/", {}).status_code == 403


@pytest.mark.parametrize("view", ["change", "delete"])
def test_even_a_superuser_cannot_write_a_row(admin_client: Client, row: Aggregation, view: str):
    page = admin_client.post(page_of(row, view), {"shop_count": "1", "post": "yes"})

    assert page.status_code == 403
    assert Aggregation.objects.get().shop_count == 0


@pytest.mark.parametrize("view", ["change", "delete"])
def test_even_a_superuser_cannot_take_a_request_away(
    admin_client: Client, profile: Profile, view: str
):
    request = RecalculationRequest.objects.create(profile_id=profile.pk)

    assert admin_client.post(page_of(request, view), {"post": "yes"}).status_code == 403


def test_there_is_no_action_on_many(admin_client: Client, row: Aggregation):
    assert admin_client.get(LIST).context["action_form"] is None


def test_every_value_has_its_place():
    internal = {"profile", "changed_at"}
    fields = {field.name for field in Aggregation._meta.get_fields()} - internal

    shown = [name for names in SUBJECTS.values() for name in names]

    assert len(shown) == len(set(shown))
    assert set(shown) == fields


def test_a_row_whose_places_are_gone_is_shown(admin_client: Client, row: Aggregation):
    gone = factories.LocationFactory(), factories.CurrencyFactory(), factories.TierFactory()
    place, currency, tier = gone
    Aggregation.objects.update(
        store_join=place,
        most_spend_location=place,
        latest_shop_currency=currency,
        top_historic_status=tier,
    )
    for each in gone:
        each.delete()

    assert admin_client.get(page_of(row)).status_code == 200
    assert admin_client.get(page_of(row.profile)).status_code == 200
    assert admin_client.get(LIST).status_code == 200


@pytest.fixture
def _overtaken_row(profile: Profile) -> None:
    now = clock.now()
    factories.TransactionFactory(profile=profile, transacted_at=now - timedelta(days=89))
    recalculate(profile_ids=[profile.pk], moment=now - timedelta(days=30))
    assert Aggregation.objects.get().dimension_recency == "RC"
    Transaction.objects.update(transacted_at=now - timedelta(days=100))
    profile.freshness.next_change_at = now
    profile.freshness.save()


@pytest.mark.usefixtures("_overtaken_row")
def test_a_list_shows_no_value_that_the_clock_has_overtaken(admin_client: Client, profile: Profile):
    assert [row.dimension_recency for row in admin_client.get(LIST).context["cl"].result_list] == [
        "RS"
    ]


@pytest.mark.usefixtures("_overtaken_row")
def test_a_list_stores_nothing(admin_client: Client):
    before = Aggregation.objects.values().get()

    admin_client.get(LIST)

    assert Aggregation.objects.values().get() == before


@pytest.mark.usefixtures("_overtaken_row")
def test_a_page_shows_no_value_that_the_clock_has_overtaken(admin_client: Client, profile: Profile):
    page = admin_client.get(page_of(profile.aggregation))

    assert page.context["original"].dimension_recency == "RS"
    assert "Known once the row is stored anew." in page.content.decode()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("dimension_frequency", "F0"),
        ("dimension_recency", "R0"),
        ("dimension_join", "JN"),
        ("channel", "CM"),
        ("likely_country_iso", "AU"),
    ],
)
def test_rows_are_filtered_by_a_code(
    admin_client: Client, row: Aggregation, parameter: str, value: str
):
    Aggregation.objects.update(**{parameter: value})
    other = factories.ProfileFactory()
    recalculate(profile_ids=[other.pk], moment=NOW)
    Aggregation.objects.filter(pk=other.pk).update(**{parameter: "XX"})

    page = admin_client.get(LIST, {parameter: value})

    assert list(page.context["cl"].result_list) == [row]


def test_a_request_of_a_profile_that_is_gone_is_listed(admin_client: Client, profile: Profile):
    RecalculationRequest.objects.create(profile_id=profile.pk)
    profile.delete()

    assert admin_client.get(LISTS[1]).status_code == 200

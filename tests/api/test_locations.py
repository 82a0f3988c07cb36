"""Locations with all their parts, by the API."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.response import Response
from rest_framework.test import APIClient

from locations.models import Location, LocationAddress, NormalHours
from profiles.models import Profile
from tests.factories import (
    BrandFactory,
    DepartmentFactory,
    LocationAddressFactory,
    LocationFactory,
    NormalHoursFactory,
    ProfileFactory,
    RegionFactory,
    SpecialHoursFactory,
    TransactionFactory,
)
from tests.waiting import forget_who_waits, who_waits

PATH = "/api/v3/locations"
MONDAY = {"day_of_week": "MON", "open_at": "09:00", "close_at": "17:30"}
CHRISTMAS = {"name": "Christmas", "start_at": "2025-12-25", "end_at": "2025-12-26"}

pytestmark = pytest.mark.django_db


def path_of(location: Location) -> str:
    return f"{PATH}/{location.pk}"


def names(api: APIClient, query: str) -> list[str]:
    return [row["name"] for row in api.get(f"{PATH}?{query}").json()["data"]]


def assert_refused(response: Response, *fields: str) -> None:
    assert response.status_code == 422, response.content
    assert list(response.json()["errors"]) == list(fields)


@pytest.fixture
def store() -> Location:
    return LocationFactory(name="Store")


def test_a_location_needs_a_name_alone(api: APIClient):
    response = api.post(PATH, {"name": "Store"})

    assert response.status_code == 201
    assert response.json()["data"] == {
        "id": Location.objects.get().pk,
        "type": None,
        "name": "Store",
        "handle": None,
        "description": None,
        "phone": None,
        "email": None,
        "timezone": None,
        "external_id": None,
        "external_code": None,
        "is_published": True,
        "is_permanently_closed": False,
        "address": None,
        "normal_hours": [],
        "special_hours": [],
        "tags": [],
        "custom_fields": {},
        "icon": None,
        "country_iso_3": None,
        "image_url": None,
        "created_at": response.json()["data"]["created_at"],
        "updated_at": response.json()["data"]["updated_at"],
        "departments": [],
    }


def test_a_location_comes_with_its_parts(api: APIClient):
    brand = BrandFactory(name="Acme", handle="acme")
    response = api.post(
        PATH,
        {
            "name": "Store",
            "timezone": "Australia/Melbourne",
            "tags": ["new", "new", "city"],
            "custom_fields": {"floor": 2},
            "address": {"city": "Melbourne", "latitude": -37.8136, "iso_state": "AU-VIC"},
            "normal_hours": [MONDAY],
            "special_hours": [CHRISTMAS],
            "departments": [{"name": "Tools", "handle": "tools", "brand_id": brand.pk}],
        },
    )

    data = response.json()["data"]
    assert data["timezone"] == "Australia/Melbourne"
    assert data["tags"] == ["new", "city"]
    assert data["custom_fields"] == {"floor": 2}
    assert (data["address"]["latitude"], data["address"]["iso"]) == (-37.8136, "AU")
    assert data["normal_hours"][0].items() >= MONDAY.items()
    assert data["special_hours"][0].items() >= CHRISTMAS.items()
    assert data["departments"][0]["brand"] == {"name": "Acme", "handle": "acme"}


def test_parts_that_are_not_given_stay(api: APIClient, store: Location):
    NormalHoursFactory(location=store)
    LocationAddressFactory(location=store, city="Perth")

    data = api.put(path_of(store), {"name": "Shop"}).json()["data"]

    assert len(data["normal_hours"]) == 1
    assert data["address"]["city"] == "Perth"


def test_parts_that_are_given_replace_those_that_were_there(api: APIClient, store: Location):
    NormalHoursFactory(location=store, day_of_week="TUE")

    data = api.put(path_of(store), {"normal_hours": [MONDAY]}).json()["data"]

    assert [hours["day_of_week"] for hours in data["normal_hours"]] == ["MON"]


def test_a_part_with_its_id_stays_the_same_row(api: APIClient, store: Location):
    hours = NormalHoursFactory(location=store, day_of_week="TUE")

    data = api.put(path_of(store), {"normal_hours": [{"id": hours.pk, "open_at": "10:00"}]}).json()

    told = data["data"]["normal_hours"][0]
    assert (told["id"], told["day_of_week"], told["open_at"]) == (hours.pk, "TUE", "10:00")


def test_an_empty_list_of_parts_removes_them(api: APIClient, store: Location):
    NormalHoursFactory(location=store)

    assert api.put(path_of(store), {"normal_hours": []}).json()["data"]["normal_hours"] == []
    assert not NormalHours.objects.exists()


def test_a_part_of_another_location_is_not_there(api: APIClient, store: Location):
    elsewhere = NormalHoursFactory()

    response = api.put(path_of(store), {"normal_hours": [{"id": elsewhere.pk, **MONDAY}]})

    assert_refused(response, "normal_hours.0.id")
    assert NormalHours.objects.get().location != store


def test_a_new_part_needs_all_that_a_part_needs(api: APIClient, store: Location):
    response = api.patch(path_of(store), {"normal_hours": [{"day_of_week": "MON"}]})

    assert_refused(response, "normal_hours.0.open_at", "normal_hours.0.close_at")


def test_the_address_is_changed_where_it_is(api: APIClient, store: Location):
    address = LocationAddressFactory(location=store, city="Perth", postcode="6000")

    told = api.put(path_of(store), {"address": {"city": "Fremantle"}}).json()["data"]["address"]

    assert (told["id"], told["city"], told["postcode"]) == (address.pk, "Fremantle", "6000")


def test_an_address_that_is_null_goes(api: APIClient, store: Location):
    LocationAddressFactory(location=store)

    assert api.put(path_of(store), {"address": None}).json()["data"]["address"] is None
    assert not LocationAddress.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "name"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": 10}, "timezone"),
        ({"email": "nobody"}, "email"),
        ({"country_iso_3": "au"}, "country_iso_3"),
        ({"is_published": "yes"}, "is_published"),
        ({"is_published": 1}, "is_published"),
        ({"tags": "new"}, "tags"),
        ({"tags": ["x" * 101]}, "tags.0"),
        ({"tags": [None]}, "tags.0"),
        ({"custom_fields": ["floor"]}, "custom_fields"),
        ({"region_id": 0}, "region_id"),
        ({"region_id": "1"}, "region_id"),
        ({"address": []}, "address"),
        ({"address": {"latitude": 90.5}}, "address.latitude"),
        ({"address": {"latitude": "12"}}, "address.latitude"),
        ({"address": {"longitude": 1.1234567}}, "address.longitude"),
        ({"address": {"iso": "XX"}}, "address.iso"),
        ({"address": {"iso": "AU", "iso_state": "NZ-AUK"}}, "address.iso_state"),
        ({"normal_hours": {}}, "normal_hours"),
        ({"normal_hours": [5]}, "normal_hours.0"),
        ({"normal_hours": [MONDAY | {"day_of_week": "monday"}]}, "normal_hours.0.day_of_week"),
        ({"normal_hours": [MONDAY | {"open_at": "25:00"}]}, "normal_hours.0.open_at"),
        ({"normal_hours": [MONDAY | {"open_at": "9:00"}]}, "normal_hours.0.open_at"),
        ({"normal_hours": [MONDAY | {"open_at": "٠٩:٠٠"}]}, "normal_hours.0.open_at"),
        ({"normal_hours": [MONDAY, MONDAY]}, "normal_hours"),
        ({"normal_hours": [MONDAY] * 101}, "normal_hours"),
        ({"special_hours": [CHRISTMAS | {"end_at": "2025-12-24"}]}, "special_hours"),
        ({"special_hours": [CHRISTMAS | {"end_at": "0000-01-01"}]}, "special_hours.0.end_at"),
        ({"special_hours": [CHRISTMAS | {"end_at": "9999-12-31"}]}, "special_hours.0.end_at"),
        ({"departments": [{"name": "D", "handle": "d", "brand_id": 0}]}, "departments.0.brand_id"),
        ({"departments": [{"name": "D", "handle": "d"}] * 2}, "departments"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(
    api: APIClient, store: Location, body: dict[str, Any], field: str
):
    before = api.get(path_of(store)).json()

    assert_refused(api.put(path_of(store), body), field)
    assert api.get(path_of(store)).json() == before


@pytest.mark.parametrize("field", ["external_id", "handle"])
def test_what_is_unique_is_taken_once(api: APIClient, store: Location, field: str):
    LocationFactory(**{field: "taken"})

    assert_refused(api.put(path_of(store), {field: "taken"}), field)


def test_a_location_can_be_put_into_a_region(api: APIClient, store: Location):
    region = RegionFactory()
    LocationFactory(name="Elsewhere")

    response = api.put(path_of(store), {"region_id": region.pk})

    assert "region_id" not in response.json()["data"]
    assert names(api, f"filter[region_id]={region.pk}") == ["Store"]


def test_it_is_found_by_what_integrations_know(api: APIClient):
    LocationFactory(name="a", external_id="M10", is_published=False, tags=["city", "new"])
    LocationAddressFactory(location__name="b", iso="NZ", iso_state="NZ-AUK")

    assert names(api, "filter[external_id]=M10") == ["a"]
    assert names(api, "filter[is_published]=true") == ["b"]
    assert names(api, "filter[tags__contains]=new,city") == ["a"]
    assert names(api, "filter[country]=NZ") == ["b"]
    assert names(api, "filter[state]=NZ-AUK") == ["b"]


def test_a_change_of_what_matters_asks_for_the_recalculation_of_its_visitors(api: APIClient):
    transaction = TransactionFactory(location=LocationFactory())
    forget_who_waits()

    api.put(path_of(transaction.location), {"address": {"iso": "NZ"}})

    assert who_waits() == {transaction.profile_id}


def test_a_location_goes_with_its_parts(api: APIClient, store: Location):
    NormalHoursFactory(location=store)
    SpecialHoursFactory(location=store)
    DepartmentFactory(location=store)
    LocationAddressFactory(location=store)

    assert api.delete(path_of(store)).status_code == 204
    assert not Location.objects.exists()


def test_what_is_in_use_stays_and_tells_by_what(api: APIClient, store: Location):
    for _ in range(2):
        TransactionFactory(location=store)
    ProfileFactory(joined_location=store, preferred_location=store)

    response = api.delete(path_of(store))

    assert response.status_code == 409
    assert response.json() == {
        "message": "It is in use by joined profiles (1), preferring profiles (1), transactions (2)."
    }
    assert Location.objects.filter(pk=store.pk).exists()
    assert Profile.objects.get(preferred_location=store)


def test_reading_costs_the_same_however_many_parts_there_are(
    api: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
):
    for _ in range(3):
        store = LocationFactory()
        LocationAddressFactory(location=store)
        for day in ("MON", "TUE"):
            NormalHoursFactory(location=store, day_of_week=day)
            DepartmentFactory(location=store, brand=BrandFactory())
    api.get(PATH)

    with django_assert_max_num_queries(6):
        api.get(PATH)

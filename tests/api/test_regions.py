"""Regions and their countries, by the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from locations.models import Region, RegionMember
from tests.factories import LocationFactory, RegionFactory, RegionMemberFactory

PATH = "/api/v3/regions"
AU, NZ = {"iso_2": "AU"}, {"iso_2": "NZ"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def region() -> Region:
    member = RegionMemberFactory(region__name="ANZ", region__handle="anz", iso="AU")
    return member.region


def path_of(region: Region) -> str:
    return f"{PATH}/{region.pk}"


def test_a_region_is_made_with_its_countries(api: APIClient):
    response = api.post(PATH, {"name": "ANZ", "handle": "anz", "countries": [NZ, AU]})

    data = response.json()["data"]
    assert response.status_code == 201
    assert list(data) == [
        "id",
        "name",
        "handle",
        "is_default",
        "countries",
        "created_at",
        "updated_at",
    ]
    assert (data["is_default"], data["countries"]) == (None, [AU, NZ])


def test_countries_that_are_given_are_the_only_ones(api: APIClient, region: Region):
    assert api.put(path_of(region), {"countries": [NZ]}).json()["data"]["countries"] == [NZ]


def test_countries_that_are_not_given_stay(api: APIClient, region: Region):
    assert api.put(path_of(region), {"name": "A"}).json()["data"]["countries"] == [AU]


def test_a_country_that_stays_is_the_same_row(api: APIClient, region: Region):
    member = region.members.get()

    api.put(path_of(region), {"countries": [AU, NZ, AU]})

    assert region.members.count() == 2
    assert RegionMember.objects.get(iso="AU") == member


def test_states_are_neither_shown_nor_touched(api: APIClient, region: Region):
    RegionMemberFactory(region=region, iso="US-CA")

    data = api.put(path_of(region), {"countries": []}).json()["data"]

    assert data["countries"] == []
    assert [member.iso for member in region.members.all()] == ["US-CA"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"countries": [{"iso_2": "XX"}]}, "countries"),
        ({"countries": [{"iso_2": "au"}]}, "countries"),
        ({"countries": [{"iso_2": "AUS"}]}, "countries.0.iso_2"),
        ({"countries": [{"iso_2": 5}]}, "countries.0.iso_2"),
        ({"countries": [{}]}, "countries.0.iso_2"),
        ({"countries": ["AU"]}, "countries.0"),
        ({"countries": "AU"}, "countries"),
        ({"is_default": "no"}, "is_default"),
        ({"handle": None}, "handle"),
    ],
)
def test_what_is_wrong_is_told(api: APIClient, region: Region, body: dict[str, Any], field: str):
    response = api.put(path_of(region), body)

    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]
    assert [member.iso for member in region.members.all()] == ["AU"]


def test_a_country_is_in_one_region_at_most(api: APIClient, region: Region):
    response = api.post(PATH, {"name": "Other", "handle": "other", "countries": [NZ, AU]})

    assert response.status_code == 422
    assert response.json()["errors"] == {"countries": ["A country is in another region already."]}
    assert not Region.objects.filter(handle="other").exists()


def test_there_is_one_default(api: APIClient, region: Region):
    RegionFactory(is_default=True)

    response = api.put(path_of(region), {"is_default": True})

    assert response.json()["errors"] == {"is_default": ["There is a default region already."]}


def test_it_is_found_by_its_country(api: APIClient, region: Region):
    RegionFactory()

    rows = api.get(f"{PATH}?filter[country]=AU").json()["data"]

    assert [row["handle"] for row in rows] == ["anz"]


def test_one_that_a_location_names_stays(api: APIClient, region: Region):
    LocationFactory(region=region)

    response = api.delete(path_of(region))

    assert response.status_code == 409
    assert response.json()["message"] == "It is in use by locations (1)."


def test_one_that_nobody_names_goes_with_its_countries(api: APIClient, region: Region):
    assert api.delete(path_of(region)).status_code == 204
    assert not RegionMember.objects.exists()

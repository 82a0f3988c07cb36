"""The names of profiles in other systems, by the API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient

from profiles.models import Identity, Profile
from tests.factories import IdentityFactory, ProfileFactory

PATH = "/api/v3/identities"
CARD = {"handle": "card", "identifier": "12/3"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory(first_name="Ada")


@pytest.fixture
def card(profile: Profile) -> Identity:
    return IdentityFactory(profile=profile, **CARD)


def path_of(profile: Profile, below: Any = "") -> str:
    return f"/api/v3/profiles/{profile.pk}/identities{below and '/'}{below}"


def ids(response: Response) -> list:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["data"]]


class TestOfAProfile:
    def test_an_identity_is_made(self, api, profile):
        response = api.post(path_of(profile), CARD)

        data = response.json()["data"]
        assert response.status_code == 201
        assert data.items() >= {**CARD, "is_primary": False, "is_active": True}.items()
        assert response["Location"].endswith(path_of(profile, f"id/{data['id']}"))
        assert api.get(response["Location"]).json()["data"] == data

    def test_the_list_has_the_profiles_own(self, api, profile, card):
        IdentityFactory()

        assert ids(api.get(path_of(profile))) == [card.pk]

    def test_an_identifier_is_there_once_for_a_handle(self, api, card):
        response = api.post(path_of(ProfileFactory()), CARD)

        assert response.status_code == 422
        assert response.json()["errors"] == {"identifier": ["The identifier exists"]}

    def test_the_same_identifier_may_have_another_handle(self, api, profile, card):
        assert api.post(path_of(profile), CARD | {"handle": "app"}).status_code == 201

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"handle": None}, "handle"),
            ({"handle": "my card"}, "handle"),
            ({"handle": "x" * 101}, "handle"),
            ({"identifier": 5}, "identifier"),
            ({"identifier": ""}, "identifier"),
            ({"identifier": "x" * 256}, "identifier"),
            ({"is_primary": "yes"}, "is_primary"),
            ({"is_active": None}, "is_active"),
        ],
    )
    def test_what_is_wrong_is_told(self, api, profile, body, field):
        response = api.post(path_of(profile), CARD | body)

        assert response.status_code == 422
        assert list(response.json()["errors"]) == [field]

    def test_the_newest_primary_is_the_only_one_of_its_handle(self, api, profile, card):
        other = IdentityFactory(profile=profile, handle="app", is_primary=True)
        api.put(path_of(profile, "card"), {"is_primary": True})

        api.post(path_of(profile), {"handle": "card", "identifier": "4", "is_primary": True})

        primary = Identity.objects.filter(is_primary=True)
        assert set(primary.values_list("identifier", flat=True)) == {"4", other.identifier}


class TestByHandle:
    def test_it_is_read_changed_and_deleted(self, api, profile, card):
        path = path_of(profile, "card")

        assert api.get(path).json()["data"]["id"] == card.pk
        assert api.put(path, {"is_active": False}).json()["data"]["is_active"] is False
        assert api.delete(path).status_code == 204
        assert api.get(path).status_code == 404

    def test_of_several_the_primary_one_is_read(self, api, profile, card):
        primary = IdentityFactory(profile=profile, handle="card", is_primary=True)

        assert api.get(path_of(profile, "card")).json()["data"]["id"] == primary.pk

    @pytest.mark.parametrize("method", ["put", "delete"])
    def test_of_several_none_is_changed(self, api, profile, card, method):
        IdentityFactory(profile=profile, handle="card")

        assert getattr(api, method)(path_of(profile, "card"), {}).status_code == 409
        assert profile.identities.count() == 2

    @pytest.mark.parametrize("handle", ["app", "id", "%00"])
    def test_one_that_is_not_there_is_not_found(self, api, profile, card, handle):
        assert api.get(path_of(profile, handle)).status_code == 404


class TestById:
    def test_it_is_read_changed_and_deleted(self, api, profile, card):
        path = path_of(profile, f"id/{card.pk}")

        assert api.get(path).json()["data"]["handle"] == "card"
        assert api.patch(path, {"identifier": "4"}).json()["data"]["identifier"] == "4"
        assert api.delete(path).status_code == 204
        assert api.get(path).status_code == 404

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_that_of_another_profile_is_not_there(self, api, profile, method):
        other = IdentityFactory()

        response = getattr(api, method)(path_of(profile, f"id/{other.pk}"), {})

        assert response.status_code == 404
        assert Identity.objects.filter(pk=other.pk).exists()


class TestOfAll:
    def test_the_list_has_those_of_all_profiles(self, api, card):
        other = IdentityFactory()

        assert ids(api.get(PATH)) == [card.pk, other.pk]
        assert ids(api.get(f"{PATH}?filter[handle]=card")) == [card.pk]

    def test_it_is_only_read(self, api):
        assert api.post(PATH, CARD).status_code == 405

    @pytest.mark.parametrize("identifier", ["12/3", "12%2F3"])
    def test_the_profiles_with_an_identifier_are_found(self, api, profile, card, identifier):
        both = IdentityFactory(handle="app", identifier="12/3").profile
        IdentityFactory(identifier="12")

        found = ids(api.get(f"{PATH}/search-profile/{identifier}"))

        assert found == [str(profile.pk), str(both.pk)]

    def test_a_profile_is_found_once(self, api, profile, card):
        IdentityFactory(profile=profile, handle="app", identifier=card.identifier)

        assert ids(api.get(f"{PATH}/search-profile/{card.identifier}")) == [str(profile.pk)]

    def test_where_nobody_has_it_the_list_is_empty(self, api):
        assert ids(api.get(f"{PATH}/search-profile/nobody")) == []


class TestSearchId:
    PATH = "/api/v3/profiles/search-id"

    def test_it_answers_with_the_profile_that_has_the_identity(self, api, profile, card):
        response = api.post(self.PATH, {"type": "card", "id": "12/3"})

        assert response.status_code == 200
        assert response.json()["data"] == api.get(f"/api/v3/profiles/{profile.pk}").json()["data"]

    @pytest.mark.parametrize(
        "body", [{"type": "app", "id": "12/3"}, {"type": "card", "id": str(uuid4())}]
    )
    def test_where_nobody_has_it_it_is_not_found(self, api, card, body):
        response = api.post(self.PATH, body)

        assert response.status_code == 404
        assert response.json() == {"message": "There is no such profile."}

    def test_one_that_is_not_active_tells_nobody(self, api, profile):
        IdentityFactory(profile=profile, **CARD, is_active=False)

        assert api.post(self.PATH, {"type": "card", "id": "12/3"}).status_code == 404

    def test_a_deleted_profile_is_not_found(self, api, profile, card):
        api.delete(f"/api/v3/profiles/{profile.pk}")

        assert api.post(self.PATH, {"type": "card", "id": "12/3"}).status_code == 404
        assert ids(api.get(f"{PATH}/search-profile/12%2F3")) == []
        assert ids(api.get(PATH)) == []

    @pytest.mark.parametrize("body", [{}, {"type": "card"}, {"type": 1, "id": 2}, []])
    def test_what_is_no_identity_is_refused(self, api: APIClient, body):
        assert api.post(self.PATH, body).status_code == 422

"""Profiles, by the API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.response import Response
from rest_framework.test import APIClient

from profiles.models import Profile, ProfileAddress
from tests.concurrency import another_session
from tests.factories import (
    CurrencyFactory,
    IdentityFactory,
    LocationFactory,
    ProfileAddressFactory,
    ProfileFactory,
    ProfileTierFactory,
    TransactionFactory,
    utc,
)
from tests.waiting import forget_who_waits, who_waits, work_off

PATH = "/api/v3/profiles"

pytestmark = pytest.mark.django_db


def path_of(profile: Profile, action: str = "") -> str:
    return f"{PATH}/{profile.pk}{action}"


def listed(api: APIClient, query: str = "") -> list[str]:
    response = api.get(f"{PATH}?{query}")
    assert response.status_code == 200, response.content
    return [row["first_name"] for row in response.json()["data"]]


def assert_refused(response: Response, *fields: str) -> None:
    assert response.status_code == 422, response.content
    assert list(response.json()["errors"]) == list(fields)


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory(first_name="Ada")


class TestWriting:
    def test_a_profile_needs_nothing(self, api):
        response = api.post(PATH, {})

        assert response.status_code == 201
        assert list(response.json()["data"]) == [
            "id",
            "profile_type",
            "title",
            "first_name",
            "last_name",
            "email",
            "gender",
            "mobile_phone",
            "mobile_phone_country",
            "joined_at",
            "joined_location_id",
            "preferred_location_id",
            "birth_day",
            "birth_month",
            "birth_year",
            "company",
            "occupation",
            "avatar_url",
            "currency",
            "referred_by",
            "tags",
            "addresses",
            "identities",
            "statuses",
            "meta",
            "created_at",
            "updated_at",
        ]

    def test_what_is_given_comes_back(self, api, profile):
        CurrencyFactory(from_code="AUD")
        location = LocationFactory()
        given = {
            "profile_type": "pending",
            "title": "Dr",
            "first_name": "Grace",
            "last_name": "Hopper",
            "email": "Grace@Navy.example",
            "gender": "f",
            "mobile_phone": "+61 400 000 000",
            "mobile_phone_country": "AU",
            "joined_at": "2024-02-29 12:00:00",
            "joined_location_id": location.pk,
            "preferred_location_id": location.pk,
            "birth_day": 29,
            "birth_month": 2,
            "birth_year": 1904,
            "company": "Navy",
            "occupation": "Admiral",
            "avatar_url": "https://navy.example/grace.png",
            "currency": "AUD",
            "referred_by": str(profile.pk),
            "tags": ["vip"],
            "meta": {"shoe": 41.5},
        }

        assert api.post(PATH, given).json()["data"].items() >= given.items()

    def test_it_comes_with_addresses_and_identities(self, api):
        data = api.post(
            PATH,
            {
                "addresses": [{"city": "Perth", "country": "Australia", "is_default": True}],
                "identities": [{"handle": "card", "identifier": "1"}],
            },
        ).json()["data"]

        assert (data["addresses"][0]["city"], data["addresses"][0]["iso"]) == ("Perth", "AU")
        assert data["addresses"][0]["profile_id"] == data["id"]
        assert data["identities"][0].items() >= {"handle": "card", "identifier": "1"}.items()

    def test_addresses_that_are_given_are_the_only_ones(self, api, profile):
        kept = ProfileAddressFactory(profile=profile, city="Perth")
        ProfileAddressFactory(profile=profile)

        data = api.put(
            path_of(profile), {"addresses": [{"id": kept.pk, "postcode": "6000"}, {"city": "X"}]}
        ).json()["data"]

        assert [row["city"] for row in data["addresses"]] == ["Perth", "X"]
        assert data["addresses"][0]["postcode"] == "6000"

    def test_identities_that_are_given_are_added(self, api, profile):
        IdentityFactory(profile=profile, handle="card", identifier="1")
        IdentityFactory(profile=profile, handle="web", identifier="2")

        data = api.put(
            path_of(profile),
            {
                "identities": [
                    {"handle": "card", "identifier": "1", "is_active": False},
                    {"handle": "app", "identifier": "3"},
                ]
            },
        ).json()["data"]

        assert [(row["handle"], row["is_active"]) for row in data["identities"]] == [
            ("card", False),
            ("web", True),
            ("app", True),
        ]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"profile_type": "unknown"}, "profile_type"),
            ({"profile_type": "deleted"}, "profile_type"),
            ({"profile_type": ["active"]}, "profile_type"),
            ({"first_name": 5}, "first_name"),
            ({"first_name": "x" * 256}, "first_name"),
            ({"email": "nobody"}, "email"),
            ({"mobile_phone": 400000000}, "mobile_phone"),
            ({"mobile_phone_country": "AUS"}, "mobile_phone_country"),
            ({"joined_at": "0000-00-00 00:00:00"}, "joined_at"),
            ({"joined_at": "9999-12-31"}, "joined_at"),
            ({"joined_at": "1899-12-31 23:59:59"}, "joined_at"),
            ({"joined_at": "2200-01-01 00:00:00"}, "joined_at"),
            ({"joined_at": "2024-02-30"}, "joined_at"),
            ({"joined_at": True}, "joined_at"),
            ({"joined_location_id": 0}, "joined_location_id"),
            ({"joined_location_id": 10**30}, "joined_location_id"),
            ({"joined_location_id": "1"}, "joined_location_id"),
            ({"birth_day": 32}, "birth_day"),
            ({"birth_day": 31, "birth_month": 4}, "birth_day"),
            ({"birth_day": 29, "birth_month": 2, "birth_year": 2023}, "birth_day"),
            ({"birth_year": 0}, "birth_year"),
            ({"currency": "XYZ"}, "currency"),
            ({"currency": 5}, "currency"),
            ({"referred_by": str(uuid4())}, "referred_by"),
            ({"referred_by": "somebody"}, "referred_by"),
            ({"avatar_url": "ftp"}, "avatar_url"),
            ({"tags": {"vip": True}}, "tags"),
            ({"meta": ["a"]}, "meta"),
            ({"addresses": [{"iso": "XX"}]}, "addresses.0.iso"),
            ({"addresses": [{"id": 1}]}, "addresses.0.id"),
            ({"identities": [{"handle": "card"}]}, "identities.0.identifier"),
            ({"identities": [{"handle": "a b", "identifier": "1"}]}, "identities.0.handle"),
        ],
    )
    def test_what_is_wrong_is_told(self, api, profile, body: dict[str, Any], field):
        before = api.get(path_of(profile)).json()

        assert_refused(api.post(PATH, body), field)
        assert_refused(api.put(path_of(profile), body), field)
        assert api.get(path_of(profile)).json() == before
        assert Profile.objects.count() == 1

    def test_an_email_is_unique_in_any_case(self, api):
        ProfileFactory(email="ada@example.com")

        response = api.post(PATH, {"email": "ADA@Example.com"})

        assert response.status_code == 422
        assert response.json()["errors"] == {"email": ["The email exists"]}

    def test_a_mobile_number_in_use_is_told(self, api):
        ProfileFactory(mobile_phone="+61400")

        response = api.post(PATH, {"mobile_phone": "+61400"})

        assert response.status_code == 422
        assert response.json()["errors"] == {"mobile_phone": ["The phone number exists"]}

    def test_an_identifier_in_use_is_told(self, api):
        IdentityFactory(handle="card", identifier="1")

        response = api.post(PATH, {"identities": [{"handle": "card", "identifier": "1"}]})

        assert response.json()["errors"] == {"identities": ["The identifier exists"]}
        assert Profile.objects.count() == 1

    def test_nothing_of_another_profile_is_told(self, api):
        other = ProfileFactory(first_name="Secret", mobile_phone="+61400")

        answer = api.post(PATH, {"mobile_phone": "+61400"}).content.decode()

        assert "Secret" not in answer
        assert str(other.pk) not in answer

    def test_an_empty_number_or_address_is_none(self, api):
        for _ in range(2):
            response = api.post(PATH, {"mobile_phone": "", "email": ""})
            assert response.status_code == 201
            assert response.json()["data"]["email"] is None

    def test_nobody_refers_himself(self, api, profile):
        response = api.put(path_of(profile), {"referred_by": str(profile.pk)})

        assert_refused(response, "referred_by")

    @pytest.mark.parametrize(
        ("body", "asked"),
        [
            ({"joined_at": "2020-01-01 00:00:00"}, True),
            ({"addresses": [{"iso": "AU"}]}, True),
            ({"first_name": "Grace"}, False),
        ],
    )
    def test_a_recalculation_is_asked_for_where_it_matters(self, api, profile, body, asked):
        forget_who_waits()

        api.put(path_of(profile), body)

        assert who_waits() == ({profile.pk} if asked else set())

    def test_who_referred_is_recalculated_too(self, api, profile):
        forget_who_waits()

        referred = api.post(PATH, {"referred_by": str(profile.pk)}).json()["data"]["id"]

        assert {str(key) for key in who_waits()} == {str(profile.pk), referred}


class TestReading:
    @pytest.mark.parametrize(
        "key",
        [
            "1",
            "nobody",
            "0b9fdb5e-0cbb-4a0e-9a83-5d3c0f0a7d11",
            "0b9fdb5e0cbb4a0e9a835d3c0f0a7d11",
            "%00",
        ],
    )
    def test_one_that_is_not_there_is_not_found(self, api, key):
        response = api.get(f"{PATH}/{key}")

        assert response.status_code == 404
        assert list(response.json()) == ["message"]

    def test_the_list_has_the_oldest_first(self, api):
        for name, written in [("b", "2025-01-02"), ("a", "2025-01-03"), ("c", "2025-01-01")]:
            row = ProfileFactory(first_name=name)
            Profile.objects.filter(pk=row.pk).update(created_at=utc(written))

        assert listed(api) == ["c", "b", "a"]

    @pytest.mark.parametrize(
        "query",
        [
            "filter[email]=ADA@example.COM",
            "filter[mobile_phone]=%2B61400",
            "filter[last_name__istartswith]=love",
            "filter[profile_type]=pending",
            "filter[joined_at__gte]=2024-01-01&filter[joined_at__lt]=2024-01-02",
            "filter[tags__contains]=vip",
            "filter[currency]=AUD",
            "filter[birth_month]=12",
            "filter[preferred_location_id__isnull]=false",
            "filter[referred_by__isnull]=false",
        ],
    )
    def test_it_is_found_by_what_it_says(self, api, profile, query):
        ProfileFactory(
            first_name="Found",
            last_name="Lovelace",
            email="Ada@Example.com",
            mobile_phone="+61400",
            profile_type="pending",
            joined_at=utc("2024-01-01"),
            tags=["vip", "new"],
            currency=CurrencyFactory(from_code="AUD"),
            birth_month=12,
            preferred_location=LocationFactory(),
            referred_by=profile,
        )

        assert listed(api, query) == ["Found"]

    def test_aggregations_can_be_included(self, api, profile):
        TransactionFactory(profile=profile, total=12)

        data = api.get(path_of(profile, "?include=aggregations")).json()["data"]

        assert data["aggregations"] == api.get(path_of(profile, "/aggregations")).json()["data"]
        assert data["aggregations"]["spend_all"] == 12

    def test_they_can_be_included_in_a_list(self, api):
        for total in (1, 2):
            TransactionFactory(total=total)

        rows = api.get(f"{PATH}?include=aggregations").json()["data"]

        assert sorted(row["aggregations"]["spend_all"] for row in rows) == [1, 2]

    def test_they_are_not_there_unless_asked_for(self, api, profile):
        assert "aggregations" not in api.get(path_of(profile)).json()["data"]

    @pytest.mark.parametrize("query", ["include=", "include=x", "include=aggregations,x"])
    def test_what_cannot_be_included_is_refused(self, api, profile, query):
        assert_refused(api.get(path_of(profile, f"?{query}")), "include")
        assert_refused(api.get(f"{PATH}?{query}"), "include")

    @pytest.mark.parametrize("query", ["", "?include=aggregations"])
    def test_a_list_costs_the_same_however_much_there_is_of_each(
        self, api, query, django_assert_max_num_queries: DjangoAssertNumQueries
    ):
        for _ in range(4):
            row = ProfileFactory(currency=CurrencyFactory())
            for _ in range(2):
                IdentityFactory(profile=row)
                ProfileAddressFactory(profile=row)
                ProfileTierFactory(profile=row)
                TransactionFactory(profile=row, location=LocationFactory())
        work_off(moment=timezone.now())
        api.get(f"{PATH}{query}")

        with django_assert_max_num_queries(7):
            api.get(f"{PATH}{query}")


class TestDeleting:
    def test_deleting_keeps_the_profile_and_its_history(self, api, profile):
        TransactionFactory(profile=profile)

        assert api.delete(path_of(profile)).status_code == 204

        profile.refresh_from_db()
        assert profile.profile_type == "deleted"
        assert profile.transactions.exists()

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    @pytest.mark.parametrize("below", ["", "/addresses", "/identities", "/statuses"])
    def test_what_is_deleted_is_not_there(self, api, profile, method, below):
        api.delete(path_of(profile))

        response = getattr(api, method)(path_of(profile, below))

        assert response.status_code in ({404} if method == "get" or not below else {404, 405})

    def test_it_is_in_the_list_of_who_asks_for_it(self, api, profile):
        ProfileFactory(first_name="Active")
        api.delete(path_of(profile))

        assert listed(api) == ["Active"]
        assert listed(api, "filter[profile_type]=deleted") == ["Ada"]
        assert sorted(listed(api, "filter[profile_type__in]=deleted,active")) == ["Active", "Ada"]

    def test_update_type_brings_it_back(self, api, profile):
        api.delete(path_of(profile))

        response = api.put(path_of(profile, "/update-type"), {"profile_type": "active"})

        assert response.json()["data"]["profile_type"] == "active"
        assert api.get(path_of(profile)).status_code == 200

    @pytest.mark.parametrize("profile_type", Profile.Type.values)
    def test_every_type_can_be_given(self, api, profile, profile_type):
        response = api.put(path_of(profile, "/update-type"), {"profile_type": profile_type})

        assert response.json()["data"]["profile_type"] == profile_type

    @pytest.mark.parametrize("body", [{}, {"profile_type": None}, {"profile_type": "gone"}])
    def test_what_is_no_type_is_refused(self, api, profile, body):
        assert_refused(api.put(path_of(profile, "/update-type"), body), "profile_type")

    def test_a_type_that_there_is_not_is_refused_with_those_there_are(self, api, profile):
        response = api.put(path_of(profile, "/update-type"), {"profile_type": "gone"})

        (told,) = response.json()["errors"]["profile_type"]
        assert told == f"One of these is wanted: {', '.join(Profile.Type.values)}."

    def test_its_number_stays_taken(self, api):
        profile = ProfileFactory(mobile_phone="+61400")
        api.delete(path_of(profile))

        assert_refused(api.post(PATH, {"mobile_phone": "+61400"}), "mobile_phone")

    @pytest.mark.parametrize("method", ["post", "delete"])
    @pytest.mark.parametrize("is_deleted_before", [True, False])
    def test_a_purge_is_for_good(self, api, profile, method, is_deleted_before):
        if is_deleted_before:
            api.delete(path_of(profile))

        assert getattr(api, method)(path_of(profile, "/purge")).status_code == 204
        assert not Profile.objects.exists()
        assert getattr(api, method)(path_of(profile, "/purge")).status_code == 404


class TestMerging:
    @pytest.fixture
    def other(self) -> Profile:
        return ProfileFactory(last_name="Lovelace")

    def merge(self, api: APIClient, source: Any, destination: Any) -> Response:
        body = {"source_profile_id": source, "destination_profile_id": destination}
        return api.post(f"{PATH}/merge", body)

    def test_it_answers_with_the_destination(self, api, profile, other):
        IdentityFactory(profile=profile, handle="card", identifier="1")

        response = self.merge(api, str(profile.pk), str(other.pk))

        data = response.json()["data"]
        assert response.status_code == 200
        assert (data["id"], data["first_name"]) == (str(other.pk), "Ada")
        assert data["identities"][0]["identifier"] == "1"

    def test_the_source_is_not_there_any_more(self, api, profile, other):
        self.merge(api, str(profile.pk), str(other.pk))

        assert api.get(path_of(profile)).status_code == 404

    def test_both_must_be_there(self, api, profile, other):
        api.delete(path_of(other))

        response = self.merge(api, str(other.pk), str(uuid4()))

        assert_refused(response, "source_profile_id", "destination_profile_id")

    def test_a_profile_is_not_merged_into_itself(self, api, profile):
        response = self.merge(api, str(profile.pk), str(profile.pk))

        assert_refused(response, "destination_profile_id")

    @pytest.mark.parametrize("key", [None, 5, "", "nobody", ["a"]])
    def test_what_is_no_id_is_refused(self, api, profile, key):
        assert_refused(self.merge(api, key, str(profile.pk)), "source_profile_id")


class TestAddresses:
    def test_an_address_is_made_read_changed_and_deleted(self, api, profile):
        made = api.post(path_of(profile, "/addresses"), {"city": "Perth"})
        assert made.status_code == 201

        place = made["Location"]
        assert api.get(place).json()["data"]["city"] == "Perth"
        assert api.put(place, {"city": "Broome"}).json()["data"]["city"] == "Broome"
        assert api.delete(place).status_code == 204
        assert api.get(place).status_code == 404

    def test_the_newest_default_is_the_only_one(self, api, profile):
        first = ProfileAddressFactory(profile=profile, is_default=True)
        elsewhere = ProfileAddressFactory(is_default=True)

        api.post(path_of(profile, "/addresses"), {"is_default": True})

        first.refresh_from_db()
        elsewhere.refresh_from_db()
        assert (first.is_default, elsewhere.is_default) == (False, True)

    def test_an_id_in_the_body_changes_no_other_row(self, api, profile):
        other = ProfileAddressFactory(city="Perth")

        made = api.post(path_of(profile, "/addresses"), {"id": other.pk, "city": "X"})

        assert made.json()["data"]["id"] != other.pk
        assert ProfileAddress.objects.get(pk=other.pk).city == "Perth"

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_that_of_another_profile_is_not_there(self, api, profile, method):
        other = ProfileAddressFactory()

        response = getattr(api, method)(path_of(profile, f"/addresses/{other.pk}"))

        assert response.status_code == 404

    def test_below_a_profile_that_is_not_there_is_nothing(self, api):
        assert api.get(f"{PATH}/{uuid4()}/addresses").status_code == 404
        assert api.post(f"{PATH}/{uuid4()}/addresses", {}).status_code == 404


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    def test_of_two_who_take_a_number_one_is_told_that_it_exists(self, api):
        body = {"mobile_phone": "+61400"}
        with another_session() as other:
            other.begin()
            assert other.do(api.post, PATH, body).status_code == 201
            with another_session() as late:
                answer = late.start(api.post, PATH, body)
                late.wait_until_blocked()
                other.commit()

                response = answer.result()

        assert response.status_code == 422
        assert response.json()["errors"] == {"mobile_phone": ["The phone number exists"]}

    def test_two_who_change_different_fields_both_succeed(self, api, profile):
        with another_session() as other:
            other.begin()
            other.do(api.put, path_of(profile), {"last_name": "Lovelace"})
            with another_session() as late:
                answer = late.start(api.put, path_of(profile), {"company": "Engines"})
                late.wait_until_blocked()
                other.commit()
                answer.result()

        profile.refresh_from_db()
        assert (profile.last_name, profile.company) == ("Lovelace", "Engines")

    def test_what_somebody_begins_to_use_is_not_deleted(self, api, profile):
        location = LocationFactory()
        with another_session() as other:
            other.begin()
            other.do(api.put, path_of(profile), {"joined_location_id": location.pk})
            with another_session() as late:
                answer = late.start(api.delete, f"/api/v3/locations/{location.pk}")
                late.wait_until_blocked()
                other.commit()

                response = answer.result()

        assert response.status_code == 409

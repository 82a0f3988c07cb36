"""Transactions one by one, as a point of sale or a web shop posts them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Model
from pytest_django import DjangoAssertNumQueries
from rest_framework.response import Response
from rest_framework.test import APIClient

from aggregations.models import RecalculationRequest
from locations.models import Brand, Location
from profiles.models import Profile, Transaction, TransactionItem
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
from tests.waiting import work_off

PATH = "/api/v3/transactions"
WRITTEN = utc("2025-06-30 08:05:09.987654")
TABLES = [Transaction, TransactionItem, Location, Brand, RecalculationRequest]

pytestmark = pytest.mark.django_db


def path_of(row: Transaction) -> str:
    return f"{PATH}/{row.pk}"


def everything() -> dict[type[Model], list[dict[str, Any]]]:
    return {model: list(model.objects.order_by("pk").values()) for model in TABLES}


def assert_refused(response: Response, *fields: str, status: int = 422) -> None:
    assert response.status_code == status, response.content
    assert list(response.json()["errors"]) == list(fields)


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory(email="ann@example.com")


@pytest.fixture
def body(profile: Profile) -> dict[str, Any]:
    """All that a new transaction needs."""
    return {"profile_id": str(profile.id), "total": 10}


@pytest.fixture
def row(profile: Profile) -> Transaction:
    return TransactionFactory(profile=profile, external_id="T-1", total=100)


class TestReading:
    def test_a_transaction_comes_with_its_items(self, api: APIClient, profile: Profile):
        currency = CurrencyFactory(from_code="AUD", rate="0.65")
        row = TransactionFactory(
            profile=profile,
            external_id="T-1",
            location=LocationFactory(),
            total="12.50",
            total_original="20",
            currency=currency,
            systems=["pos"],
            tags=["sale"],
            timezone="Australia/Melbourne",
            transacted_at=WRITTEN,
            meta={"till": 4},
        )
        item = TransactionItemFactory(
            transaction=row,
            name="Socks",
            quantity="2.5",
            price_current="5",
            brand=BrandFactory(name="Acme"),
            product_variant={"size": "XL"},
            discounts=[{"amount": 0.5, "reason_desc": "Staff"}],
        )
        Transaction.objects.update(created_at=WRITTEN, updated_at=WRITTEN)
        TransactionItem.objects.update(created_at=WRITTEN, updated_at=WRITTEN)

        response = api.get(path_of(row))

        assert response.status_code == 200
        assert response.json() == {
            "data": {
                "id": row.id,
                "profile_id": str(profile.id),
                "external_id": "T-1",
                "receipt_ref": None,
                "location_id": row.location_id,
                "total": 12.5,
                "total_original": 20,
                "rounding": None,
                "margin": None,
                "currency": "AUD",
                "currency_rate": 0.65,
                "systems": ["pos"],
                "tags": ["sale"],
                "timezone": "Australia/Melbourne",
                "transacted_at": "2025-06-30 08:05:09",
                "is_void": False,
                "meta": {"till": 4},
                "items": [
                    {
                        "id": item.id,
                        "name": "Socks",
                        "sku": None,
                        "quantity": 2.5,
                        "price_current": 5,
                        "price_sell": None,
                        "price_original": None,
                        "price_tax": None,
                        "brand": "Acme",
                        "product_variant": {"size": "XL"},
                        "discounts": [{"amount": 0.5, "reason_desc": "Staff"}],
                        "is_void": False,
                        "created_at": "2025-06-30 08:05:09",
                        "updated_at": "2025-06-30 08:05:09",
                    }
                ],
                "created_at": "2025-06-30 08:05:09",
                "updated_at": "2025-06-30 08:05:09",
            }
        }

    def test_one_is_found_by_its_external_id(self, api: APIClient, row: Transaction):
        response = api.get(f"{PATH}/external/T-1")

        assert response.json() == api.get(path_of(row)).json()

    @pytest.mark.parametrize("external_id", ["a/b", "a b", "ü%?#", "batch"])
    def test_an_external_id_may_be_any_text(self, api: APIClient, external_id: str):
        row = TransactionFactory(external_id=external_id)

        encoded = "".join(f"%{byte:02X}" for byte in external_id.encode())
        response = api.get(f"{PATH}/external/{encoded}")

        assert response.json()["data"]["id"] == row.id

    @pytest.mark.parametrize(
        "path", ["4711", "nobody", "0", "%00", "9" * 40, "external/nobody", "external/%00"]
    )
    def test_one_that_is_not_there_is_not_found(self, api: APIClient, path: str):
        response = api.get(f"{PATH}/{path}")

        assert response.status_code == 404
        assert list(response.json()) == ["message"]

    def test_a_list_takes_as_many_queries_however_long_it_is(
        self, api: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
    ):
        for _ in range(5):
            TransactionItemFactory(
                transaction=TransactionFactory(currency=CurrencyFactory()), brand=BrandFactory()
            )

        with django_assert_max_num_queries(5):
            response = api.get(PATH)

        assert response.json()["meta"]["total"] == 5
        assert all(len(each["items"]) == 1 for each in response.json()["data"])


class TestLists:
    def ids(self, response: Response) -> list[int]:
        assert response.status_code == 200, response.content
        return [each["id"] for each in response.json()["data"]]

    @pytest.mark.parametrize(
        "asked",
        [
            "filter[profile_id]={profile}",
            "filter[external_id]=T-1",
            "filter[external_id__in]=T-1,T-9",
            "filter[location_id]={location}",
            "filter[currency]=AUD",
            "filter[systems]=web",
            "filter[tags]=sale",
            "filter[is_void]=true",
            "filter[total__lt]=5",
            "filter[transacted_at__gte]=2025-06-30 08:00:00",
            "filter[receipt_ref]=R-1",
        ],
    )
    def test_are_filtered(self, api: APIClient, profile: Profile, asked: str):
        other = TransactionFactory(external_id="T-2", transacted_at=utc("2025-06-30 07:59:59"))
        location = LocationFactory()
        wanted = TransactionFactory(
            profile=profile,
            external_id="T-1",
            receipt_ref="R-1",
            location=location,
            currency=CurrencyFactory(from_code="AUD"),
            systems=["pos", "web"],
            tags=["sale"],
            is_void=True,
            total=1,
            transacted_at=utc("2025-06-30 08:00:00"),
        )

        response = api.get(f"{PATH}?{asked.format(profile=profile.id, location=location.id)}")

        assert other.id != wanted.id
        assert self.ids(response) == [wanted.id]

    @pytest.mark.parametrize(
        "asked",
        [
            "filter[name]=x",
            "filter[total__in]=1",
            "filter[total]=much",
            "sort=name",
            "page[size]=201",
        ],
    )
    def test_what_cannot_be_asked_for_is_refused(self, api: APIClient, asked: str):
        response = api.get(f"{PATH}?{asked}")

        assert_refused(response, asked.split("=")[0])

    def test_are_sorted(self, api: APIClient):
        rows = [TransactionFactory(total=total) for total in (5, -1, 7)]

        response = api.get(f"{PATH}?sort=-total")

        assert self.ids(response) == [rows[2].id, rows[0].id, rows[1].id]

    def test_are_walked_to_the_end_by_cursor(self, api: APIClient):
        rows = [TransactionFactory() for _ in range(5)]

        walked, link = [], f"{PATH}?page[size]=2&page[cursor]=&sort=-transacted_at"
        while link:
            response = api.get(link)
            walked += self.ids(response)
            link = response.json()["links"]["next"]

        assert sorted(walked) == [row.id for row in rows]


class TestCreating:
    def test_a_sale_is_created(self, api: APIClient, profile: Profile):
        response = api.post(
            PATH,
            {
                "profile_id": "ANN@example.com",
                "profile_id_handle": "email",
                "external_id": "T-1",
                "location_id": "S-1",
                "total": 12.5,
                "currency": "USD",
                "systems": ["pos"],
                "transacted_at": "2025-06-30T18:05:00+10:00",
                "items": [{"name": "Socks", "product_variant": {"brand": "Acme"}}],
            },
        )

        row = Transaction.objects.get()
        assert response.status_code == 201
        assert response["Location"] == f"http://testserver{path_of(row)}"
        assert response.json() == api.get(path_of(row)).json()
        assert row.profile == profile
        assert row.location.external_id == "S-1"
        assert row.transacted_at == utc("2025-06-30 08:05")
        assert row.items.get().brand.name == "Acme"

    def test_an_external_id_that_is_taken_is_refused(
        self, api: APIClient, row: Transaction, body: dict[str, Any]
    ):
        response = api.post(PATH, body | {"external_id": "T-1"})

        assert_refused(response, "external_id")
        assert Transaction.objects.get().total == 100

    def test_an_id_is_the_servers_affair(
        self, api: APIClient, row: Transaction, body: dict[str, Any]
    ):
        response = api.post(PATH, body | {"id": row.id})

        assert response.status_code == 201
        assert response.json()["data"]["id"] != row.id

    def test_what_nobody_knows_is_passed_over(self, api: APIClient, body: dict[str, Any]):
        assert api.post(PATH, body | {"shoe_size": 44}).status_code == 201

    def test_a_sale_takes_as_many_queries_however_long_the_receipt_is(
        self,
        api: APIClient,
        body: dict[str, Any],
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ):
        brands = [BrandFactory() for _ in range(20)]
        items = [{"name": brand.name, "brand": brand.name} for brand in brands]
        location = LocationFactory()

        with django_assert_max_num_queries(20):
            response = api.post(
                PATH, body | {"items": items, "currency": "USD", "location_id": location.id}
            )

        assert response.status_code == 201


TOO_LONG = "x" * 256
WRONG = {
    "nobody": ({"profile_id": str(uuid4())}, "profile_id"),
    "null profile": ({"profile_id": None}, "profile_id"),
    "number profile": ({"profile_id": 5}, "profile_id"),
    "unknown identity": ({"profile_id_handle": "loyalty"}, "profile_id"),
    "no email": ({"profile_id_handle": "email"}, "profile_id"),
    "total null": ({"total": None}, "total"),
    "total text": ({"total": "10"}, "total"),
    "total true": ({"total": True}, "total"),
    "total list": ({"total": [1]}, "total"),
    "too many decimals": ({"total": 0.001}, "total"),
    "too many digits": ({"total": 1e12}, "total"),
    "huge": ({"total": 1e300}, "total"),
    "infinity as text": ({"total": "Infinity"}, "total"),
    "original too long": ({"total_original": 10**12}, "total_original"),
    "rounding": ({"rounding": "x"}, "rounding"),
    "margin": ({"margin": {}}, "margin"),
    "unknown currency": ({"currency": "XXX"}, "currency"),
    "unknown currency key": ({"currency": 4711}, "currency"),
    "currency list": ({"currency": ["USD"]}, "currency"),
    "external id too long": ({"external_id": TOO_LONG}, "external_id"),
    "external id number": ({"external_id": 5}, "external_id"),
    "receipt too long": ({"receipt_ref": TOO_LONG}, "receipt_ref"),
    "location too long": ({"location_id": TOO_LONG}, "location_id"),
    "location float": ({"location_id": 1.5}, "location_id"),
    "location true": ({"location_id": True}, "location_id"),
    "systems text": ({"systems": "pos"}, "systems"),
    "systems too long": ({"systems": ["x" * 51]}, "systems.0"),
    "tags number": ({"tags": [5]}, "tags.0"),
    "zone": ({"timezone": "Mars/Base"}, "timezone"),
    "zone path": ({"timezone": "../../etc/passwd"}, "timezone"),
    "year 0": ({"transacted_at": "0000-01-01 00:00:00"}, "transacted_at"),
    "year 1": ({"transacted_at": "0001-01-01T00:00:00+14:00"}, "transacted_at"),
    "year 9999": ({"transacted_at": "9999-12-31T23:59:59-14:00"}, "transacted_at"),
    "no time": ({"transacted_at": "yesterday"}, "transacted_at"),
    "time number": ({"transacted_at": 1751270700}, "transacted_at"),
    "no such day": ({"transacted_at": "2025-02-30 00:00:00"}, "transacted_at"),
    "time null": ({"transacted_at": None}, "transacted_at"),
    "void text": ({"is_void": "yes"}, "is_void"),
    "void null": ({"is_void": None}, "is_void"),
    "meta list": ({"meta": [1]}, "meta"),
    "items object": ({"items": {}}, "items"),
    "items text": ({"items": ["socks"]}, "items.0"),
    "too many items": ({"items": [{}] * 1001}, "items"),
    "quantity": ({"items": [{}, {"quantity": 1.0001}]}, "items.1.quantity"),
    "quantity too large": ({"items": [{"quantity": 10**9}]}, "items.0.quantity"),
    "price": ({"items": [{"price_current": "5"}]}, "items.0.price_current"),
    "brand too long": ({"items": [{"brand": TOO_LONG}]}, "items.0.brand"),
    "brand number": ({"items": [{"brand": 5}]}, "items.0.brand"),
    "brand name no text": ({"items": [{"brand": {"name": 0, "handle": "acme"}}]}, "items.0.brand"),
    "variant text": ({"items": [{"product_variant": "x"}]}, "items.0.product_variant"),
    "variants brand": (
        {"items": [{"product_variant": {"brand": 5}}]},
        "items.0.product_variant.brand",
    ),
    "discount": (
        {"items": [{"discounts": [{"amount": 0.001}]}]},
        "items.0.discounts.0.amount",
    ),
}
UNREADABLE = {
    "NaN": '{"total": NaN}',
    "infinity": '{"total": Infinity}',
    "exponent": '{"total": 1e999}',
    "null character": r'{"total": 1, "receipt_ref": "a\u0000b"}',
    "bell in meta": r'{"total": 1, "meta": {"a": "\u0007"}}',
    "half a character": r'{"total": 1, "meta": {"a": "\ud800"}}',
    "deep": '{"total": 1, "meta": ' + '{"a":' * 200 + "1" + "}" * 200 + "}",
    "cut off": '{"total": 1',
}


@pytest.mark.parametrize(("fields", "told"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("method", ["post", "update-create", "put"])
def test_a_wrong_value_is_told_and_changes_nothing(
    api: APIClient, body: dict[str, Any], row: Transaction, fields: dict, told: str, method: str
):
    new = {"location_id": "S-9", "items": [{"brand": "New"}]}
    wrong = new | body | fields
    before = everything()

    if method == "put":
        response = api.put(path_of(row), wrong)
    else:
        response = api.post(PATH if method == "post" else f"{PATH}/{method}", wrong)

    assert_refused(response, told)
    assert everything() == before


def test_a_fault_of_ours_is_not_told_as_one_of_the_client(api: APIClient, body: dict[str, Any]):
    api.raise_request_exception = False
    before = everything()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE locations_brand RENAME TO gone")

    response = api.post(PATH, body | {"items": [{"brand": "New"}]})

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE gone RENAME TO locations_brand")
    assert response.status_code == 500
    assert everything() == before


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_changes_nothing(
    api: APIClient, profile: Profile, row: Transaction, text: str
):
    before = everything()

    response = api.generic("PUT", path_of(row), text, content_type="application/json")

    assert response.status_code == 400
    assert everything() == before


@pytest.mark.parametrize("data", [[], [{}], 5, "x", None])
def test_a_body_that_is_no_object_is_refused(api: APIClient, data: Any):
    assert api.post(PATH, data).status_code == 422


class TestUpdating:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_the_fields_that_are_given_are_updated(
        self, api: APIClient, row: Transaction, method: str
    ):
        response = getattr(api, method)(path_of(row), {"receipt_ref": "R-1"})

        assert response.status_code == 200
        assert response.json() == api.get(path_of(row)).json()
        assert response.json()["data"]["receipt_ref"] == "R-1"
        assert response.json()["data"]["total"] == 100

    def test_what_was_read_can_be_written_back_and_changes_nothing(
        self, api: APIClient, profile: Profile
    ):
        row = TransactionFactory(
            profile=profile, currency=CurrencyFactory(rate=2), location=LocationFactory()
        )
        TransactionItemFactory(transaction=row, brand=BrandFactory())
        read = api.get(path_of(row)).json()
        before = everything()

        response = api.put(path_of(row), read["data"])

        assert response.json() == read
        assert everything() == before

    def test_an_id_in_the_body_means_nothing(self, api: APIClient, row: Transaction):
        other = TransactionFactory(total=5)

        api.put(path_of(row), {"id": other.id, "total": 7})

        assert Transaction.objects.get(pk=row.pk).total == 7
        assert Transaction.objects.get(pk=other.pk).total == 5

    def test_the_external_id_of_another_is_refused(self, api: APIClient, row: Transaction):
        other = TransactionFactory(external_id="T-2")

        response = api.put(path_of(other), {"external_id": "T-1"})

        assert_refused(response, "external_id")

    def test_one_that_is_not_there_is_not_found(self, api: APIClient):
        assert api.put(f"{PATH}/4711", {"total": 1}).status_code == 404

    def test_a_move_leaves_both_rows_true(self, api: APIClient, moment: datetime):
        row = TransactionFactory(total=100)
        TransactionItemFactory(transaction=row, brand=BrandFactory())
        other = ProfileFactory()
        work_off(moment=moment)

        response = api.patch(path_of(row), {"profile_id": str(other.id)})

        assert response.json()["data"]["profile_id"] == str(other.id)
        work_off(moment=moment)
        assert differences([row.profile_id, other.id], moment=moment) == []

    def test_a_void_leaves_the_row_true(self, api: APIClient, row: Transaction, moment: datetime):
        TransactionItemFactory(transaction=row, brand=BrandFactory())
        work_off(moment=moment)

        api.patch(path_of(row), {"is_void": True})

        work_off(moment=moment)
        assert row.profile.aggregation.spend_all == 0
        assert differences([row.profile_id], moment=moment) == []


class TestDeleting:
    def test_one_is_gone_with_its_items(self, api: APIClient, row: Transaction):
        TransactionItemFactory(transaction=row)

        response = api.delete(path_of(row))

        assert (response.status_code, response.content) == (204, b"")
        assert not Transaction.objects.exists()
        assert not TransactionItem.objects.exists()

    def test_the_row_of_its_profile_is_true_after_it(
        self, api: APIClient, row: Transaction, moment: datetime
    ):
        work_off(moment=moment)

        api.delete(path_of(row))

        work_off(moment=moment)
        assert row.profile.aggregation.shop_count == 0
        assert differences([row.profile_id], moment=moment) == []

    def test_one_that_is_not_there_is_not_found(self, api: APIClient):
        assert api.delete(f"{PATH}/4711").status_code == 404


class TestUpdateCreate:
    def post(self, api: APIClient, body: dict[str, Any]) -> Response:
        return api.post(f"{PATH}/update-create", body)

    def test_one_that_nobody_knows_is_created(self, api: APIClient, body: dict[str, Any]):
        response = self.post(api, body | {"external_id": "T-1"})

        row = Transaction.objects.get()
        assert response.status_code == 201
        assert response["Location"] == f"http://testserver{path_of(row)}"
        assert response.json()["data"]["id"] == row.id

    def test_one_is_found_by_its_external_id(self, api: APIClient, row: Transaction):
        response = self.post(api, {"external_id": "T-1", "total": 7})

        assert response.status_code == 200
        assert response.json()["data"]["id"] == row.id
        assert Transaction.objects.get().total == 7

    def test_one_is_else_found_by_its_id(self, api: APIClient, row: Transaction):
        response = self.post(api, {"id": row.id, "external_id": "T-2", "total": 7})

        assert response.status_code == 200
        assert Transaction.objects.get().external_id == "T-2"

    def test_to_post_a_sale_again_changes_nothing(self, api: APIClient, body: dict[str, Any]):
        sale = body | {"external_id": "T-1", "items": [{"name": "Socks", "brand": "Acme"}]}
        first = self.post(api, sale)
        before = everything()

        again = self.post(api, sale)

        assert again.json() == first.json()
        assert everything() == before


class TestOfOneProfile:
    @pytest.fixture
    def path(self, profile: Profile) -> str:
        return f"/api/v3/profiles/{profile.id}/transactions"

    def test_the_profiles_own_are_listed(self, api: APIClient, path: str, row: Transaction):
        TransactionFactory()

        assert [each["id"] for each in api.get(path).json()["data"]] == [row.id]

    def test_one_is_created(self, api: APIClient, path: str, profile: Profile):
        response = api.post(path, {"total": 10})

        row = Transaction.objects.get()
        assert response.status_code == 201
        assert response["Location"] == f"http://testserver{path}/{row.id}"
        assert row.profile == profile

    def test_the_path_says_whose_it_is(self, api: APIClient, path: str, profile: Profile):
        IdentityFactory(handle="loyalty", identifier="42")

        api.post(path, {"total": 10, "profile_id": "42", "profile_id_handle": "loyalty"})

        assert Transaction.objects.get().profile == profile

    def test_one_is_read_updated_and_deleted(self, api: APIClient, path: str, row: Transaction):
        assert api.get(f"{path}/{row.id}").json() == api.get(path_of(row)).json()
        assert api.put(f"{path}/{row.id}", {"total": 7}).json()["data"]["total"] == 7
        assert api.delete(f"{path}/{row.id}").status_code == 204

    def test_one_moves_to_another_profile(self, api: APIClient, path: str, row: Transaction):
        other = ProfileFactory()

        response = api.put(f"{path}/{row.id}", {"profile_id": str(other.id)})

        assert response.json()["data"]["profile_id"] == str(other.id)

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_anothers_is_not_there(self, api: APIClient, path: str, method: str):
        foreign = TransactionFactory(total=100)

        response = getattr(api, method)(f"{path}/{foreign.id}")

        assert response.status_code == 404
        assert Transaction.objects.get().total == 100

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_deleted_profile_is_not_found(
        self, api: APIClient, path: str, row: Transaction, method: str
    ):
        Profile.objects.update(profile_type=Profile.Type.DELETED)

        assert getattr(api, method)(path, {}).status_code == 404

    @pytest.mark.parametrize("name", ["0b9fdb5e-0cbb-4a0e-9a83-5d3c0f0a7d11", "nobody", "%00"])
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_profile_that_nobody_knows_is_not_found(self, api: APIClient, name: Any, method: str):
        response = getattr(api, method)(f"/api/v3/profiles/{name}/transactions")

        assert response.status_code == 404


WRITES = [
    ("post", PATH),
    ("post", f"{PATH}/update-create"),
    ("post", f"{PATH}/batch"),
    ("post", f"{PATH}/queue"),
    ("put", f"{PATH}/1"),
    ("patch", f"{PATH}/1"),
    ("delete", f"{PATH}/1"),
]
READS = [("get", PATH), ("get", f"{PATH}/1"), ("get", f"{PATH}/external/T-1")]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writing_needs_the_scope_to_write(client_with: Callable, method: str, path: str):
    client = client_with("transactions:read", "profiles:write")

    assert getattr(client, method)(path, {}).status_code == 403


@pytest.mark.parametrize(("method", "path"), READS)
def test_reading_needs_the_scope_to_read(client_with: Callable, method: str, path: str):
    client = client_with("transactions:write", "profiles:read")

    assert getattr(client, method)(path).status_code == 403


@pytest.mark.parametrize(("method", "path"), WRITES + READS)
def test_nothing_is_done_without_a_token(method: str, path: str):
    assert getattr(APIClient(), method)(path).status_code == 401

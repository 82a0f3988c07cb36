"""Currencies and their rates, by the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from profiles.models import Currency, Transaction
from tests.factories import CurrencyFactory, ProfileFactory, TransactionFactory

PATH = "/api/v3/currencies"
AUD = {"from": "AUD", "to": "USD", "rate": 0.65}

pytestmark = pytest.mark.django_db


@pytest.fixture
def currency() -> Currency:
    return CurrencyFactory(from_code="AUD", rate="0.65")


def test_a_new_installation_has_its_system_currency(api: APIClient):
    row = api.get(f"{PATH}?filter[is_system]=true").json()["data"][0]

    assert (row["from"], row["to"], row["rate"], row["is_system"]) == ("USD", "USD", 1, True)


def test_a_currency_is_made_by_its_codes_and_rate(api: APIClient):
    response = api.post(PATH, AUD)

    data = response.json()["data"]
    assert response.status_code == 201
    assert list(data) == ["id", "from", "to", "rate", "is_system", "created_at", "updated_at"]
    assert data.items() >= {**AUD, "is_system": False}.items()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "aud"}, "from"),
        ({"from": "AUDX"}, "from"),
        ({"to": None}, "to"),
        ({"rate": 0}, "rate"),
        ({"rate": -1}, "rate"),
        ({"rate": "0.65"}, "rate"),
        ({"rate": True}, "rate"),
        ({"rate": 0.123456789}, "rate"),
        ({"rate": 12345678901}, "rate"),
        ({"rate": 1e300}, "rate"),
        ({"rate": None}, "rate"),
    ],
)
def test_what_is_wrong_is_told(api: APIClient, body: dict[str, Any], field: str):
    response = api.post(PATH, AUD | body)

    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]


def test_a_pair_is_there_once(api: APIClient, currency: Currency):
    assert list(api.post(PATH, AUD).json()["errors"]) == ["from"]


def test_there_is_one_system_currency(api: APIClient, currency: Currency):
    response = api.put(f"{PATH}/{currency.pk}", {"is_system": True, "rate": 1})

    assert response.json()["errors"] == {"is_system": ["There is a system currency already."]}


def test_the_system_currencys_rate_is_one(api: APIClient):
    system = Currency.objects.get()

    response = api.put(f"{PATH}/{system.pk}", {"rate": 2})

    assert response.json()["errors"] == {"rate": ["The system currency's rate is 1."]}


def test_a_new_rate_is_for_later_transactions(api: APIClient, currency: Currency):
    TransactionFactory(currency=currency)

    api.put(f"{PATH}/{currency.pk}", {"rate": 0.7})

    assert Transaction.objects.get().currency_rate == Decimal("0.65")


def test_they_are_filtered_and_sorted_by_the_names_that_they_have_here(
    api: APIClient, currency: Currency
):
    CurrencyFactory(from_code="NZD", rate="0.6")

    filtered = api.get(f"{PATH}?filter[from]=NZD").json()["data"]
    in_order = api.get(f"{PATH}?sort=-from").json()["data"]

    assert [row["from"] for row in filtered] == ["NZD"]
    assert [row["from"] for row in in_order] == ["USD", "NZD", "AUD"]


def test_what_is_in_use_stays(api: APIClient, currency: Currency):
    TransactionFactory(currency=currency)
    ProfileFactory(currency=currency)

    response = api.delete(f"{PATH}/{currency.pk}")

    assert response.status_code == 409
    assert response.json()["message"] == "It is in use by profiles (1), transactions (1)."


def test_the_system_currency_stays(api: APIClient):
    response = api.delete(f"{PATH}/{Currency.objects.get().pk}")

    assert response.status_code == 409
    assert response.json()["message"] == "It is the system currency."


def test_what_nobody_uses_goes(api: APIClient, currency: Currency):
    assert api.delete(f"{PATH}/{currency.pk}").status_code == 204

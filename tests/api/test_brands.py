"""Brands, by the API. What all resources do alike is in the tests of bodies and lists."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from tests.factories import BrandFactory, DepartmentFactory, TransactionItemFactory
from tests.waiting import forget_who_waits, who_waits

PATH = "/api/v3/brands"

pytestmark = pytest.mark.django_db


def test_a_brand_says_all_of_itself(api: APIClient):
    data = api.post(PATH, {"name": "Acme", "handle": "acme"}).json()["data"]

    assert list(data) == [
        "id",
        "name",
        "handle",
        "external_id",
        "external_code",
        "description",
        "short_description",
        "url",
        "image_url",
        "internal_note",
        "meta",
        "created_at",
        "updated_at",
    ]


def test_one_that_is_bought_or_sold_stays(api: APIClient):
    brand = BrandFactory()
    TransactionItemFactory(brand=brand)
    DepartmentFactory(brand=brand)

    response = api.delete(f"{PATH}/{brand.pk}")

    assert response.status_code == 409
    assert response.json()["message"] == "It is in use by departments (1), items (1)."


def test_a_new_name_asks_for_the_recalculation_of_its_buyers(api: APIClient):
    item = TransactionItemFactory(brand=BrandFactory())
    forget_who_waits()

    api.put(f"{PATH}/{item.brand_id}", {"name": "Apex"})

    assert who_waits() == {item.profile_id}

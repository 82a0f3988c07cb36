"""Each resource has a scope to read it and one to write it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from omneo.api.models import RESOURCES
from tests.factories import ProfileFactory

pytestmark = pytest.mark.django_db

LISTS = sorted({*RESOURCES} - {"aggregations"})
BELOW_PROFILE = ["addresses", "identities", "statuses"]


@pytest.mark.parametrize("resource", LISTS)
def test_the_scope_to_read_lets_read(resource: str, client_with: Callable[..., APIClient]):
    client = client_with(f"{resource}:read")

    assert client.get(f"/api/v3/{resource}").status_code == 200


@pytest.mark.parametrize("resource", LISTS)
def test_the_scope_to_read_is_not_enough_to_write(
    resource: str, client_with: Callable[..., APIClient]
):
    client = client_with(f"{resource}:read")

    for method, path in [("post", ""), ("put", "/1"), ("patch", "/1"), ("delete", "/1")]:
        response = getattr(client, method)(f"/api/v3/{resource}{path}", {})
        assert response.status_code == 403
        assert response.json() == {"message": f"The token lacks the scope {resource}:write."}


@pytest.mark.parametrize("resource", LISTS)
def test_the_scope_to_write_is_not_enough_to_read(
    resource: str, client_with: Callable[..., APIClient]
):
    assert client_with(f"{resource}:write").get(f"/api/v3/{resource}").status_code == 403


@pytest.mark.parametrize("resource", LISTS)
def test_without_a_token_nobody_gets_in(resource: str):
    assert APIClient().get(f"/api/v3/{resource}").status_code == 401
    assert APIClient().post(f"/api/v3/{resource}", {}).status_code == 401


@pytest.mark.parametrize("below", BELOW_PROFILE)
def test_what_hangs_on_a_profile_is_the_profiles(below: str, client_with: Callable[..., APIClient]):
    path = f"/api/v3/profiles/{ProfileFactory().pk}/{below}"

    assert client_with("profiles:read").get(path).status_code == 200
    assert client_with("profiles:read").post(path, {}).status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "merge"),
        ("put", "{id}/update-type"),
        ("post", "{id}/purge"),
        ("delete", "{id}/purge"),
    ],
)
def test_what_changes_a_profile_needs_the_scope_to_write(
    method: str, path: str, client_with: Callable[..., APIClient]
):
    path = path.format(id=ProfileFactory().pk)

    response = getattr(client_with("profiles:read"), method)(f"/api/v3/profiles/{path}", {})

    assert response.status_code == 403


def test_a_search_is_read_though_it_is_posted(client_with: Callable[..., APIClient]):
    client = client_with("profiles:read")

    response = client.post("/api/v3/profiles/search-id", {"type": "card", "id": "1"})

    assert response.status_code == 404

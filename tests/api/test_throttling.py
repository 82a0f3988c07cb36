"""How often a token may ask."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

PATH = "/api/v3/brands"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _two_a_minute(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    monkeypatch.setattr("omneo.api.throttling.time", lambda: 1_000_000_070.0)


def test_who_asks_too_often_is_told_when_to_come_again(api: APIClient):
    assert [api.get(PATH).status_code for _ in range(3)] == [200, 200, 429]

    response = api.get(PATH)

    assert response["Retry-After"] == "10"
    assert list(response.json()) == ["message"]


def test_the_next_minute_starts_anew(api: APIClient, monkeypatch: pytest.MonkeyPatch):
    for _ in range(3):
        api.get(PATH)
    monkeypatch.setattr("omneo.api.throttling.time", lambda: 1_000_000_080.0)

    assert api.get(PATH).status_code == 200


def test_each_token_has_its_own_count(api: APIClient, create_token: Callable[..., str]):
    for _ in range(3):
        api.get(PATH)
    other = APIClient(headers={"Authorization": f"Bearer {create_token()}"})

    assert other.get(PATH).status_code == 200


def test_there_may_be_no_limit(api: APIClient, settings: Settings):
    settings.API_REQUESTS_PER_MINUTE = 0

    assert {api.get(PATH).status_code for _ in range(5)} == {200}

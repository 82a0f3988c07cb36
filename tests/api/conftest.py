"""What tests of the API share: who asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from omneo.api.models import SCOPES, ApiToken


@pytest.fixture
def create_token(db: None) -> Callable[..., str]:
    """Return the function that makes a token and tells it."""
    user = User.objects.create(username="web-shop")

    def create(*, scopes: list[str] = SCOPES, **fields) -> str:
        return ApiToken.objects.create(user, name="Web shop", scopes=scopes, **fields)[1]

    return create


@pytest.fixture
def client_with(create_token: Callable[..., str]) -> Callable[..., APIClient]:
    """Return the function that makes a client with a token that has only these scopes."""

    def client(*scopes: str) -> APIClient:
        token = create_token(scopes=list(scopes))
        return APIClient(headers={"Authorization": f"Bearer {token}"})

    return client


@pytest.fixture
def api(client_with: Callable[..., APIClient]) -> APIClient:
    """A client that may do everything."""
    return client_with(*SCOPES)

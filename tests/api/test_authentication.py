"""Who may ask, and for what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.response import Response
from rest_framework.test import APIClient

from omneo.api.models import ApiToken
from tests.factories import ProfileFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def path() -> str:
    return f"/api/v3/profiles/{ProfileFactory().id}/aggregations"


def get(path: str, authorization: str) -> Response:
    return APIClient().get(path, headers={"Authorization": authorization})


def assert_unauthenticated(response: Response) -> None:
    assert response.status_code == 401
    assert response.json() == {"message": "Unauthenticated."}
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_token_lets_in(path: str, create_token: Callable[..., str]):
    assert get(path, f"Bearer {create_token()}").status_code == 200


def test_the_word_bearer_is_understood_in_any_case(path: str, create_token: Callable[..., str]):
    assert get(path, f"bearer {create_token()}").status_code == 200


def test_without_a_token_nobody_gets_in(path: str):
    assert_unauthenticated(APIClient().get(path))


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer two words",
        "Bearer " + "x" * 100_000,
        "Bearer \x00",
        "Bearer \xff\xfe",
        "Bearer \u20ac",
        "Basic dXNlcjpwYXNzd29yZA==",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_no_token_lets_nobody_in(path: str, authorization: str):
    assert_unauthenticated(get(path, authorization))


def test_a_token_under_another_word_than_bearer_lets_nobody_in(
    path: str, create_token: Callable[..., str]
):
    assert_unauthenticated(get(path, f"Token {create_token()}"))


def test_the_beginning_of_a_token_is_not_enough(path: str, create_token: Callable[..., str]):
    assert_unauthenticated(get(path, f"Bearer {create_token()[:-1]}"))


def test_an_expired_token_lets_nobody_in(path: str, create_token: Callable[..., str]):
    assert_unauthenticated(get(path, f"Bearer {create_token(expiry=timedelta(seconds=-1))}"))


def test_an_expired_token_stays_where_the_admin_shows_it(
    path: str, create_token: Callable[..., str]
):
    get(path, f"Bearer {create_token(expiry=timedelta(seconds=-1))}")

    assert ApiToken.objects.get().expiry < timezone.now()


def test_a_token_that_expires_later_lets_in(path: str, create_token: Callable[..., str]):
    assert get(path, f"Bearer {create_token(expiry=timedelta(hours=1))}").status_code == 200


def test_a_revoked_token_lets_nobody_in(path: str, create_token: Callable[..., str]):
    token = create_token()
    ApiToken.objects.all().delete()

    assert_unauthenticated(get(path, f"Bearer {token}"))


def test_a_token_of_an_inactive_user_lets_nobody_in(path: str, create_token: Callable[..., str]):
    token = create_token()
    User.objects.update(is_active=False)

    assert_unauthenticated(get(path, f"Bearer {token}"))


def test_refusing_a_token_takes_one_query(
    path: str, django_assert_num_queries: DjangoAssertNumQueries
):
    with django_assert_num_queries(1):
        get(path, "Bearer wrong")


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_session_of_the_admin_opens_nothing(path: str, method: str, admin_client: Client):
    response = getattr(admin_client, method)(f"{path}/calculate")

    assert_unauthenticated(response)


def test_a_token_without_the_scope_is_refused_and_told_which(
    path: str, client_with: Callable[..., APIClient]
):
    response = client_with("profiles:read", "aggregations:write").get(path)

    assert response.status_code == 403
    assert response.json() == {"message": "The token lacks the scope aggregations:read."}


def test_a_token_without_any_scope_is_refused(path: str, client_with: Callable[..., APIClient]):
    assert client_with().get(path).status_code == 403


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_scope_to_read_is_enough_to_recalculate(
    path: str, method: str, client_with: Callable[..., APIClient]
):
    client = client_with("aggregations:read")

    assert getattr(client, method)(f"{path}/calculate").status_code == 200


class TestLastUse:
    def test_a_token_that_was_never_used_says_so(self, create_token):
        create_token()

        assert ApiToken.objects.get().last_used_at is None

    def test_its_use_is_noted(self, path, create_token):
        before = timezone.now()
        get(path, f"Bearer {create_token()}")

        assert before <= ApiToken.objects.get().last_used_at <= timezone.now()

    @pytest.mark.parametrize(("seconds", "is_noted"), [(50, False), (70, True)])
    def test_it_is_noted_once_a_minute(self, path, create_token, seconds, is_noted):
        token = create_token()
        noted = timezone.now() - timedelta(seconds=seconds)
        ApiToken.objects.update(last_used_at=noted)

        get(path, f"Bearer {token}")

        assert (ApiToken.objects.get().last_used_at > noted) is is_noted

    def test_a_refused_token_was_not_used(self, path, create_token):
        get(path, f"Bearer {create_token(expiry=timedelta(seconds=-1))}")

        assert ApiToken.objects.get().last_used_at is None

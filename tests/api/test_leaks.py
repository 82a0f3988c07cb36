"""Who may not know what is there learns it from no answer, and from no time that one takes.

Time is not measured here: what is done is the same, statement by statement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from rest_framework.test import APIClient

from omneo.api.models import RESOURCES, SCOPES, ApiToken
from tests import factories

pytestmark = pytest.mark.django_db

OF_ONE = {
    "profiles": ["profiles/{}", "profiles/{}/addresses", "profiles/{}/identities/card"],
    "aggregations": ["profiles/{}/aggregations", "profiles/{}/aggregations/calculate"],
    "transactions": ["transactions/{}"],
    "locations": ["locations/{}"],
    "statuses": ["statuses/{}"],
    "currencies": ["currencies/{}"],
    "brands": ["brands/{}"],
    "regions": ["regions/{}"],
}
MAKE = {
    "profiles": factories.ProfileFactory,
    "aggregations": factories.ProfileFactory,
    "transactions": factories.TransactionFactory,
    "locations": factories.LocationFactory,
    "statuses": factories.TierFactory,
    "currencies": factories.CurrencyFactory,
    "brands": factories.BrandFactory,
    "regions": factories.RegionFactory,
}
BELOW_PROFILE = {
    "addresses": factories.ProfileAddressFactory,
    "identities/id": factories.IdentityFactory,
    "statuses": factories.ProfileTierFactory,
    "transactions": factories.TransactionFactory,
}


class Done(NamedTuple):
    """What is answered, and every statement on the way to it with its parameters."""

    status: int
    content: bytes
    statements: list[str]
    parameters: list[Any]


def missing_key(row: Model) -> Any:
    """Return a key of the same form that no row has."""
    return row.pk + 1_000_000 if isinstance(row.pk, int) else uuid4()


def done_for(ask: Callable[[], HttpResponse]) -> Done:
    statements, parameters = [], []

    def note(execute: Callable, sql: str, given: Any, *rest: Any) -> Any:
        statements.append(sql)
        parameters.append(given)
        return execute(sql, given, *rest)

    with connection.execute_wrapper(note):
        answer = ask()
    return Done(answer.status_code, answer.content, statements, parameters)


class TestWithoutTheScope:
    def test_every_resource_is_tried(self):
        assert OF_ONE.keys() == MAKE.keys() == set(RESOURCES)

    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    @pytest.mark.parametrize(
        ("resource", "path"), [(name, path) for name, paths in OF_ONE.items() for path in paths]
    )
    def test_a_row_that_is_there_is_refused_as_one_that_is_not(
        self, resource: str, path: str, method: str, client_with: Callable[..., APIClient]
    ):
        client = client_with(*(each for each in SCOPES if not each.startswith(resource)))
        row = MAKE[resource]()
        ask = getattr(client, method)
        ask("/api/v3/brands")  # notes when the token was used

        there, not_there = (
            done_for(lambda key=key: ask(f"/api/v3/{path.format(key)}", {}))
            for key in (row.pk, missing_key(row))
        )

        assert there == not_there
        assert there.status in (403, 405)


class TestBelowAProfile:
    @pytest.mark.parametrize("below", BELOW_PROFILE)
    def test_the_row_of_another_is_as_one_that_is_not_there(self, below: str, api: APIClient):
        profile, row = factories.ProfileFactory(), BELOW_PROFILE[below]()
        path = f"/api/v3/profiles/{profile.pk}/{below}"
        api.get(path)

        of_another, of_nobody = (
            done_for(lambda key=key: api.get(f"{path}/{key}")) for key in (row.pk, missing_key(row))
        )

        assert of_another[:3] == of_nobody[:3]
        assert of_another.status == 404


class TestTokens:
    def test_a_guess_that_begins_right_is_refused_as_one_that_does_not(
        self, create_token: Callable[..., str]
    ):
        token = create_token()
        guesses = token[:-1] + ("0" if token[-1] != "0" else "1"), "f" * len(token)

        begins_right, does_not = (
            done_for(
                lambda guess=guess: APIClient().get(
                    "/api/v3/brands", headers={"Authorization": f"Bearer {guess}"}
                )
            )
            for guess in guesses
        )

        assert begins_right[:3] == does_not[:3]
        assert len(does_not.statements) == 1

    def test_what_is_looked_for_is_the_hash_of_the_whole_token(
        self, create_token: Callable[..., str]
    ):
        token = create_token()
        ApiToken.objects.update(token_key="0" * 15)

        answer = APIClient().get("/api/v3/brands", headers={"Authorization": f"Bearer {token}"})

        assert answer.status_code == 200


class TestTheAdmin:
    @pytest.fixture
    def hashed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What was hashed as a password, without the time that it takes."""
        hashed = []

        def encode(self: Any, password: str, salt: str, iterations: int | None = None) -> str:
            hashed.append(password)
            return f"{self.algorithm}${iterations or self.iterations}${salt}${password}"

        monkeypatch.setattr(PBKDF2PasswordHasher, "encode", encode)
        return hashed

    def test_who_is_not_there_costs_as_much_as_a_wrong_password(self, hashed: list[str]):
        User.objects.create_user("clerk", password="right", is_staff=True)
        User.objects.create_user("gone", password="right", is_staff=True, is_active=False)
        User.objects.create_user("web-shop")  # of a token: no password lets it in
        costs = {}
        for name in ("clerk", "gone", "web-shop", "nobody"):
            hashed.clear()
            page = {"username": name, "password": "wrong"}
            done = done_for(lambda page=page: Client().post("/admin/login/", page))
            costs[name] = done.status, len(hashed), done.statements

        assert len(hashed) == 1
        assert all(cost == costs["clerk"] for cost in costs.values())

"""Requests made from the description of the API, good ones and bad ones, to every operation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.db.models import Model
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig

from omneo.wsgi import application
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
    IdentityFactory,
    LocationFactory,
    ProfileAddressFactory,
    ProfileFactory,
    ProfileTierFactory,
    RegionFactory,
    TierFactory,
    TransactionFactory,
)

# As the other tests by examples: few for each operation, or many and every limit of every value
THOROUGH = os.environ.get("OMNEO_HYPOTHESIS") == "thorough"
EXAMPLES = 100 if THOROUGH else 5
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"max-examples": EXAMPLES, "database": "none", "deterministic": True},
        "phases": {"coverage": {"enabled": THOROUGH}, "stateful": {"enabled": False}},
        "checks": {
            # No schema tells that a handle exists already, or that there is no such profile, nor
            # of control characters in the keys of an object.
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "304", 400, 404, 409, 422],
            }
        },
    }
)

schema = schemathesis.openapi.from_wsgi("/api/v3/openapi.json", application, config=CONFIG)


@pytest.fixture
def rows(db: None) -> dict[str, dict[str, str]]:
    """One row of each kind, by where it is: the parameters of that path."""
    profile = ProfileFactory()
    below = {"profile": str(profile.pk)}

    def named(row: Model) -> dict[str, str]:
        return {"id": str(row.pk)}

    identity = IdentityFactory(profile=profile)
    transaction = TransactionFactory(profile=profile, external_id="POS-1")
    return {
        "/brands": named(BrandFactory()),
        "/currencies": named(CurrencyFactory()),
        "/locations": named(LocationFactory()),
        "/regions": named(RegionFactory()),
        "/statuses": named(TierFactory()),
        "/transactions": {**named(transaction), "external_id": "POS-1"},
        "/identities": {"identifier": identity.identifier},
        "/profiles/{id}": named(profile),
        "/profiles/{profile}": below,
        "/profiles/{profile}/addresses": named(ProfileAddressFactory(profile=profile)),
        "/profiles/{profile}/identities": {**named(identity), "handle": identity.handle},
        "/profiles/{profile}/statuses": named(ProfileTierFactory(profile=profile)),
        "/profiles/{profile}/transactions": named(transaction),
    }


@pytest.fixture
def token(create_token: Callable[..., str]) -> Iterator[str]:
    # The end of a request must not end the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield create_token()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.django_db
def test_every_answer_is_one_that_the_description_has(
    case: Case, token: str, rows: dict[str, dict[str, str]]
):
    if case.meta.generation.mode.is_positive:
        for place, row in rows.items():
            if case.path.startswith(place):
                known = {name: row[name] for name in row if name in case.path_parameters}
                case.path_parameters.update(known)
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

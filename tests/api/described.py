"""The API's description as schemathesis reads it, and what its requests can name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import schemathesis
from django.db.models import Model
from schemathesis import Case, HookContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.mutations import Mutation, OperatorKind
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData
from schemathesis.schemas import BaseSchema

from aggregations.views import NO_SUCH_PROFILE
from omneo.resources.filters import NUMBER
from omneo.wsgi import application
from profiles.batches import accept
from profiles.models import Currency
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
    utc,
)

# As the other tests by examples: few for each operation, or many
THOROUGH = os.environ.get("OMNEO_HYPOTHESIS") == "thorough"

# Which good requests may be refused with 422, since no schema can foresee it. All others must be
# accepted; where a path names a row, the row is there.
UNFORESEEABLE = {
    f"{method} {path}{row}"
    for path, rows in {
        "/currencies": ["", "/{id}"],  # there is one system currency, and each pair once
        "/locations": ["", "/{id}"],  # hours that are there twice, dates out of order
        "/profiles": ["", "/{id}"],  # the last day of a month, identities that are one
        "/profiles/{profile}/statuses": ["", "/{id}"],  # which of two moments comes first
        "/statuses": ["/{id}"],  # whether the stored period has a unit already
    }.items()
    for row in rows
    for method in (["PUT", "PATCH"] if row else ["POST"])
} | {"GET /profiles/{profile}/aggregations"}  # whether a moment is past already
ACCEPTED = ["2xx", "304"]
AFTER_OTHERS = [*ACCEPTED, "404", "409", "422"]


def _description(**generation: Any) -> BaseSchema:
    config = {
        "generation": {
            "max-examples": 100 if THOROUGH else 4,
            "database": "none",
            "deterministic": True,
            **generation,
        },
        "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
        # The phase of limits is a test of its own, which does not wait until all are collected;
        # an earlier step of a sequence may take away what a later one names.
        "phases": {
            "coverage": {"enabled": False, "generate-duplicate-query-parameters": True},
            "stateful": {
                "checks": {
                    "positive_data_acceptance": {"expected-statuses": ["2xx", 404, 409, 422]}
                }
            },
        },
    }
    return schemathesis.openapi.from_wsgi(
        "/api/v3/openapi.json", application, config=SchemathesisConfig.from_dict(config)
    )


SCHEMA = _description()
# Whether what was made is there is looked at where all of a request comes from the step before it,
# and no token does.
SCHEMA_OF_SEQUENCES = _description(**{"with-security-parameters": False})
OPERATIONS = [found.ok().label for found in SCHEMA.get_all_operations()]
LISTS = {
    parameter["name"]: parameter["schema"]["items"]
    for item in SCHEMA.raw_schema["paths"].values()
    for operation in item.values()
    for parameter in operation.get("parameters", ())
    if "items" in parameter["schema"]
}
TEXT_OF_LIST = {"$ref": "#/components/schemas/FilterTextOfList"}
LINKED = ["brands", "currencies", "locations", "profiles", "regions", "statuses", "transactions"]


@SCHEMA.hook
@SCHEMA_OF_SEQUENCES.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Tell whether a failure is one: a good request that is refused, a bad one that is accepted.

    It is none where that was to be expected.
    """
    if isinstance(failure, RejectedPositiveData) and response.status_code == 422:
        return case.operation.label not in UNFORESEEABLE
    if isinstance(failure, EnsureResourceAvailability):
        # A sequence may have deleted the profile since, and all that it had with it.
        is_of_profile = case.operation.path.startswith("/profiles/{profile}/")
        return not is_of_profile or response.json()["message"] != NO_SUCH_PROFILE
    if isinstance(failure, AcceptedNegativeData):
        mutations = case.meta.phase.data.mutations
        return not mutations or not all(_is_lost(one, case) for one in mutations)
    return True


def _is_lost(mutation: Mutation, case: Case) -> bool:
    """Tell whether what is wrong with a request is right again when it is sent.

    The tests send their own token. Whatever stands in the place of a list of texts is written as a
    text, and a text is such a list, as a number is one of numbers. Of a list or an object without
    members nothing is written at all.
    """
    if mutation.parameter_location == ParameterLocation.HEADER:
        return mutation.parameter in (None, "Authorization")
    is_of_query = mutation.parameter_location == ParameterLocation.QUERY
    if is_of_query and "additionalProperties" in mutation.keywords:
        added = case.query.keys() - {parameter.name for parameter in case.operation.query}
        return all(case.query[name] == [] for name in added)
    if is_of_query and case.query.get(mutation.parameter) in ([], {}):
        return True
    if mutation.operator != OperatorKind.CHANGE_TYPE or mutation.parameter not in LISTS:
        return False
    is_number = NUMBER.fullmatch(str(case.query.get(mutation.parameter)))
    return bool(is_number) or LISTS[mutation.parameter] == TEXT_OF_LIST


# What no text of a body may have; to say so of each would drown what the schema says of them.
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
LONGEST_HOST = 253  # of an address, which may be longer: not what schemathesis makes of that
CURSOR, PAGE, SORT = "page[cursor]", "page[number]", "sort"


@dataclass(frozen=True)
class Rows:
    """One row of each kind. `paths`: the parameters of paths, by how these begin; `names`: what
    the fields of bodies name, by how the paths begin.
    """

    paths: dict[str, dict[str, str]]
    names: dict[str, dict[str, Any]]

    @classmethod
    def made(cls) -> Rows:
        profile, other = ProfileFactory(), ProfileFactory()
        brand, location, region, tier = (
            factory() for factory in (BrandFactory, LocationFactory, RegionFactory, TierFactory)
        )
        system = Currency.objects.get(is_system=True)
        currency = CurrencyFactory(to_code=system.from_code)
        identity = IdentityFactory(profile=profile)
        sale = TransactionFactory(profile=profile, external_id="POS-1")
        batch = accept(
            match_criteria="email",
            profiles=[{}],
            accepted_from=None,
            moment=utc("2025-06-30 08:05"),
        )
        return cls(
            paths={
                "/batches": _key(batch),
                "/brands": _key(brand),
                "/currencies": _key(currency),
                "/locations": _key(location),
                "/regions": _key(region),
                "/statuses": _key(TierFactory()),
                "/transactions": {**_key(sale), "external_id": "POS-1"},
                "/identities": {"identifier": identity.identifier},
                "/profiles/{id}": _key(profile),
                "/profiles/{profile}": {"profile": str(profile.pk)},
                "/profiles/{profile}/addresses": _key(ProfileAddressFactory(profile=profile)),
                "/profiles/{profile}/identities": {**_key(identity), "handle": identity.handle},
                "/profiles/{profile}/statuses": _key(
                    ProfileTierFactory(profile=profile, tier=tier)
                ),
                "/profiles/{profile}/transactions": _key(sale),
            },
            names={
                "/": {
                    "brand_id": brand.pk,
                    "currency": currency.from_code,
                    "destination_profile_id": str(profile.pk),
                    "iso": "AU",
                    "iso_2": "NZ",
                    "iso_state": "AU-VIC",
                    "joined_location_id": location.pk,
                    "location_id": location.pk,
                    "preferred_location_id": location.pk,
                    "profile_id": str(profile.pk),
                    "profile_id_handle": None,
                    "referred_by": str(other.pk),
                    "region_id": region.pk,
                    "source_profile_id": str(other.pk),
                    "status_id": tier.pk,
                    "timezone": "Australia/Melbourne",
                },
                "/profiles/search-id": {"type": identity.handle, "id": identity.identifier},
                "/profiles/{profile}/statuses": {"handle": tier.handle},
                "/transactions/queue": {"id": sale.pk, "external_id": "POS-1"},
                "/transactions/update-create": {"id": sale.pk, "external_id": "POS-1"},
            },
        )

    def into_path(self, case: Case) -> None:
        """Let a path name rows that are there, unless it is to be a bad one."""
        if not case.meta.is_negative_at(ParameterLocation.PATH):
            known = _merged(self.paths, case.path)
            case.path_parameters.update(
                {name: known[name] for name in case.path_parameters.keys() & known.keys()}
            )

    def into_rest(self, case: Case) -> None:
        """Let a query and a body ask for what there is, unless they are to be bad ones."""
        if case.query and not case.meta.is_negative_at(ParameterLocation.QUERY):
            if CURSOR in case.query:
                case.query[CURSOR] = ""  # others are none that a list has given
                case.query.pop(PAGE, None)
            if SORT in case.query:
                case.query[SORT] = _each_name_once(case.query[SORT])
        has_body = isinstance(case.body, dict | list)
        if has_body and not case.meta.is_negative_at(ParameterLocation.BODY):
            case.body = _named(case.body, _merged(self.names, case.path))


def _key(row: Model) -> dict[str, str]:
    return {"id": str(row.pk)}


def _merged(by_place: dict[str, dict[str, Any]], path: str) -> dict[str, Any]:
    merged = {}
    for place, values in by_place.items():
        if path.startswith(place):
            merged |= values
    return merged


def _each_name_once(order: str | list[str]) -> str | list[str]:
    names = order.split(",") if isinstance(order, str) else order
    once = list({name.removeprefix("-"): name for name in names}.values())
    return ",".join(once) if isinstance(order, str) else once


def _named(value: Any, names: dict[str, Any], *, is_nested: bool = False) -> Any:
    match value:
        case dict():
            return {
                CONTROLS.sub("", key): names[key]
                if key in names and member not in (None, "")
                else _named(member, names, is_nested=True)
                for key, member in value.items()
                # The id of a nested row, where none is there yet
                if key in names or key != "id" or not is_nested
            }
        case list():
            return [_named(member, names, is_nested=True) for member in value]
        case str() if len(value) > LONGEST_HOST and value.startswith("https://"):
            return "https://example.com/".ljust(len(value), "x")
        case str():
            return CONTROLS.sub("", value)
    return value

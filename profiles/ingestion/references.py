"""What rows refer to by other names than keys: profiles, currencies, locations and brands.

Profiles, locations and brands that are found are held until the database transaction ends, in the
order of their keys, so that none is deleted or merged away before the rows that name it are there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils.text import slugify

from locations.models import Brand, Location
from omneo.resources.fields import HYPHENATED_UUID
from profiles.ingestion.rows import Row
from profiles.models import Currency

KEY = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
EMAIL = "email"

# By the given texts, so that the database alone decides which addresses are alike.
FIND_PROFILES = """
SELECT %(email)s, given.address, p.id
FROM unnest(%(addresses)s::text[]) AS given (address)
JOIN profiles_profile p ON lower(p.email) = lower(given.address)
WHERE p.profile_type <> 'deleted'
UNION ALL
SELECT i.handle, i.identifier, i.profile_id
FROM unnest(%(handles)s::text[], %(identifiers)s::text[]) AS given (handle, identifier)
JOIN profiles_identity i ON i.handle = given.handle AND i.identifier = given.identifier
JOIN profiles_profile p ON p.id = i.profile_id
WHERE p.profile_type <> 'deleted'
"""

HOLD_PROFILES = """
SELECT id FROM profiles_profile
WHERE id = ANY(%s::uuid[]) AND profile_type <> 'deleted'
ORDER BY id FOR KEY SHARE
"""

# Held against a change of its time zone too: that moves the sales which it can see already.
FIND_LOCATIONS = """
SELECT id, external_id FROM locations_location
WHERE id = ANY(%(keys)s::bigint[]) OR external_id = ANY(%(names)s::text[])
ORDER BY id FOR SHARE
"""

FIND_BRANDS = """
SELECT id, name, handle FROM locations_brand
WHERE name = ANY(%(names)s::text[]) OR handle = ANY(%(names)s::text[])
ORDER BY id FOR KEY SHARE
"""

ProfileName = tuple[str | None, str]


@dataclass(frozen=True)
class NewLocation:
    """A location that is still to be made, for an external id that nobody knows."""

    external_id: str


@dataclass(frozen=True)
class NewBrand:
    """A brand that is still to be made, for a name that nobody knows."""

    name: str


Reference = int | NewLocation | NewBrand | None


@dataclass(frozen=True)
class References:
    """What the names in some rows stand for."""

    profiles: Mapping[ProfileName, UUID]
    currencies: Mapping[str, Currency]
    locations: Mapping[str, int]
    brands: dict[str, int] = field(default_factory=dict)
    made: dict[NewLocation | NewBrand, int] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> References:
        """Find what the rows name, in a number of queries that does not depend on theirs."""
        bodies = [row.given for row in rows]
        return cls(
            profiles=_profiles({profile_name(body) for body in bodies if "profile_id" in body}),
            currencies=_currencies(_names(bodies, "currency")),
            locations=_locations(_names(bodies, "location_id")),
        )

    def find_brands(self, rows: Iterable[Row]) -> None:
        """Find the brands that the rows name: when their transactions are held, so that those of
        the items which are there already are among them.
        """
        items = [item for row in rows for item in row.given.get("items", ())]
        self.brands.update(_brands(_names(items, "brand")))

    def location(self, name: str | None) -> Reference:
        return name and self.locations.get(name, NewLocation(name))

    def brand(self, name: str | None) -> Reference:
        return name and self.brands.get(name, NewBrand(name))

    def make(self, wanted: Collection[NewLocation | NewBrand]) -> None:
        """Make what is not there yet. Somebody else may be doing so at the same time."""
        locations = sorted(each.external_id for each in wanted if isinstance(each, NewLocation))
        brands = sorted(each.name for each in wanted if isinstance(each, NewBrand))
        for name, key in _made_locations(locations).items():
            self.made[NewLocation(name)] = key
        for name, key in _made_brands(brands).items():
            self.made[NewBrand(name)] = key

    def key(self, reference: Reference) -> int | None:
        """Return the key of what was found, or has been made."""
        return self.made.get(reference, reference)


def profile_name(body: Mapping[str, Any]) -> ProfileName:
    """Return by what a body names its profile: a handle and what is unique there."""
    handle, name = body.get("profile_id_handle"), body["profile_id"]
    return handle, name if handle else name.lower()


def _names(bodies: Iterable[Mapping[str, Any]], field_name: str) -> set[str]:
    return {body.get(field_name) for body in bodies} - {None}


def _profiles(names: set[ProfileName]) -> dict[ProfileName, UUID]:
    found = {
        (handle, text): UUID(text)
        for handle, text in names
        if handle is None and HYPHENATED_UUID.fullmatch(text)
    }
    others = sorted(name for name in names if name[0] is not None)
    if others:
        identities = [name for name in others if name[0] != EMAIL]
        parameters = {
            "email": EMAIL,
            "addresses": [address for handle, address in others if handle == EMAIL],
            "handles": [handle for handle, _ in identities],
            "identifiers": [identifier for _, identifier in identities],
        }
        found |= {(handle, text): key for handle, text, key in _rows(FIND_PROFILES, parameters)}
    held = {key for (key,) in _rows(HOLD_PROFILES, [list(found.values())])} if found else set()
    there = {name: key for name, key in found.items() if key in held}
    # Merged away between the two, so that the name is another's now.
    lost = {name for name in found.keys() - there.keys() if name[0] is not None}
    return there | _profiles(lost) if lost else there


def _currencies(names: set[str]) -> dict[str, Currency]:
    """Find currencies by key, or by the code of what the system currency is paid for."""
    if not names:
        return {}
    keys = [int(name) for name in names if KEY.fullmatch(name)]
    there = Currency.objects.filter(Q(is_system=True) | Q(pk__in=keys) | Q(from_code__in=names))
    system = next((each.from_code for each in there if each.is_system), None)
    by_code = {each.from_code: each for each in there if each.to_code == system}
    by_key = {str(each.pk): each for each in there}
    return by_code | by_key


def _locations(names: Collection[str]) -> dict[str, int]:
    """Find locations by key, else by external id."""
    if not names:
        return {}
    keys = [int(name) for name in names if KEY.fullmatch(name)]
    there = _rows(FIND_LOCATIONS, {"keys": keys, "names": list(names)})
    by_external_id = {external_id: key for key, external_id in there if external_id is not None}
    by_key = {str(key): key for key, _ in there}
    return by_external_id | by_key


def _made_locations(external_ids: Collection[str]) -> dict[str, int]:
    if not external_ids:
        return {}
    Location.objects.bulk_create(
        [Location(name=external_id, external_id=external_id) for external_id in external_ids],
        ignore_conflicts=True,
    )
    return _locations(external_ids)


def _brands(names: Collection[str]) -> dict[str, int]:
    """Find brands by name, else by handle."""
    if not names:
        return {}
    there = _rows(FIND_BRANDS, {"names": list(names)})
    by_handle = {handle: key for key, _, handle in there}
    by_name = {name: key for key, name, _ in reversed(there)}
    return by_handle | by_name


def _made_brands(names: Collection[str]) -> dict[str, int]:
    """Make brands, each with the first handle of its name that no other brand has taken."""
    made: dict[str, int] = {}
    for attempt in count():
        missing = [name for name in names if name not in made]
        if not missing:
            break
        handles = {_handle(name, attempt): name for name in reversed(missing)}
        handles.pop("", None)
        if handles:
            Brand.objects.bulk_create(
                [Brand(name=name, handle=key) for key, name in sorted(handles.items())],
                ignore_conflicts=True,
            )
            made |= {name: key for name, key in _brands(missing).items() if name in names}
    return made


def _handle(name: str, attempt: int) -> str:
    """Return what the name suggests, then what no other name comes to, however alike they are.

    A brand that was renamed keeps its handles; who makes its former name anew tries the next.
    """
    if attempt == 0:
        return slugify(name)[:255]
    salt = b"" if attempt == 1 else str(attempt).encode()
    digest = blake2b(name.encode(), digest_size=8, salt=salt).hexdigest()
    return f"{slugify(name)[:200]}-{digest}".lstrip("-")


def _rows(statement: str, parameters: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()

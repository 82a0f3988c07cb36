"""What a reader of a row needs: the row, all that it points to, and how fresh it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from aggregations.calculation import VALUES, WHOLE_ROW, parameters, recalculate, refresh_clock
from aggregations.models import Aggregation
from aggregations.parts import KINDS, PLACE, PLACES, from_json
from aggregations.sql import Scope, statement
from locations.models import DAYS_OF_WEEK
from omneo.db import execute_planned
from profiles.models import Profile

# One by one: after `a.*` a migration that adds a column breaks what open connections prepared.
COLUMNS = ", ".join(f"a.{field.column}" for field in Aggregation._meta.concrete_fields)
CALCULATED = ", ".join(f"a.{column}" for column in ["profile_id", *VALUES])

POINTED_TO = f"""
    p.profile_type = 'deleted' AS is_deleted,
    to_jsonb(c) AS latest_shop_currency,
    to_jsonb(t) AS top_historic_status,
    ARRAY(
        SELECT {PLACE}
        FROM locations_location l
        WHERE l.id IN ({", ".join(f"a.{place}_id" for place in PLACES)})
    ) AS places
"""
POINTERS = """
LEFT JOIN profiles_currency c ON c.id = a.latest_shop_currency_id
LEFT JOIN profiles_tier t ON t.id = a.top_historic_status_id
"""

# One statement, so that a row that must be calculated first is still read in few.
READ = f"""
SELECT
    p.id AS read_for,
    {COLUMNS},
    f.calculated_at,
    f.next_change_at,
    EXISTS (
        SELECT FROM aggregations_recalculationrequest r WHERE r.profile_id = p.id
    ) AS is_pending,
    {POINTED_TO}
FROM profiles_profile p
LEFT JOIN aggregations_freshness f ON f.profile_id = p.id
LEFT JOIN aggregations_aggregation a ON a.profile_id = p.id
{POINTERS}
"""
READ_ONE = f"{READ} WHERE p.id = %(profile_id)s"
READ_LISTED = f"{READ} WHERE p.id = ANY(%(profile_ids)s)"
CALCULATE = f"""
SELECT p.id AS read_for, {CALCULATED}, {POINTED_TO}
FROM computed a JOIN profiles_profile p ON p.id = a.profile_id {POINTERS}
"""


@dataclass(frozen=True)
class Reading:
    """A row and how fresh it is.

    `version` is another whenever anything of `row` is; `is_deleted` is whether the profile is.
    """

    calculated_at: datetime
    next_change_at: datetime | None
    is_pending: bool
    is_deleted: bool
    version: str
    stored: dict[str, Any]

    @cached_property
    def row(self) -> dict[str, Any]:
        """The row by its fields: its places, currency and tier by the columns of their tables.

        Made when it is asked for: who holds the version needs none.
        """
        row = self.stored.copy()
        places = {place["id"]: place for place in map(from_json, row.pop("places"))}
        row |= {place: places.get(row[f"{place}_id"]) for place in PLACES}
        return row | {
            name: from_json(row[name]) for name in ("latest_shop_currency", "top_historic_status")
        }

    @property
    def modified_at(self) -> datetime | None:
        """When the row last changed, or something that it points to; None for one of the past."""
        if "changed_at" not in self.row:
            return None
        parts = (self.row[name] for name in KINDS)
        return max([self.row["changed_at"], *(part.modified_at for part in parts if part)])


def current(*, profile_id: UUID, moment: datetime) -> Reading:
    """Return the profile's row, true as far as the clock goes.

    It is calculated first if it never was, and refreshed if the clock has overtaken it. What a
    request still waits for is not in it. Raises Profile.DoesNotExist.
    """
    stored = _stored(profile_id)
    if stored["profile_id"] is None:
        return recalculated(profile_id=profile_id, moment=moment)
    if stored["next_change_at"] is not None and stored["next_change_at"] <= moment:
        refresh_clock(profile_ids=[profile_id], moment=moment)
        stored = _stored(profile_id)
    return _reading(stored)


def current_of(*, profile_ids: Collection[UUID], moment: datetime) -> dict[UUID, Reading]:
    """Return the rows of many profiles, as true, in a number of queries that is not theirs.

    Profiles that do not exist are passed over.
    """
    stored = _stored_of(profile_ids)
    missing = [key for key, row in stored.items() if row["profile_id"] is None]
    overtaken = [
        key
        for key, row in stored.items()
        if row["next_change_at"] is not None and row["next_change_at"] <= moment
    ]
    if missing:
        recalculate(profile_ids=missing, moment=moment)
    if overtaken:
        refresh_clock(profile_ids=overtaken, moment=moment)
    if missing or overtaken:
        stored |= _stored_of([*missing, *overtaken])
    return {key: _reading(row) for key, row in stored.items()}


def recalculated(*, profile_id: UUID, moment: datetime) -> Reading:
    """Recalculate the profile's row and return it. Raises Profile.DoesNotExist."""
    recalculate(profile_ids=[profile_id], moment=moment)
    return _reading(_stored(profile_id))


def past(*, profile_id: UUID, moment: datetime) -> Reading:
    """Return what the profile's row would have said at a moment in the past.

    Calculated from what was there by then: transactions by when they were made, tiers by when they
    were first held, referrals by when the referred joined. What has no time of its own is as it is
    now: changes and voids of a transaction, addresses, the joined and the preferred location, and
    all names. Nothing is stored or locked. Raises Profile.DoesNotExist.
    """
    sql = statement(*WHOLE_ROW, scope=Scope.ONE, then=CALCULATE, past=True)
    calculated = _rows(sql, {"profile_id": profile_id, **parameters(moment)})
    if not calculated:
        raise Profile.DoesNotExist
    freshness = {"calculated_at": moment, "next_change_at": None, "is_pending": False}
    return _reading(calculated[profile_id] | freshness)


def _stored(profile_id: UUID) -> dict[str, Any]:
    stored = _rows(READ_ONE, {"profile_id": profile_id})
    if not stored:
        raise Profile.DoesNotExist
    return stored[profile_id]


def _stored_of(profile_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    return _rows(READ_LISTED, {"profile_ids": list(profile_ids)})


def _rows(sql: str, values: dict[str, Any]) -> dict[UUID, dict[str, Any]]:
    values["days_of_week"] = DAYS_OF_WEEK
    with execute_planned(sql, values, rows=dict_row) as cursor:
        return {row.pop("read_for"): row for row in cursor.fetchall()}


def _reading(stored: dict[str, Any]) -> Reading:
    beside = {
        name: stored.pop(name)
        for name in ("calculated_at", "next_change_at", "is_pending", "is_deleted")
    }
    version = blake2b(repr(stored).encode(), digest_size=16).hexdigest()
    return Reading(**beside, version=version, stored=stored)

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

from aggregations import outbox
from aggregations.calculation import (
    MOVED_BY_CLOCK,
    TIMELINE,
    VALUES,
    WHOLE_ROW,
    parameters,
    recalculate,
    scope_of,
)
from aggregations.nudge import nudge
from aggregations.parts import KINDS, PLACE, PLACES, from_json
from aggregations.sql import statement
from locations.models import DAYS_OF_WEEK
from omneo.db import execute_planned
from profiles.models import Profile

# One by one: after `a.*` a migration that adds a column breaks what open connections prepared.
COLUMNS = ", ".join(f"a.{column}" for column in ["profile_id", *VALUES])

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
    a.changed_at,
    f.calculated_at,
    f.next_change_at,
    EXISTS (
        SELECT FROM aggregations_recalculationrequest r WHERE r.profile_id = p.id
    ) OR EXISTS (
        -- Anybody may be one of those that have not been found out yet.
        SELECT FROM aggregations_sharedchange
    ) AS is_pending,
    {POINTED_TO}
FROM profiles_profile p
LEFT JOIN aggregations_freshness f ON f.profile_id = p.id
LEFT JOIN aggregations_aggregation a ON a.profile_id = p.id
{POINTERS}
WHERE {{scope:p.id}}
"""
CALCULATE = f"""
SELECT p.id AS read_for, {COLUMNS}, a.next_change_at, {POINTED_TO}
FROM computed a JOIN profiles_profile p ON p.id = a.profile_id {POINTERS}
"""
MOVE = f"""
SELECT t.profile_id AS read_for, {", ".join(MOVED_BY_CLOCK)}, next_change_at FROM timeline t
"""


@dataclass(frozen=True)
class Reading:
    """A row and how fresh it is.

    `version` is another whenever anything of `row` is; `is_deleted` is whether the profile is.
    `changed_at`: when a value of it last changed, as far as is known; None for one of the past.
    """

    calculated_at: datetime
    changed_at: datetime | None
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
        if self.changed_at is None:
            return None
        parts = (self.row[name] for name in KINDS)
        return max([self.changed_at, *(part.modified_at for part in parts if part)])


def current(*, profile_id: UUID, moment: datetime) -> Reading:
    """Return the profile's row, true as far as the clock goes. Raises Profile.DoesNotExist.

    What a request still waits for is not in it, except where the row was never calculated.
    """
    return _only(current_of(profile_ids=[profile_id], moment=moment))


def current_of(*, profile_ids: Collection[UUID], moment: datetime) -> dict[UUID, Reading]:
    """Return the rows of many profiles in the same way, in a number of queries that is not theirs.

    Waits for nobody, since it locks nothing: a row that was never calculated, or that the clock
    has overtaken, is worked out for the answer alone, and left to the workers to store. Profiles
    that do not exist are passed over.
    """
    stored = _rows(profile_ids, then=READ)
    missing = [key for key, row in stored.items() if row["profile_id"] is None]
    overtaken = [
        key
        for key, row in stored.items()
        if row["profile_id"] and row["next_change_at"] and row["next_change_at"] <= moment
    ]
    if missing:
        _ask_for([key for key in missing if not stored[key]["is_pending"]])
        for key in missing:
            del stored[key]
        calculated = _rows(missing, *WHOLE_ROW, then=CALCULATE, moment=moment)
        freshness = {"calculated_at": moment, "changed_at": moment, "is_pending": True}
        stored |= {key: row | freshness for key, row in calculated.items()}
    if overtaken:
        moved = _rows(overtaken, *TIMELINE, then=MOVE, moment=moment)
        stored |= {key: stored[key] | row | {"changed_at": moment} for key, row in moved.items()}
    return {key: _reading(row) for key, row in stored.items()}


def _ask_for(profile_ids: Collection[UUID]) -> None:
    if profile_ids:
        outbox.request(profile_ids)
        nudge()


def recalculated(*, profile_id: UUID, moment: datetime) -> Reading:
    """Recalculate the profile's row and return it. Raises Profile.DoesNotExist."""
    recalculate(profile_ids=[profile_id], moment=moment)
    return _reading(_only(_rows([profile_id], then=READ)))


def past(*, profile_id: UUID, moment: datetime) -> Reading:
    """Return what the profile's row would have said at a moment in the past.

    Calculated from what was there by then: transactions by when they were made, tiers by when they
    were first held, referrals by when the referred joined. What has no time of its own is as it is
    now: changes and voids of a transaction, addresses, the joined and the preferred location, and
    all names. Nothing is stored or locked. Raises Profile.DoesNotExist.
    """
    calculated = _rows([profile_id], *WHOLE_ROW, then=CALCULATE, moment=moment, past=True)
    freshness = {"calculated_at": moment, "changed_at": None, "is_pending": False}
    return _reading(_only(calculated) | freshness | {"next_change_at": None})


def _only(rows: dict[UUID, Any]) -> Any:
    for row in rows.values():
        return row
    raise Profile.DoesNotExist


def _rows(
    profile_ids: Collection[UUID],
    *expressions: str,
    then: str,
    moment: datetime | None = None,
    past: bool = False,
) -> dict[UUID, dict[str, Any]]:
    """Return what a statement reads for each of the profiles that exist."""
    scope, values = scope_of(profile_ids)
    values["days_of_week"] = DAYS_OF_WEEK
    if moment is not None:
        values |= parameters(moment)
    sql = statement(*expressions, scope=scope, then=then, past=past)
    with execute_planned(sql, values, rows=dict_row) as cursor:
        return {row.pop("read_for"): row for row in cursor.fetchall()}


def _reading(stored: dict[str, Any]) -> Reading:
    beside = {
        name: stored.pop(name)
        for name in ("calculated_at", "changed_at", "next_change_at", "is_pending", "is_deleted")
    }
    version = blake2b(repr(stored).encode(), digest_size=16).hexdigest()
    return Reading(**beside, version=version, stored=stored)

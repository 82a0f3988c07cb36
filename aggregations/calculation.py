"""The calculation: what makes a profile's row of aggregations true.

A row is a function of what is in the tables and of one moment. It is always computed anew, by the
same statement for one profile, a list or a range of keys.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection
from django.db.models import QuerySet

from aggregations import likely_place, windows
from aggregations.models import Aggregation, Freshness
from aggregations.sql import Scope, statement
from omneo.db import derived_transaction, execute_together

TIMELINE = ("history", "purchases", "clock")
WHOLE_ROW = (*TIMELINE, "places", "likely_place", "brands", "relations", "row")
DUE_BATCH = 1000  # profiles
ATTEMPTS = 5  # at profiles of which some are deleted for good meanwhile

MOVED_BY_CLOCK = ["spend_12m_now", "dimension_recency", "dimension_join"]
VALUES = [
    field.column
    for field in Aggregation._meta.concrete_fields
    if field.name not in ("profile", "changed_at")
]


def _listed(columns: list[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{column}" for column in columns)


# Creates and locks at once: two recalculations of one profile take turns, in the order of the
# keys so that they never wait for each other in a circle, and the later one reads what the
# earlier one could not see yet. Requests that are visible here are answered by what follows,
# since it sees at least as much; those that a worker has in hand are left to it.
LOCK = """
WITH answered AS (
    DELETE FROM aggregations_recalculationrequest WHERE id IN (
        SELECT r.id FROM aggregations_recalculationrequest r WHERE {scope:r.profile_id}
        FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO aggregations_freshness AS f (profile_id, calculated_at)
SELECT p.id, %(moment)s FROM profiles_profile p
WHERE {scope:p.id}
ORDER BY p.id
ON CONFLICT (profile_id) DO UPDATE SET calculated_at = EXCLUDED.calculated_at
"""

WRITE = f"""
, written AS (
    INSERT INTO aggregations_aggregation (profile_id, {_listed(VALUES)}, changed_at)
    SELECT c.profile_id, {_listed(VALUES, "c.")}, %(moment)s
    FROM computed c
    -- Compared here: ON CONFLICT ... WHERE locks, and so writes, the rows that it leaves alone.
    LEFT JOIN aggregations_aggregation a ON a.profile_id = c.profile_id AND {{scope:a.profile_id}}
    WHERE a.profile_id IS NULL
        OR ({_listed(VALUES, "a.")}) IS DISTINCT FROM ({_listed(VALUES, "c.")})
    ON CONFLICT (profile_id) DO UPDATE
    SET ({_listed(VALUES)}, changed_at) = ROW ({_listed(VALUES, "EXCLUDED.")}, EXCLUDED.changed_at)
    RETURNING 1
), next_change AS (
    UPDATE aggregations_freshness f SET next_change_at = c.next_change_at
    FROM computed c
    WHERE f.profile_id = c.profile_id AND {{scope:f.profile_id}}
        AND f.next_change_at IS DISTINCT FROM c.next_change_at
), counted AS (
    INSERT INTO aggregations_recalculationcount (recalculated)
    SELECT count(*) FROM computed HAVING count(*) > 0
)
SELECT count(*) FROM written
"""

LOCK_DUE = """
SELECT f.profile_id FROM aggregations_freshness f
WHERE {scope:f.profile_id} AND f.next_change_at <= %(moment)s ORDER BY f.profile_id FOR UPDATE
"""

# Those that the clock has overtaken, with what it makes of them.
DUE = """
, due AS (
    SELECT t.*
    FROM timeline t JOIN aggregations_freshness f USING (profile_id)
    WHERE f.next_change_at <= %(moment)s
)
"""

REFRESH = f"""
{DUE}, refreshed AS (
    UPDATE aggregations_aggregation a
    SET ({_listed(MOVED_BY_CLOCK)}, changed_at)
        = ROW ({_listed(MOVED_BY_CLOCK, "due.")}, %(moment)s)
    FROM due WHERE due.profile_id = a.profile_id
), next_change AS (
    UPDATE aggregations_freshness f SET next_change_at = due.next_change_at
    FROM due WHERE due.profile_id = f.profile_id
    RETURNING 1
)
SELECT count(*) FROM next_change
"""


# Rows come in the order of the keys, so that sorting within a profile beats hashing all of them. A
# nested loop is never right for thousands of profiles, but estimates within a statement are poor.
RANGE_PLANNING = """
SET LOCAL work_mem = '64MB'; SET LOCAL enable_hashagg = off; SET LOCAL enable_nestloop = off
"""


def recalculate(*, profile_ids: Collection[UUID], moment: datetime) -> int:
    """Make the rows of these profiles true as of the moment; return how many changed in a value.

    Profiles that do not exist are passed over. Waits for other recalculations of the same
    profiles, never for writers.
    """
    scope, values = scope_of(profile_ids)
    lock = statement(scope=scope, then=LOCK)
    write = statement(*WHOLE_ROW, scope=scope, then=WRITE)
    return execute_together(lock, write, parameters=values | parameters(moment))[0][0]


def recalculate_range(*, first: UUID, last: UUID, moment: datetime) -> int:
    """Do the same for all profiles whose keys lie in the range, both ends included.

    In the caller's database transaction. The plan is made for the range at hand: what is quick
    for a handful of profiles is not for thousands.
    """
    values = {"first": first, "last": last, **parameters(moment)}
    with connection.cursor() as cursor:
        cursor.execute(RANGE_PLANNING)
        cursor.execute(statement(scope=Scope.RANGE, then=LOCK), values)
        cursor.execute(statement(*WHOLE_ROW, scope=Scope.RANGE, then=WRITE), values)
        return cursor.fetchone()[0]


def despite_purges(recalculation: Callable[[], int]) -> int:
    """Return what a recalculation comes to, begun anew where a profile was purged meanwhile.

    Who was read and is gone now is found out here, and not at the commit, where all that was done
    beside it would be lost.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(IntegrityError):
            return _checked(recalculation)
    return _checked(recalculation)


def _checked(recalculation: Callable[[], int]) -> int:
    with derived_transaction():
        changed = recalculation()
        connection.check_constraints()
    return changed


def refresh_clock(*, profile_ids: Collection[UUID], moment: datetime) -> int:
    """Make the three values that the clock moves true where it has overtaken them.

    Return how many of these profiles were due.
    """
    scope, values = scope_of(profile_ids)
    lock = statement(scope=scope, then=LOCK_DUE)
    refresh = statement(*TIMELINE, scope=scope, then=REFRESH)
    return execute_together(lock, refresh, parameters=values | parameters(moment))[0][0]


def refresh_due(*, moment: datetime) -> int:
    """Refresh the profiles that have been due longest, one batch; return how many there were."""
    profile_ids = list(due(moment=moment).order_by("next_change_at")[:DUE_BATCH])
    return refresh_clock(profile_ids=profile_ids, moment=moment) if profile_ids else 0


def due(*, moment: datetime) -> QuerySet[Freshness, UUID]:
    """Return the keys of the profiles whose rows the clock has overtaken."""
    return Freshness.objects.filter(next_change_at__lte=moment).values_list("pk", flat=True)


def scope_of(profile_ids: Collection[UUID]) -> tuple[Scope, dict[str, Any]]:
    """Return the scope for these profiles and its parameters.

    One alone, as after a sale, has a statement of its own: the plan that the server keeps for a
    list is made for ten.
    """
    listed = list(profile_ids)
    if len(listed) == 1:
        return Scope.ONE, {"profile_id": listed[0]}
    return Scope.LISTED, {"profile_ids": listed}


def parameters(moment: datetime) -> dict[str, Any]:
    """Return what every statement of the calculation is given, beside its scope."""
    return windows.parameters(moment) | likely_place.WEIGHTS

"""What is stored against what the calculation says: for dry runs and for verifying."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection

from aggregations.calculation import MOVED_BY_CLOCK, TIMELINE, VALUES, WHOLE_ROW, parameters
from aggregations.models import Freshness
from aggregations.sql import Scope, statement

MOVED_BY_NOTHING_ELSE = [column for column in VALUES if column not in MOVED_BY_CLOCK]


@dataclass(frozen=True)
class Difference:
    """A value that is stored otherwise than the calculation says."""

    profile_id: UUID
    field: str
    stored: Any
    calculated: Any

    def __str__(self) -> str:
        return (
            f"{self.profile_id} {self.field}: "
            f"{self.stored!r} is stored, {self.calculated!r} is true"
        )


def _compare(source: str, columns: list[str], condition: str) -> str:
    stored = ", ".join(f"a.{column}" for column in columns)
    true = ", ".join(f"c.{column}" for column in columns)
    return f"""
        SELECT c.profile_id, a.profile_id IS NULL, {stored}, {true}
        FROM {source} c
        LEFT JOIN aggregations_aggregation a ON a.profile_id = c.profile_id
        LEFT JOIN aggregations_freshness f ON f.profile_id = c.profile_id
        WHERE ({stored}) IS DISTINCT FROM ({true}) AND {condition}
        ORDER BY c.profile_id
    """


# What waits for its recalculation, also since a moment ago, may be out of date and is not wrong.
SETTLED = """NOT EXISTS (
    SELECT FROM aggregations_recalculationrequest r WHERE r.profile_id = c.profile_id
) AND NOT EXISTS (
    SELECT FROM aggregations_sharedchange
)"""
# A row says what was true at its own moment; one that was recalculated meanwhile is not compared.
WHOLE = _compare("computed", MOVED_BY_NOTHING_ELSE, f"f.calculated_at = %(moment)s AND {SETTLED}")
CLOCK = _compare("timeline", MOVED_BY_CLOCK, f"f.next_change_at > %(moment)s AND {SETTLED}")
CHANGES = _compare("computed", VALUES, "true")


def changes(*, profile_ids: Collection[UUID], moment: datetime) -> Iterator[Difference]:
    """Yield what a recalculation at that moment would change. Writes nothing."""
    return _differences(WHOLE_ROW, CHANGES, VALUES, profile_ids, moment)


def errors(*, profile_ids: Collection[UUID], moment: datetime) -> Iterator[Difference]:
    """Yield what is stored wrongly: each row against the calculation at the row's own moment.

    What the clock moves is held against the moment given; where the clock has overtaken a row it
    is brought up to date before anybody sees it, and not an error. Profiles that wait for their
    recalculation are none either, nor those never calculated, which are when they are first read.
    """
    calculated = Freshness.objects.filter(profile_id__in=profile_ids).order_by("calculated_at")
    for calculated_at, rows in groupby(
        calculated.values_list("calculated_at", "profile_id"), key=lambda row: row[0]
    ):
        same_moment = [profile_id for _, profile_id in rows]
        yield from _differences(WHOLE_ROW, WHOLE, MOVED_BY_NOTHING_ELSE, same_moment, calculated_at)
    yield from _differences(TIMELINE, CLOCK, MOVED_BY_CLOCK, profile_ids, moment)


def _differences(
    expressions: tuple[str, ...],
    comparison: str,
    columns: list[str],
    profile_ids: Collection[UUID],
    moment: datetime,
) -> Iterator[Difference]:
    sql = statement(*expressions, scope=Scope.LISTED, then=comparison)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"profile_ids": list(profile_ids), **parameters(moment)})
        for profile_id, is_missing, *values in cursor.fetchall():
            stored, true = values[: len(columns)], values[len(columns) :]
            for column, before, after in zip(columns, stored, true, strict=True):
                if is_missing or before != after:
                    yield Difference(profile_id, column, before, after)

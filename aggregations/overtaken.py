"""Selections in which the clock has overtaken no row, though nothing is stored for them.

What the clock moves is worked out for the rows that it has overtaken, by an expression of the name
of their table: it stands in the table's place in whatever the ORM makes of a selection. So who
selects locks nothing, and waits for nobody who has such a row in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from rest_framework import status
from rest_framework.exceptions import APIException

from aggregations.calculation import DUE, MOVED_BY_CLOCK, TIMELINE, due, parameters, scope_of
from aggregations.models import Aggregation
from aggregations.nudge import nudge_to_refresh
from aggregations.sql import statement

# About a second of work for a statement. Of a million profiles some ten thousand fall due a
# day, and the periodic task takes them every minute.
MOST = 30_000

TABLE = Aggregation._meta.db_table
VALUES = ", ".join(
    f"coalesce(due.{column}, stored.{column}) AS {column}"
    if column in MOVED_BY_CLOCK
    else f"stored.{column}"
    for column in (field.column for field in Aggregation._meta.concrete_fields)
)
IN_PLACE_OF_TABLE = f"""
{DUE}, {TABLE} AS NOT MATERIALIZED (
    SELECT {VALUES} FROM {TABLE} stored LEFT JOIN due USING (profile_id)
)
"""


class FarBehind(APIException):
    """503: the clock has overtaken so many rows that a selection would have to wait too long."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = (
        f"More than {MOST:,} rows were overtaken by the clock and are being brought up to date. "
        "Try again."
    )
    default_code = "far_behind"
    wait = 5  # seconds


def all_overtaken(*, moment: datetime) -> list[UUID]:
    """Return the profiles whose rows the clock has overtaken; nearly always there is none.

    Raises FarBehind where there are too many to work out, and has a worker store them.
    """
    profile_ids = list(due(moment=moment)[: MOST + 1])
    if len(profile_ids) > MOST:
        nudge_to_refresh()
        raise FarBehind
    return profile_ids


def overtaken_of(profile_ids: Collection[Any], *, moment: datetime) -> list[UUID]:
    """Return those of the profiles whose rows the clock has overtaken."""
    return list(due(moment=moment).filter(pk__in=profile_ids))


@contextmanager
def brought_forward(profile_ids: Collection[UUID], *, moment: datetime) -> Iterator[None]:
    """Let selections that are made within it see the rows of these profiles as the clock has them.

    Those alone that are overtaken still when they are selected: what was stored meanwhile counts.
    """
    if not profile_ids:
        yield
        return
    scope, values = scope_of(profile_ids)
    sql = statement(*TIMELINE, scope=scope, then=IN_PLACE_OF_TABLE)
    expressions = connection.ops.compose_sql(sql, values | parameters(moment))
    with connection.execute_wrapper(_put_before(expressions)):
        yield


def _put_before(expressions: str) -> Callable[..., Any]:
    quoted = connection.ops.quote_name(TABLE)
    # Its values are filled in; those of the statement behind it are not.
    before = expressions.replace("%", "%%")

    def execute_with(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        return execute(f"{before}{sql}" if quoted in sql else sql, *more)

    return execute_with

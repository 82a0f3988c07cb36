"""Where rivals write: tables of the shape of ours, and whether they hold the same."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from uuid import UUID

from django.db import connection, models
from psycopg import sql

from aggregations.calculation import VALUES
from aggregations.models import Aggregation
from benchmarks.database import execute

COLUMNS = ["profile_id", *VALUES]
TOLERANCE = 0.01  # rivals reckon in binary fractions

_APPROXIMATE = {
    field.column for field in Aggregation._meta.fields if isinstance(field, models.DecimalField)
}

UPSERT = """
    INSERT INTO {table} ({columns}, changed_at) SELECT {columns}, now() FROM {source}
    ON CONFLICT (profile_id) DO UPDATE SET ({columns}, changed_at)
        = ROW ({excluded}, EXCLUDED.changed_at)
"""


def create(table: str) -> None:
    """Make an empty table like ours, with its indexes, in the place of an older one."""
    execute(f"DROP TABLE IF EXISTS {table}")
    execute(f"CREATE TABLE {table} (LIKE aggregations_aggregation INCLUDING ALL)")


def upsert(*, source: str, table: str) -> None:
    """Write all rows of a table into one like ours, over those that are there."""
    columns = ", ".join(COLUMNS)
    excluded = ", ".join(f"EXCLUDED.{column}" for column in COLUMNS)
    execute(UPSERT.format(table=table, source=source, columns=columns, excluded=excluded))


def write_back(*, csv: Path, table: str) -> None:
    """Bring a CSV of finished rows into a table like ours: COPY, then upsert."""
    columns = ", ".join(COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE finished AS "
            f"SELECT {columns} FROM aggregations_aggregation WITH NO DATA"
        )
        statement = sql.SQL(f"COPY finished ({columns}) FROM STDIN (FORMAT csv)")
        with csv.open("rb") as file, cursor.copy(statement) as copy:
            while chunk := file.read(1 << 20):
                copy.write(chunk)
    upsert(source="finished", table=table)
    execute("DROP TABLE finished")


def differences(table: str, *, profile_ids: Collection[UUID]) -> dict[str, int]:
    """Return how many of these profiles a rival sees otherwise, by column; {} where none."""
    counts = ", ".join(
        f"count(*) FILTER (WHERE {_differs(column)}) AS {column}" for column in VALUES
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE r.profile_id IS NULL) AS missing, {counts} "
            f"FROM aggregations_aggregation a LEFT JOIN {table} r USING (profile_id) "
            "WHERE a.profile_id = ANY(%s)",
            [list(profile_ids)],
        )
        names = [column.name for column in cursor.description]
        return {
            name: number for name, number in zip(names, cursor.fetchone(), strict=True) if number
        }


def _differs(column: str) -> str:
    differs = f"a.{column} IS DISTINCT FROM r.{column}"
    if column in _APPROXIMATE:
        return f"{differs} AND coalesce(abs(a.{column} - r.{column}) > {TOLERANCE}, true)"
    return differs

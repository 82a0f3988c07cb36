"""The rows that migrations write, kept for the tests that empty all tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection, transaction

COLUMNS = """
SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
FROM information_schema.columns
WHERE table_schema = current_schema AND table_name = ANY(%s) AND is_generated = 'NEVER'
GROUP BY table_name
"""


class Kept(NamedTuple):
    """The rows of a table, as COPY has them."""

    table: str
    columns: str
    rows: bytes


def rows_of_migrations() -> Sequence[Kept]:
    """Return what stands in all tables that tests empty."""
    kept = []
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [connection.introspection.django_table_names()])
        for table, columns in cursor.fetchall():
            with cursor.copy(f"COPY {table} ({columns}) TO STDOUT") as copy:
                kept.append(Kept(table, columns, b"".join(copy)))
    return [each for each in kept if each.rows]


def bring_back(kept: Sequence[Kept]) -> None:
    """Fill the tables that were emptied, in any order: keys are checked at the commit."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table, columns, rows in kept:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")
            if cursor.fetchone() == (False,):
                with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    copy.write(rows)

"""DuckDB: the same columns in its own SQL, from Parquet files, and back by COPY."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from aggregations.likely_place import WEIGHTS
from aggregations.windows import cutoff
from benchmarks.rivals.tables import COLUMNS

TABLE = "rival_duckdb"
QUERY = Path(__file__).with_suffix(".sql")


def calculate(directory: Path, *, moment: datetime) -> duckdb.DuckDBPyConnection:
    """Calculate everybody's row from the files there; return who holds the table `finished`."""
    duck = duckdb.connect()
    duck.execute("SET TimeZone = 'UTC'")
    for file in directory.glob("*.parquet"):
        duck.execute(f"CREATE VIEW {file.stem} AS SELECT * FROM '{file}'")
    parameters = {f"since_{n}m": cutoff(moment, months=n) for n in (3, 6, 12, 24)}
    duck.execute(QUERY.read_text(), {"moment": moment, **parameters, **WEIGHTS})
    return duck


def export(duck: duckdb.DuckDBPyConnection, csv: Path) -> None:
    """Write the table as a CSV that PostgreSQL takes, its arrays too."""
    quoted = """list_transform({}, lambda name: '"' || name || '"')"""
    columns = ", ".join(
        f"'{{' || array_to_string({quoted.format(column)}, ',') || '}}'"
        if column in ("purchased_brands", "transacted_locations")
        else column
        for column in COLUMNS
    )
    duck.execute(f"COPY (SELECT {columns} FROM finished) TO '{csv}' (FORMAT csv, HEADER false)")

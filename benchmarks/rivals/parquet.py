"""What rivals outside the database read: Parquet files, exported once."""

from __future__ import annotations

from pathlib import Path

import duckdb
from django.db import connection

# Amounts leave as they are in the database; the rivals reckon with them in binary fractions, as
# is quicker for them.
QUERIES = {
    "profiles": "SELECT id AS profile_id, coalesce(joined_at, created_at) AS joined_at, "
    "joined_location_id, preferred_location_id, referred_by_id FROM profiles_profile",
    "transactions": "SELECT profile_id, id, transacted_at, location_id, amount, total, "
    "total_original, currency_id, is_purchase, shop_date, channels "
    "FROM profiles_transaction WHERE NOT is_void",
    "items": "SELECT profile_id, brand_id FROM profiles_transactionitem "
    "WHERE is_purchase AND NOT is_void AND quantity > 0 AND brand_id IS NOT NULL",
    "addresses": "SELECT profile_id, iso, iso_state, is_default FROM profiles_profileaddress",
    "tiers": "SELECT h.profile_id, h.id, h.tier_id, h.started_at, t.sort_order "
    "FROM profiles_profiletier h JOIN profiles_tier t ON t.id = h.tier_id",
    "brands": "SELECT id AS brand_id, name FROM locations_brand",
    "countries": "SELECT iso_2, iso_3, name FROM locations_country",
    "regions": "SELECT id AS region_id, name FROM locations_region",
    "members": "SELECT iso, region_id FROM locations_regionmember",
    "locations": "SELECT l.id AS location_id, l.name, l.region_id, l.country_iso_3, a.iso, "
    "a.iso_state FROM locations_location l "
    "LEFT JOIN locations_locationaddress a ON a.location_id = l.id",
}
TYPES = {
    "profile_id": "UUID",
    "referred_by_id": "UUID",
    "id": "BIGINT",
    "joined_at": "TIMESTAMPTZ",
    "transacted_at": "TIMESTAMPTZ",
    "started_at": "TIMESTAMPTZ",
    "shop_date": "DATE",
    "amount": "DOUBLE",
    "total": "DOUBLE",
    "total_original": "DOUBLE",
    "channels": "TINYINT",
    "is_purchase": "BOOLEAN",
    "is_default": "BOOLEAN",
    "sort_order": "INTEGER",
}
TEXTS = {"name", "iso", "iso_state", "iso_2", "iso_3", "country_iso_3"}


def export(directory: Path) -> None:
    """Write what the calculation reads into one file a table."""
    for name, query in QUERIES.items():
        csv = directory / f"{name}.csv"
        statement = f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)"
        with (
            connection.cursor() as cursor,
            csv.open("wb") as file,
            cursor.copy(statement) as copy,
        ):
            file.writelines(copy)
        types = {column: _type(column) for column in _columns(csv)}
        with duckdb.connect() as duck:
            duck.execute("SET TimeZone = 'UTC'")
            duck.read_csv(str(csv), header=True, dtype=types).write_parquet(
                str(directory / f"{name}.parquet")
            )
        csv.unlink()


def _columns(csv: Path) -> list[str]:
    with csv.open() as file:
        return file.readline().strip().split(",")


def _type(column: str) -> str:
    return "VARCHAR" if column in TEXTS else TYPES.get(column, "BIGINT")

"""What rows point to: places with their hours and departments, currencies and tiers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from locations.models import DAYS_OF_WEEK
from omneo.db import execute_planned

PLACES = [
    "store_join",
    "most_transacted_location",
    "most_spend_location",
    "most_spend_12m_location",
    "latest_transacted_location",
]
CURRENCY, STATUS = "latest_shop_currency", "top_historic_status"
KINDS = {**dict.fromkeys(PLACES, "place"), CURRENCY: "currency", STATUS: "status"}

# A location `l` with all that belongs to it; wants the parameter `days_of_week`.
PLACE = """
    to_jsonb(l) || jsonb_build_object(
        'address', (
            SELECT to_jsonb(la) FROM locations_locationaddress la WHERE la.location_id = l.id
        ),
        'normal_hours', ARRAY(
            SELECT to_jsonb(h) FROM locations_normalhours h
            WHERE h.location_id = l.id
            ORDER BY array_position(%(days_of_week)s, h.day_of_week), h.open_at
        ),
        'special_hours', ARRAY(
            SELECT to_jsonb(h) FROM locations_specialhours h
            WHERE h.location_id = l.id
            ORDER BY h.start_at, h.id
        ),
        'departments', ARRAY(
            SELECT to_jsonb(d) || jsonb_build_object('brand', to_jsonb(b))
            FROM locations_department d
            LEFT JOIN locations_brand b ON b.id = d.brand_id
            WHERE d.location_id = l.id
            ORDER BY d.id
        )
    )
"""
READ = f"""
SELECT 'place', l.id, {PLACE} FROM locations_location l WHERE l.id = ANY(%(place)s)
UNION ALL
SELECT 'currency', c.id, to_jsonb(c) FROM profiles_currency c WHERE c.id = ANY(%(currency)s)
UNION ALL
SELECT 'status', t.id, to_jsonb(t) FROM profiles_tier t WHERE t.id = ANY(%(status)s)
"""


class Part(dict[str, Any]):
    """A row that others point to, by the columns of its table; a place with all that it has."""

    shown: Any = None  # what the API made of it

    @property
    def modified_at(self) -> datetime:
        """When it was last saved, or something that belongs to it."""
        departments = self.get("departments", [])
        rows = [self, self.get("address"), *(department["brand"] for department in departments)]
        for several in ("normal_hours", "special_hours", "departments"):
            rows += self.get(several, [])
        return max(datetime.fromisoformat(row["updated_at"]) for row in rows if row is not None)


class Parts:
    """What many rows point to: read once and shaped once, however many rows and fields do.

    Holds what it has read. There are as many parts as a retailer has stores, not customers.
    """

    def __init__(self) -> None:
        self._read: dict[str, dict[int, Part]] = {kind: {} for kind in KINDS.values()}

    def join(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows, given by their columns, with the parts that their keys lead to.

        None where there is no such part any more. One query, none where all are known.
        """
        missing: dict[str, set[int]] = {kind: set() for kind in self._read}
        for name, kind in KINDS.items():
            missing[kind].update(row[f"{name}_id"] for row in rows)
        missing = {kind: keys - {None, *self._read[kind]} for kind, keys in missing.items()}
        if any(missing.values()):
            self._fetch(missing)
        return [
            {
                **row,
                **{name: self._read[kind].get(row[f"{name}_id"]) for name, kind in KINDS.items()},
            }
            for row in rows
        ]

    def _fetch(self, keys: Mapping[str, Iterable[int]]) -> None:
        parameters = {kind: list(wanted) for kind, wanted in keys.items()}
        parameters["days_of_week"] = DAYS_OF_WEEK
        with execute_planned(READ, parameters) as cursor:
            for kind, key, text in cursor.fetchall():
                self._read[kind][key] = from_json(text)


def from_json(text: str | None) -> Part | None:
    """Return the part that the database wrote as JSON, with every digit of its numbers."""
    return None if text is None else Part(json.loads(text, parse_float=Decimal))

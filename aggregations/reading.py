"""What a reader of a row needs: the row, all that it points to, and how fresh it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

from aggregations.calculation import recalculate, refresh_clock
from aggregations.models import Aggregation
from locations.models import DAYS_OF_WEEK
from omneo.db import server_bound_cursor
from profiles.models import Profile

PLACES = [
    "store_join",
    "most_transacted_location",
    "most_spend_location",
    "most_spend_12m_location",
    "latest_transacted_location",
]

# One by one: after `a.*` a migration that adds a column breaks what open connections prepared.
COLUMNS = ", ".join(f"a.{field.column}" for field in Aggregation._meta.concrete_fields)

# One statement, so that a row that must be calculated first is still read in few.
READ = f"""
SELECT
    {COLUMNS},
    f.calculated_at,
    f.next_change_at,
    EXISTS (
        SELECT FROM aggregations_recalculationrequest r WHERE r.profile_id = p.id
    ) AS is_pending,
    to_jsonb(c) AS latest_shop_currency,
    to_jsonb(t) AS top_historic_status,
    ARRAY(
        SELECT to_jsonb(l) || jsonb_build_object(
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
        FROM locations_location l
        WHERE l.id IN ({", ".join(f"a.{place}_id" for place in PLACES)})
    ) AS places
FROM profiles_profile p
LEFT JOIN aggregations_freshness f ON f.profile_id = p.id
LEFT JOIN aggregations_aggregation a ON a.profile_id = p.id
LEFT JOIN profiles_currency c ON c.id = a.latest_shop_currency_id
LEFT JOIN profiles_tier t ON t.id = a.top_historic_status_id
WHERE p.id = %(profile_id)s
"""


class Place(dict[str, Any]):
    """A location with its parts; one object, however many fields of a row point to it."""

    shown: dict[str, Any] | None = None  # what the API made of it


@dataclass(frozen=True, slots=True)
class Reading:
    """A row by its fields: its places, currency and tier by the columns of their tables.

    `version` is another whenever anything of `row` is.
    """

    row: dict[str, Any]
    calculated_at: datetime
    next_change_at: datetime | None
    is_pending: bool
    version: str


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


def recalculated(*, profile_id: UUID, moment: datetime) -> Reading:
    """Recalculate the profile's row and return it. Raises Profile.DoesNotExist."""
    recalculate(profile_ids=[profile_id], moment=moment)
    return _reading(_stored(profile_id))


def _stored(profile_id: UUID) -> dict[str, Any]:
    with server_bound_cursor() as cursor:
        cursor.execute(READ, {"profile_id": profile_id, "days_of_week": DAYS_OF_WEEK})
        values = cursor.fetchone()
        if values is None:
            raise Profile.DoesNotExist
        return {
            column.name: value for column, value in zip(cursor.description, values, strict=True)
        }


def _reading(stored: dict[str, Any]) -> Reading:
    freshness = {
        name: stored.pop(name) for name in ("calculated_at", "next_change_at", "is_pending")
    }
    version = blake2b(repr(stored).encode(), digest_size=16).hexdigest()
    places = {place["id"]: Place(place) for place in map(_from_json, stored.pop("places"))}
    pointed_to = {place: places.get(stored[f"{place}_id"]) for place in PLACES}
    return Reading(
        **freshness,
        version=version,
        row={
            **stored,
            **pointed_to,
            "latest_shop_currency": _from_json(stored["latest_shop_currency"]),
            "top_historic_status": _from_json(stored["top_historic_status"]),
        },
    )


def _from_json(text: str | None) -> dict[str, Any] | None:
    return None if text is None else json.loads(text, parse_float=Decimal)

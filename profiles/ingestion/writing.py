"""Drafts are written: a statement for what is new and one for what changed, however many."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from django.db import IntegrityError, connection

from profiles.ingestion.drafts import COLUMNS, ITEM_COLUMNS, Draft, ItemDraft, Values
from profiles.ingestion.references import References

EXTERNAL_ID = "transaction_external_id"

TYPES = {
    "id": "bigint",
    "profile_id": "uuid",
    "location_id": "bigint",
    "currency_id": "bigint",
    "currency_rate": "numeric",
    "external_id": "text",
    "receipt_ref": "text",
    "total": "numeric",
    "total_original": "numeric",
    "rounding": "numeric",
    "margin": "numeric",
    "systems": "text[]",
    "tags": "text[]",
    "timezone": "text",
    "transacted_at": "timestamptz",
    "is_void": "boolean",
    "meta": "jsonb",
}
ITEM_TYPES = {
    "id": "bigint",
    "transaction_id": "bigint",
    "brand_id": "bigint",
    "name": "text",
    "sku": "text",
    "quantity": "numeric",
    "price_current": "numeric",
    "price_sell": "numeric",
    "price_original": "numeric",
    "price_tax": "numeric",
    "product_variant": "jsonb",
    "discounts": "jsonb",
    "is_void": "boolean",
}


def _given(types: dict[str, str]) -> str:
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return f"json_to_recordset(%(rows)s) AS given ({columns})"


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(columns)


def _of(columns: Iterable[str]) -> str:
    return ", ".join(f"given.{column}" for column in columns)


ZONE = "coalesce(given.timezone, location.timezone, 'UTC')"
LOCATION = "LEFT JOIN locations_location location ON location.id = given.location_id"

# In one order, so that batches wait for each other's rows and never in a circle.
INSERT = f"""
INSERT INTO profiles_transaction (id, {_listed(COLUMNS)}, shop_timezone)
SELECT given.id, {_of(COLUMNS)}, {ZONE}
FROM {_given(TYPES)} {LOCATION}
ORDER BY given.external_id, given.id
ON CONFLICT (external_id) DO NOTHING
RETURNING id
"""

UPDATE = f"""
UPDATE profiles_transaction
SET ({_listed(COLUMNS)}, shop_timezone, updated_at) = ROW({_of(COLUMNS)}, {ZONE}, now())
FROM {_given(TYPES)} {LOCATION}
WHERE profiles_transaction.id = given.id
"""

GIVE_UP_EXTERNAL_IDS = """
UPDATE profiles_transaction SET external_id = NULL WHERE id = ANY(%(ids)s::bigint[])
"""

INSERT_ITEMS = f"""
INSERT INTO profiles_transactionitem
    (transaction_id, profile_id, is_purchase, {_listed(ITEM_COLUMNS)})
SELECT sale.id, sale.profile_id, sale.is_purchase, {_of(ITEM_COLUMNS)}
FROM {_given({"place": "int"} | ITEM_TYPES)}
JOIN profiles_transaction sale ON sale.id = given.transaction_id
ORDER BY given.place
"""

UPDATE_ITEMS = f"""
UPDATE profiles_transactionitem
SET ({_listed(ITEM_COLUMNS)}, updated_at) = ROW({_of(ITEM_COLUMNS)}, now())
FROM {_given(ITEM_TYPES)}
WHERE profiles_transactionitem.id = given.id
"""

DELETE_ITEMS = "DELETE FROM profiles_transactionitem WHERE id = ANY(%(ids)s::bigint[])"

NEW_IDS = """
SELECT nextval(pg_get_serial_sequence('profiles_transaction', 'id'))
FROM generate_series(1, %(count)s)
"""


class TakenMeanwhileError(Exception):
    """Somebody else has just given one of the external ids to a transaction."""


def write(drafts: Collection[Draft], references: References) -> None:
    """Write what is new and what changed. Raises TakenMeanwhileError; then all must be undone."""
    _insert([draft for draft in drafts if draft.is_new], references)
    _update([draft for draft in drafts if not draft.is_new and draft.differs], references)
    _write_items(drafts, references)


def _insert(drafts: Collection[Draft], references: References) -> None:
    if not drafts:
        return
    for draft, (pk,) in zip(drafts, _run(NEW_IDS, count=len(drafts)), strict=True):
        draft.id = pk
    inserted = _run(INSERT, rows=_json(_columns(draft, references) for draft in drafts))
    if len(inserted) < len(drafts):
        raise TakenMeanwhileError


def _update(drafts: Collection[Draft], references: References) -> None:
    if not drafts:
        return
    renamed = [
        draft.id
        for draft in drafts
        if draft.stored["external_id"] not in (None, draft.values["external_id"])
    ]
    if renamed:
        _run(GIVE_UP_EXTERNAL_IDS, ids=renamed)
    try:
        _run(UPDATE, rows=_json(_columns(draft, references) for draft in drafts))
    except IntegrityError as error:
        if error.__cause__.diag.constraint_name == EXTERNAL_ID:
            raise TakenMeanwhileError from error
        raise


def _write_items(drafts: Collection[Draft], references: References) -> None:
    removed = [pk for draft in drafts for pk in draft.removed_items]
    if removed:
        _run(DELETE_ITEMS, ids=removed)
    changed = [(draft, item) for draft in drafts for item in draft.items if item.differs]
    new = [_item_columns(*pair, references) for pair in changed if pair[1].id is None]
    old = [_item_columns(*pair, references) for pair in changed if pair[1].id is not None]
    if old:
        _run(UPDATE_ITEMS, rows=_json(old))
    if new:
        _run(INSERT_ITEMS, rows=_json({"place": place} | row for place, row in enumerate(new)))


def _columns(draft: Draft, references: References) -> Values:
    return draft.values | {
        "id": draft.id,
        "location_id": references.key(draft.values["location_id"]),
    }


def _item_columns(draft: Draft, item: ItemDraft, references: References) -> Values:
    return item.values | {
        "id": item.id,
        "transaction_id": draft.id,
        "brand_id": references.key(item.values["brand_id"]),
    }


def _json(rows: Iterable[Values]) -> str:
    # Numbers of money and times go as text, which PostgreSQL reads to the last digit.
    return json.dumps(list(rows), default=str)


def _run(statement: str, **parameters: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

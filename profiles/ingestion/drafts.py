"""Drafts: transactions as the rows will have left them, each row on top of those before it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q

from profiles.ingestion.references import NewBrand, NewLocation, References, profile_name
from profiles.ingestion.rows import Errors, Match, Outcome, Row, Status, missing
from profiles.models import Transaction, TransactionItem

Values = dict[str, Any]

# What a body gives under the name of the column.
PLAIN = [
    "external_id",
    "receipt_ref",
    "total",
    "total_original",
    "rounding",
    "margin",
    "systems",
    "tags",
    "timezone",
    "transacted_at",
    "is_void",
    "meta",
]
COLUMNS = ["profile_id", "location_id", "currency_id", "currency_rate", *PLAIN]

ITEM_PLAIN = [
    "name",
    "sku",
    "quantity",
    "price_current",
    "price_sell",
    "price_original",
    "price_tax",
    "product_variant",
    "discounts",
    "is_void",
]
ITEM_COLUMNS = ["brand_id", *ITEM_PLAIN]


DOCUMENTS = {"meta", "product_variant", "discounts"}


def content(values: Values) -> tuple:
    """Return what tells values apart: in JSON, unlike in Python, 1 is neither true nor 1.0."""
    return tuple(
        json.dumps(values[name], sort_keys=True) if name in DOCUMENTS else values[name]
        for name in sorted(values)
    )


def _defaults(model: type, columns: Iterable[str]) -> Values:
    return {column: model._meta.get_field(column).get_default() for column in columns}


@dataclass
class ItemDraft:
    """An item as it will be. `stored`: as it is in the database, None for a new one."""

    values: Values
    id: int | None = None
    stored: Values | None = None

    @property
    def differs(self) -> bool:
        return self.stored is None or content(self.values) != content(self.stored)


@dataclass
class Draft:
    """A transaction as it will be. `stored`: as it is in the database, None for a new one."""

    values: Values
    id: int | None = None
    stored: Values | None = None
    items: list[ItemDraft] = field(default_factory=list)
    removed_items: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        return self.stored is None

    @property
    def differs(self) -> bool:
        return self.stored is None or content(self.values) != content(self.stored)

    @property
    def items_differ(self) -> bool:
        return bool(self.removed_items) or any(item.differs for item in self.items)

    @property
    def owners(self) -> set[UUID]:
        """Whose it will be and whose it was."""
        return {self.values["profile_id"], (self.stored or self.values)["profile_id"]}

    @property
    def wanted(self) -> Iterator[NewLocation | NewBrand]:
        """What must be made before it can be written."""
        named = [self.values["location_id"], *(item.values["brand_id"] for item in self.items)]
        yield from (each for each in named if isinstance(each, NewLocation | NewBrand))


class Drafts:
    """The transactions that some rows are about. Their rows in the database are held."""

    def __init__(self, rows: Collection[Row]) -> None:
        self._all: list[Draft] = []
        self._by_id: dict[int, Draft] = {}
        self._by_external_id: dict[str, Draft] = {}
        self._hold(
            external_ids={row.given.get("external_id") for row in rows} - {None},
            ids={row.given["id"] for row in rows if _is_found_by_id(row)},
        )
        if any(row.given.keys() & {"items", "delete_existing_items"} for row in rows):
            self._read_items()

    def __iter__(self) -> Iterator[Draft]:
        return iter(self._all)

    def apply(self, row: Row, references: References) -> None:
        """Let a row have its effect, unless something is wrong with it."""
        draft = self._of(row) if row.match != Match.CREATE else None
        errors = self._errors(row, draft, references)
        if errors:
            row.fail(errors)
            return
        row.outcome = Outcome(Status.UPDATED if draft else Status.CREATED)
        if draft is None:
            defaults = _defaults(Transaction, PLAIN) | {"transacted_at": row.accepted_at}
            unreferenced = {"location_id": None, "currency_id": None, "currency_rate": 1}
            draft = Draft(values=defaults | unreferenced)
            self._all.append(draft)
        draft.rows.append(row)
        self._change(draft, row.given, references)

    def _of(self, row: Row) -> Draft | None:
        by_id = self._by_id.get(row.given["id"]) if _is_found_by_id(row) else None
        if row.match == Match.UPDATE:
            return by_id
        return self._by_external_id.get(row.given.get("external_id"), by_id)

    def _errors(self, row: Row, draft: Draft | None, references: References) -> Errors:
        given, errors = row.given, {}
        if draft is None:
            if row.match == Match.UPDATE:
                raise Transaction.DoesNotExist
            errors = missing(given)
        if self._by_external_id.get(given.get("external_id"), draft) is not draft:
            errors["external_id"] = ["Another transaction has this external id."]
        if "profile_id" in given and profile_name(given) not in references.profiles:
            errors["profile_id"] = ["There is no such profile."]
        currency = given.get("currency")
        if currency is not None and currency not in references.currencies:
            errors["currency"] = ["There is no such currency."]
        return errors

    def _change(self, draft: Draft, given: Mapping[str, Any], references: References) -> None:
        values = draft.values
        if "external_id" in given:
            self._by_external_id.pop(values["external_id"], None)
            if given["external_id"] is not None:
                self._by_external_id[given["external_id"]] = draft
        values |= {name: given[name] for name in PLAIN if name in given}
        if "profile_id" in given:
            values["profile_id"] = references.profiles[profile_name(given)]
        if "location_id" in given:
            values["location_id"] = references.location(given["location_id"])
        if "currency" in given:
            currency = given["currency"] and references.currencies[given["currency"]]
            key = currency.pk if currency else None
            if key != values["currency_id"]:
                values |= {"currency_id": key, "currency_rate": currency.rate if currency else 1}
        _change_items(draft, given, references)

    def _hold(self, *, external_ids: Collection[str], ids: Collection[int]) -> None:
        if not external_ids and not ids:
            return
        found = Transaction.objects.filter(Q(external_id__in=external_ids) | Q(id__in=ids))
        # In one order, so that batches wait for each other and never in a circle.
        for stored in found.order_by("id").select_for_update().values("id", *COLUMNS):
            pk = stored.pop("id")
            draft = Draft(id=pk, values=dict(stored), stored=stored)
            self._all.append(draft)
            self._by_id[pk] = draft
            if stored["external_id"] is not None:
                self._by_external_id[stored["external_id"]] = draft

    def _read_items(self) -> None:
        if not self._by_id:
            return
        items = TransactionItem.objects.filter(transaction__in=self._by_id).order_by("id")
        for stored in items.values("id", "transaction_id", *ITEM_COLUMNS):
            pk, transaction = stored.pop("id"), stored.pop("transaction_id")
            item = ItemDraft(id=pk, values=dict(stored), stored=stored)
            self._by_id[transaction].items.append(item)


def _is_found_by_id(row: Row) -> bool:
    return row.match != Match.CREATE and row.given.get("id") is not None


def _change_items(draft: Draft, given: Mapping[str, Any], references: References) -> None:
    """Let the given items be among the transaction's, or take the place of those that are there.

    An item that is there already, by its id or as it is in every field, is not added again: to
    post a body twice comes to the same as to post it once.
    """
    bodies = given.get("items", [])
    there = {item.id: item for item in draft.items if item.id is not None}
    named = [there.get(body.get("id")) for body in bodies]
    claimed = {id(item) for item in named}
    unclaimed = defaultdict(list)
    for item in reversed(draft.items):
        if id(item) not in claimed:
            unclaimed[content(item.values)].append(item)
    for body, item in zip(bodies, named, strict=True):
        values = {name: body[name] for name in ITEM_PLAIN if name in body}
        if "brand" in body:
            values["brand_id"] = references.brand(body["brand"])
        if item is not None:
            item.values |= values
            continue
        whole = _defaults(TransactionItem, ITEM_PLAIN) | {"brand_id": None} | values
        if alike := unclaimed[content(whole)]:
            alike.pop()
        else:
            draft.items.append(ItemDraft(values=whole))
    if given.get("delete_existing_items"):
        gone = {id(item) for alike in unclaimed.values() for item in alike}
        draft.removed_items += [
            item.id for item in draft.items if id(item) in gone and item.id is not None
        ]
        draft.items = [item for item in draft.items if id(item) not in gone]

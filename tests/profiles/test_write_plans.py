"""What a save asks of the database is found by indexes, however large the tables are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext

from profiles.models import Transaction, TransactionItem
from tests.factories import (
    BrandFactory,
    LocationFactory,
    ProfileFactory,
    TransactionFactory,
    TransactionItemFactory,
)

pytestmark = pytest.mark.django_db

PLANNED = ("SELECT", "UPDATE", "DELETE")
SCANS = ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan")


def read_as_a_whole(work: Callable[[], object]) -> list[str]:
    """Return the statements that read a whole table or index because no index serves them."""
    with CaptureQueriesContext(connection) as captured:
        work()
    statements = [query["sql"] for query in captured if query["sql"].startswith(PLANNED)]
    assert statements
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # then it is the last resort
        return [statement for statement in statements if any(whole_scans(cursor, statement))]


def whole_scans(cursor: CursorWrapper, statement: str) -> Iterator[bool]:
    """Tell of each scan of the statement's plan whether it has no condition to look up."""
    cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
    nodes = [cursor.fetchone()[0][0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node["Node Type"] in SCANS:
            yield "Index Cond" not in node


@pytest.fixture
def sale() -> Transaction:
    return TransactionFactory(location=LocationFactory())


@pytest.fixture
def item(sale: Transaction) -> TransactionItem:
    return TransactionItemFactory(transaction=sale, brand=BrandFactory())


def test_of_a_new_transaction() -> None:
    profile, location = ProfileFactory(), LocationFactory()

    assert read_as_a_whole(lambda: TransactionFactory(profile=profile, location=location)) == []


def test_of_a_changed_transaction(sale: Transaction) -> None:
    sale.is_void = True

    assert read_as_a_whole(sale.save) == []


def test_of_a_transaction_that_moves_to_another_profile(item: TransactionItem) -> None:
    item.transaction.profile = ProfileFactory()

    assert read_as_a_whole(item.transaction.save) == []


def test_of_a_new_item(sale: Transaction) -> None:
    assert read_as_a_whole(lambda: TransactionItemFactory(transaction=sale)) == []


def test_of_an_item_that_moves_to_another_transaction(item: TransactionItem) -> None:
    item.transaction = TransactionFactory()

    assert read_as_a_whole(item.save) == []


def test_of_a_deleted_transaction(item: TransactionItem) -> None:
    assert read_as_a_whole(item.transaction.delete) == []

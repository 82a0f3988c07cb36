"""Twenty thousand rows as a stream, to a client that takes its time, goes away, or is let down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest
from django.db import connection
from django.utils import timezone

from aggregations.calculation import recalculate
from aggregations.models import Aggregation
from tests.aggregations.copies import multiply
from tests.embedded.helpers import eventually
from tests.factories import TransactionFactory
from tests.http.server import Client, Server

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 20_000
A_PIECE = 16 * 1024
CSV, LINES = "text/csv", "application/x-ndjson"
LAST_LINE = {CSV: b"Server error.", LINES: b'{"message":"Server error.'}

# What was done to a cursor last, by all connections but the test's own
CURSORS = """
SELECT state, query FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%%_django_curs%%'
"""


@pytest.fixture(autouse=True)
def _rows(transactional_db: None) -> None:
    recalculate(profile_ids=[TransactionFactory().profile_id], moment=timezone.now())
    multiply(ROWS)


def begin(client: Client, form: str) -> HTTPResponse:
    """Ask for all rows, and read the first piece of the answer alone."""
    client.send("GET", "/aggregations", headers={"Accept": form})
    answer = client.connection.getresponse()
    assert answer.status == 200
    assert answer.read(A_PIECE)
    return answer


def pieces(answer: HTTPResponse) -> Iterator[bytes]:
    while piece := answer.read(A_PIECE):
        yield piece


def cursors() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(CURSORS)
        return cursor.fetchall()


def test_the_memory_of_the_server_does_not_grow_with_the_rows(server: Server, client: Client):
    few = f"/aggregations?filter[profile_id]={Aggregation.objects.first().pk}"
    assert client.get(few, Accept=LINES).status == 200  # what is loaded but once
    before = server.memory()
    size = largest = 0
    for number, piece in enumerate(pieces(begin(client, LINES))):
        size += len(piece)
        if number % 100 == 0:
            largest = max(largest, server.memory())

    assert largest - before < size


def test_the_first_rows_are_sent_before_the_last_are_made(client: Client):
    answer = begin(client, LINES)
    Aggregation.objects.all().delete()

    lines = b"".join(pieces(answer)).splitlines()

    assert len(lines) < ROWS
    assert json.loads(lines[-1])["profile_id"]  # whole, and no error


@pytest.mark.parametrize("form", [CSV, LINES])
def test_a_stream_that_loses_its_database_says_so_in_its_last_line(client: Client, form: str):
    answer = begin(client, form)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    rest = b"".join(pieces(answer))

    assert rest.splitlines()[-1].startswith(LAST_LINE[form])
    assert rest.endswith(b"\n")
    assert client.get("/aggregations").status == 200  # over the same connection, and a new one


def test_a_client_that_hangs_up_leaves_nothing_open(client: Client):
    begin(client, LINES)

    client.close()

    assert eventually(lambda: [query.split()[0] for _, query in cursors()] == ["CLOSE"])
    assert {state for state, _ in cursors()} == {"idle"}  # and not: in transaction

"""The messages of a machine without a broker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.simple import SimpleQueue

import omneo.celery  # noqa: F401 - which says what a folder is

MESSAGES = 1000


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    folder = tmp_path / "broker"
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder)}
    return Connection(
        "filesystem://localhost",
        transport_options=options | {"control_folder": str(folder / "control")},
    )


def take(queue: SimpleQueue) -> int:
    while True:
        try:
            message = queue.get_nowait()
        except Empty:
            continue
        message.ack()
        return message.payload


def test_a_message_is_taken_as_a_whole_or_not_at_all(connection):
    writer, reader = connection.clone(), connection.clone()

    with writer.SimpleQueue("sales") as sent, reader.SimpleQueue("sales") as received:
        with ThreadPoolExecutor(1) as thread:
            taken = thread.submit(lambda: [take(received) for _ in range(MESSAGES)])
            for number in range(MESSAGES):
                sent.put(number)
        assert sorted(taken.result()) == list(range(MESSAGES))


def test_its_folders_are_made_by_whoever_connects(tmp_path, connection):
    connection.connect()

    assert (tmp_path / "broker" / "control").is_dir()


def test_where_they_cannot_be_made_the_broker_is_away(tmp_path, connection):
    (tmp_path / "broker").touch()

    with pytest.raises(OperationalError):
        connection.ensure_connection(max_retries=1, timeout=1)

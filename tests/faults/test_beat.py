"""What becomes of the schedule when beat is away, there twice, or heard by nobody."""

from __future__ import annotations

import time

import pytest
from kombu import Queue

from aggregations.nudge import nudge
from omneo.celery import app
from tests.factories import TransactionFactory
from tests.faults.brokers import over_each
from tests.faults.crew import SCHEDULE, often
from tests.faults.witness import eventually, nobody_waits, wrong_rows

pytestmark = [pytest.mark.django_db(transaction=True), over_each]

ENTRY = "recalculate-waiting"
LIFE = 0.5  # seconds, in place of the product's
SENT = f"Sending due task {ENTRY}"


@pytest.fixture(autouse=True)
def _unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sales send no messages of their own."""
    monkeypatch.setattr(nudge, "_silent_until", float("inf"))


def test_what_beat_sends_while_no_worker_is_there_is_not_carried_out_later(broker, crew):
    shortened = dict.fromkeys(SCHEDULE[ENTRY]["options"], LIFE)
    beat = crew.start("beat", "--loglevel", "INFO", **often(ENTRY, **shortened))
    assert beat.says(SENT, times=5)  # more than a worker fetches at once
    beat.kill()
    time.sleep(LIFE)

    worker = crew.worker()

    with app.connection_for_write() as connection:
        queue = Queue(broker.queue, channel=connection.default_channel)
        assert eventually(lambda: queue.queue_declare().message_count == 0)
    crew.stand_by()
    assert worker.count("succeeded") == 0


def test_sales_while_beat_was_stopped_come_in_when_it_is_back(crew):
    worker = crew.worker()
    beat = crew.start("beat", **often(ENTRY))
    assert worker.says("succeeded")
    beat.ask_to_end()
    assert beat.process.wait(timeout=30) == 0
    TransactionFactory()
    assert not nobody_waits()

    crew.start("beat", **often(ENTRY))

    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_two_beats_at_once_are_as_good_as_one(crew, tmp_path):
    worker = crew.worker()
    beats = [
        crew.start("beat", "--loglevel", "INFO", "--schedule", str(tmp_path / name), **often(ENTRY))
        for name in ("one", "other")
    ]
    for _ in range(5):
        TransactionFactory()

    assert all(beat.says(SENT) for beat in beats)
    assert eventually(nobody_waits)
    assert wrong_rows() == []
    assert worker.is_there

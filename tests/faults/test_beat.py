"""What becomes of the schedule when beat is away, there twice, or heard by nobody."""

from __future__ import annotations

import time

import pytest
from django.conf import settings
from kombu import Queue

from aggregations.nudge import nudge
from omneo.celery import app
from tests.factories import TransactionFactory
from tests.faults.witness import eventually, nobody_waits, wrong_rows

pytestmark = pytest.mark.django_db(transaction=True)

PERIODIC = settings.CELERY_BEAT_SCHEDULE["recalculate-waiting"]
SENT = "Sending due task recalculate-waiting"
on_both = pytest.mark.parametrize("broker", ["redis", "rabbitmq"], indirect=True)


@pytest.fixture(autouse=True)
def _unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sales send no messages of their own."""
    monkeypatch.setattr(nudge, "_silent_until", float("inf"))


def often(**options: object) -> dict[str, object]:
    """Return a setting: beat asks for recalculation five times a second, with these options."""
    schedule = {"recalculate-waiting": PERIODIC | {"schedule": 0.2, "options": options}}
    return {"CELERY_BEAT_SCHEDULE": schedule}


@on_both
def test_what_beat_sends_while_no_worker_is_there_is_not_carried_out_later(broker, crew):
    shortened = dict.fromkeys(PERIODIC["options"], 1)
    beat = crew.start("beat", "--loglevel", "INFO", **often(**shortened))
    assert beat.says(SENT, times=10)
    beat.kill()
    time.sleep(1)

    worker = crew.worker()

    with app.connection_for_write() as connection:
        queue = Queue(broker.queue, channel=connection.default_channel)
        assert eventually(lambda: queue.queue_declare().message_count == 0)
    crew.stand_by()
    assert worker.count("succeeded") == 0


@on_both
def test_sales_while_beat_was_stopped_come_in_when_it_is_back(crew):
    worker = crew.worker()
    beat = crew.start("beat", **often())
    assert worker.says("succeeded")
    beat.ask_to_end()
    assert beat.process.wait(timeout=30) == 0
    TransactionFactory()
    assert not nobody_waits()

    crew.start("beat", **often())

    assert eventually(nobody_waits)
    assert wrong_rows() == []


@on_both
def test_two_beats_at_once_are_as_good_as_one(crew, tmp_path):
    worker = crew.worker()
    beats = [
        crew.start("beat", "--loglevel", "INFO", "--schedule", str(tmp_path / name), **often())
        for name in ("one", "other")
    ]
    for _ in range(5):
        TransactionFactory()

    assert all(beat.says(SENT) for beat in beats)
    assert eventually(nobody_waits)
    assert wrong_rows() == []
    assert worker.is_there

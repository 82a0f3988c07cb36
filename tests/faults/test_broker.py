"""What becomes of sales when the broker stops, or is there and says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from aggregations.models import RecalculationRequest
from aggregations.nudge import nudge
from omneo.celery import app
from omneo.settings import broker_transport_options
from tests import messages
from tests.concurrency import LIMIT
from tests.factories import TransactionFactory
from tests.faults.brokers import Broker, RedisServer
from tests.faults.crew import Crew
from tests.faults.proxy import Proxy, proxy
from tests.faults.witness import eventually, nobody_waits, wrong_rows

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 0.3  # seconds, in place of the product's
TIMEOUTS = {"read_timeout", "socket_timeout", "socket_connect_timeout"}
ANSWERS_TO_A_FIRST_MESSAGE = 8  # at most, by either broker
PILE = 100_000  # messages: more than any buffer holds

on_both = pytest.mark.parametrize("broker", ["redis", "rabbitmq"], indirect=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.conf, "broker_connection_timeout", PATIENCE)


@contextmanager
def sent_by_way_of(broker: Broker) -> Iterator[Proxy]:
    """Let the messages of this process take a way that can fall silent."""
    server = urlsplit(broker.url)
    with proxy(server.hostname, server.port) as way:
        url = broker.url.replace(f":{server.port}", f":{way.port}")
        options = broker_transport_options(url) | broker.transport_options
        options |= dict.fromkeys(TIMEOUTS & options.keys(), PATIENCE)
        with messages.sent_to(url, queue=broker.queue, **options):
            yield way


@on_both
def test_a_save_does_not_hang_with_it_whatever_it_answered_last(broker, session, monkeypatch):
    for answers in range(ANSWERS_TO_A_FIRST_MESSAGE):
        monkeypatch.setattr(nudge, "_silent_until", 0.0)
        with sent_by_way_of(broker) as way:
            way.answers = answers
            session.start(TransactionFactory).result(LIMIT)

    assert RecalculationRequest.objects.distinct("profile_id").count() == answers + 1


@on_both
def test_a_save_does_not_hang_where_it_falls_silent_later(broker, crew, session, monkeypatch):
    with sent_by_way_of(broker) as way:
        TransactionFactory()
        assert nudge._silent_until == 0

        way.is_silent.set()
        session.start(send_until_it_fails).result(LIMIT)
        TransactionFactory()

        way.is_silent.clear()
        monkeypatch.setattr(nudge, "_silent_until", 0.0)
        TransactionFactory()
        assert nudge._silent_until == 0
    crew.worker()
    assert eventually(nobody_waits)
    assert wrong_rows() == []


def send_until_it_fails() -> None:
    for _ in range(PILE):
        nudge()
        if nudge._silent_until:
            return


def test_sales_while_it_is_stopped_come_in_when_it_is_back(environment, tmp_path, monkeypatch):
    server = RedisServer(tmp_path)
    server.start()
    crew = Crew(tmp_path, environment, Broker(server.url))
    try:
        with messages.sent_to(server.url):
            crew.start("beat")
            crew.worker()
            server.stop()
            TransactionFactory()
            server.start()

            assert eventually(nobody_waits)
            assert wrong_rows() == []
    finally:
        crew.end()
        server.stop()

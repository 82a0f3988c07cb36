"""What becomes of sales when the broker stops, or is there and says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from aggregations.calculation import recalculate
from aggregations.models import Freshness, RecalculationRequest
from aggregations.nudge import nudge
from omneo.celery import app
from omneo.settings import broker_transport_options
from tests import messages
from tests.concurrency import LIMIT
from tests.factories import ProfileFactory, TransactionFactory
from tests.faults import outages
from tests.faults.brokers import EACH, Broker
from tests.faults.crew import Crew
from tests.faults.outages import Outage
from tests.faults.proxy import Proxy, proxy
from tests.faults.witness import eventually, nobody_waits, wrong_rows

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 0.3  # seconds, in place of the product's
TIMEOUTS = {"read_timeout", "socket_timeout", "socket_connect_timeout"}
ANSWERS_TO_A_FIRST_MESSAGE = 8  # at most, by either broker
PILE = 100_000  # messages: more than any buffer holds

# A folder answers or fails, and keeps nobody waiting.
over_both_servers = pytest.mark.parametrize("broker", ["redis", "rabbitmq"], indirect=True)
over_each = pytest.mark.parametrize("outage", EACH, indirect=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.conf, "broker_connection_timeout", PATIENCE)


@contextmanager
def sent_by_way_of(broker: Broker) -> Iterator[Proxy]:
    """Let the messages of this process take a way that can fall silent."""
    with proxy(broker.url) as way:
        options = broker_transport_options(way.url) | broker.transport_options
        options |= dict.fromkeys(TIMEOUTS & options.keys(), PATIENCE)
        with messages.sent_to(way.url, queue=broker.queue, **options):
            yield way


@over_both_servers
def test_a_save_does_not_hang_with_it_whatever_it_answered_last(broker, session, monkeypatch):
    for answers in range(ANSWERS_TO_A_FIRST_MESSAGE):
        monkeypatch.setattr(nudge, "_silent_until", 0.0)
        with sent_by_way_of(broker) as way:
            way.answers = answers
            session.start(TransactionFactory).result(LIMIT)

    assert RecalculationRequest.objects.distinct("profile_id").count() == answers + 1


@over_both_servers
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


@pytest.fixture
def outage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outage]:
    """A broker of the test's own, where this process sends its messages to as well."""
    with getattr(outages, request.param)(tmp_path) as outage:
        broker = outage.broker
        with messages.sent_to(broker.url, queue=broker.queue, **broker.transport_options):
            yield outage


@pytest.fixture
def crew_of_outage(
    transactional_db: None, environment: dict[str, str], outage: Outage, tmp_path: Path
) -> Iterator[Crew]:
    crew = Crew(tmp_path, environment, outage.broker)
    yield crew
    crew.end()


@over_each
def test_sales_while_it_is_stopped_come_in_when_it_is_back(outage, crew_of_outage):
    # At the usual pace: celery's worker ends itself where Redis goes away as a message comes in.
    beat, worker = crew_of_outage.start("beat"), crew_of_outage.worker()
    outage.stop()
    for _ in range(3):
        TransactionFactory()
    assert not nobody_waits()

    outage.start()

    assert eventually(nobody_waits)
    assert wrong_rows() == []
    assert beat.is_there
    assert worker.is_there


@over_each
def test_the_first_sale_after_it_was_away_unnoticed_is_told_of_at_once(outage, crew_of_outage):
    TransactionFactory()
    outage.stop()
    outage.start()

    TransactionFactory()

    assert nudge._silent_until == 0
    crew_of_outage.worker()
    assert eventually(nobody_waits)


@over_each
def test_a_batch_in_hand_while_it_is_stopped_is_carried_out(
    outage, crew_of_outage, session, monkeypatch
):
    """RabbitMQ delivers its message again, to a worker that has it in hand still."""
    worker = crew_of_outage.worker()
    with monkeypatch.context() as silent:
        silent.setattr(nudge, "_silent_until", float("inf"))
        profile = ProfileFactory()
    recalculate(profile_ids=[profile.pk], moment=timezone.now())
    session.begin()
    session.do(lambda: list(Freshness.objects.select_for_update()))
    with transaction.atomic():
        TransactionFactory(profile=profile)
    session.wait_until_blocking()
    message = worker.in_hand("aggregations.recalculate_waiting")

    outage.stop()
    outage.start()
    if outage.broker.gives_back:
        assert worker.says(f"{message} received", times=2)
    session.commit()

    assert eventually(nobody_waits)
    assert wrong_rows() == []
    assert worker.is_there

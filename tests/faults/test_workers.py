"""What becomes of sales when workers fail, over every broker that the product runs on."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from kombu import Queue

from aggregations import bulk, tasks
from aggregations.calculation import recalculate
from aggregations.models import Freshness, RecalculationRequest
from aggregations.nudge import nudge
from aggregations.selection import Selection
from omneo.celery import app
from profiles.ingestion import Posted
from profiles.models import Profile, QueuedTransaction, Transaction
from profiles.queueing import accept
from profiles.tasks import ingest_queued
from tests.concurrency import Session, impatient
from tests.factories import CurrencyFactory, ProfileFactory, TransactionFactory
from tests.faults.brokers import over_each
from tests.faults.crew import Crew, Member, often
from tests.faults.witness import blocked, cut, eventually, nobody_waits, nobody_works, wrong_rows
from tests.waiting import forget_who_waits, who_waits

pytestmark = [pytest.mark.django_db(transaction=True), over_each]


@pytest.fixture
def batch(crew: Crew, session: Session, monkeypatch: pytest.MonkeyPatch) -> list[Profile]:
    """Profiles with new sales, which the worker has in hand until the session lets them go.

    Their message is the only one under way.
    """
    crew.worker()
    with monkeypatch.context() as silent:
        silent.setattr(nudge, "_silent_until", float("inf"))
        profiles = ProfileFactory.create_batch(10)
    recalculate(profile_ids=[profile.pk for profile in profiles], moment=timezone.now())
    session.begin()
    session.do(lambda: list(Freshness.objects.select_for_update()))
    with transaction.atomic():
        for profile in profiles:
            TransactionFactory(profile=profile)
    session.wait_until_blocking()
    return profiles


@pytest.fixture
def worker(crew: Crew, batch: list[Profile]) -> Member:
    """The worker that has the batch in hand."""
    return crew.worker()


def test_a_sale_is_in_the_row_by_its_message_alone(crew):
    crew.worker()

    TransactionFactory()

    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_what_is_delivered_ten_times_is_done_once(crew, monkeypatch):
    monkeypatch.setattr(bulk, "PROFILES_A_RANGE", 2)
    worker = crew.worker()
    with transaction.atomic():
        profiles = [TransactionFactory().profile for _ in range(5)]
        bodies = [{"profile_id": str(profile.pk), "total": 10} for profile in profiles]
        bodies = [Posted(body, accepted_at=timezone.now()) for body in bodies]
        accept(bodies, external_ids=[None] * 5)
        run = bulk.start(Selection())
    deliveries = {str(uuid4()): task for task in (ingest_queued, tasks.recalculate_waiting)}
    run_delivery = str(uuid4())

    for _ in range(10):
        for task_id, task in deliveries.items():
            task.apply_async(task_id=task_id)
        tasks.recalculate_run.apply_async(kwargs={"run_id": run.pk}, task_id=run_delivery)

    for task_id in [*deliveries, run_delivery]:
        assert worker.says(f"[{task_id}] succeeded", times=10)
    assert eventually(nobody_waits)
    assert Transaction.objects.count() == 10
    assert not QueuedTransaction.objects.exists()
    assert eventually(lambda: not run.ranges.filter(done_at=None).exists())
    assert wrong_rows() == []


def test_a_profile_that_cannot_be_calculated_holds_up_no_other_one(crew):
    crew.worker()
    with transaction.atomic():
        TransactionFactory.create_batch(3)
        too_much = CurrencyFactory(rate="9999999999")
        impossible = TransactionFactory(total="999999999999.99", currency=too_much).profile

    assert eventually(lambda: not RecalculationRequest.objects.filter(attempts=0).exists())
    set_apart = RecalculationRequest.objects.exclude(error="")
    assert {request.profile_id for request in set_apart} == {impossible.pk}
    assert wrong_rows() == [f"{impossible.pk} was never calculated"]


def test_nobody_waits_for_a_worker_that_is_slow(batch, session, worker):
    with impatient():
        TransactionFactory()
    assert eventually(lambda: RecalculationRequest.objects.count() == len(batch))
    assert Freshness.objects.count() == len(batch) + 1

    with impatient():
        TransactionFactory(profile=batch[0])
    session.commit()

    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_a_connection_that_is_cut_in_mid_batch_costs_the_batch_in_hand_alone(
    batch, session, worker
):
    assert len(cut("cardinality(pg_blocking_pids(pid)) > 0")) == 1
    session.commit()
    assert worker.says("raised unexpected: OperationalError")
    assert RecalculationRequest.objects.count() == len(batch)

    nudge()

    assert eventually(nobody_waits)
    assert wrong_rows() == []
    assert worker.is_there


def test_a_process_of_the_worker_that_is_killed_is_replaced(batch, session, worker):
    killed = worker.busiest_child
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: not Path(f"/proc/{killed}").exists())
    session.commit()
    assert eventually(nobody_works)
    assert RecalculationRequest.objects.count() == len(batch)

    nudge()

    assert eventually(nobody_waits)
    assert wrong_rows() == []
    assert worker.is_there


def test_a_worker_that_is_asked_to_end_in_mid_batch_ends_with_the_batch(batch, session, worker):
    worker.ask_to_end()
    assert worker.says("Warm shutdown")
    assert worker.is_there

    session.commit()

    assert worker.process.wait(timeout=30) == 0
    assert nobody_waits()
    assert wrong_rows() == []


def test_messages_that_are_lost_are_made_up_for(broker, crew):
    crew.dismiss_worker()
    TransactionFactory()
    with app.connection_for_write() as connection:
        assert Queue(broker.queue, channel=connection.default_channel).purge() > 0
    crew.worker()
    assert not nobody_waits()

    crew.start("beat", **often("recalculate-waiting"))

    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_a_worker_that_is_killed_in_mid_batch_loses_nothing(broker, batch, crew, session, worker):
    worker.kill()
    session.commit()
    assert eventually(lambda: not blocked())
    assert who_waits() == {profile.pk for profile in batch}

    if not broker.gives_back:
        crew.start("beat", **often("recalculate-waiting"))
    crew.worker()

    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_workers_share_a_recalculation_of_everybody(crew, monkeypatch, capsys):
    monkeypatch.setattr(bulk, "PROFILES_A_RANGE", 2)
    with transaction.atomic():
        for _ in range(9):
            TransactionFactory()
        forget_who_waits()
    crew.worker()

    call_command("recalculate_aggregations", celery=True)

    assert capsys.readouterr().out.startswith("9 profiles in ")
    assert wrong_rows() == []

"""What becomes of requests when workers die and messages get lost."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from aggregations import bulk
from aggregations.calculation import recalculate
from aggregations.models import Freshness, RecalculationRequest
from aggregations.outbox import request
from profiles.models import Profile
from tests.embedded.helpers import eventually
from tests.factories import TransactionFactory
from tests.faults.conftest import kill
from tests.oracle import differences

pytestmark = pytest.mark.django_db(transaction=True)


def nobody_waits() -> bool:
    return not RecalculationRequest.objects.exists()


def wrong_rows() -> list[str]:
    """Return what the rows say otherwise than was true when they were calculated."""
    found = []
    for profile_id in Profile.objects.values_list("pk", flat=True):
        freshness = Freshness.objects.filter(profile=profile_id).first()
        found += (
            differences([profile_id], moment=freshness.calculated_at)
            if freshness
            else [f"{profile_id} was never calculated"]
        )
    return found


def connections(condition: str = "true") -> set[int]:
    """Return the server processes of all connections to the database that meet a condition."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND {condition}"
        )
        return {pid for (pid,) in cursor.fetchall()}


def test_a_sale_is_in_the_row_by_its_message_alone(start):
    start("worker")

    TransactionFactory()

    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_a_worker_that_is_killed_loses_nothing(start, session):
    profiles = [TransactionFactory().profile for _ in range(10)]
    recalculate(profile_ids=[profiles[5].pk], moment=timezone.now())
    request([profile.pk for profile in profiles])
    session.begin()
    session.do(lambda: list(Freshness.objects.select_for_update()))
    own = connections()
    worker = start("worker")
    assert eventually(lambda: connections("cardinality(pg_blocking_pids(pid)) > 0") - own)

    kill(worker)
    session.commit()

    assert eventually(lambda: connections() == own)
    waiting = RecalculationRequest.objects.values_list("profile_id", flat=True)
    assert set(waiting) == {profile.pk for profile in profiles}
    start("beat")
    start("worker")
    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_messages_that_are_lost_are_made_up_for(start, folder):
    TransactionFactory()
    lost = list(folder.glob("*.msg"))
    for message in lost:
        message.unlink()

    start("beat")
    start("worker")

    assert lost
    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_workers_share_a_recalculation_of_everybody(start, monkeypatch, capsys):
    monkeypatch.setattr(bulk, "PROFILES_A_RANGE", 2)
    for _ in range(9):
        TransactionFactory()
    RecalculationRequest.objects.all().delete()
    start("worker")

    call_command("recalculate_aggregations", celery=True)

    assert capsys.readouterr().out.startswith("9 profiles in ")
    assert wrong_rows() == []

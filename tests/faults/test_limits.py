"""What becomes of work that takes longer than it may."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.utils import timezone

from aggregations import bulk, tasks
from aggregations.calculation import recalculate
from aggregations.models import Freshness, RecalculationRequest, RecalculationRun
from aggregations.nudge import nudge
from aggregations.selection import Selection
from profiles.models import Profile
from tests.concurrency import Session
from tests.factories import ProfileFactory, TransactionFactory
from tests.faults.brokers import Broker, over_each
from tests.faults.crew import Crew, often
from tests.faults.witness import blocked, eventually, nobody_waits, wrong_rows

pytestmark = pytest.mark.django_db(transaction=True)

over_redis = pytest.mark.parametrize("broker", ["redis"], indirect=True)


@pytest.fixture
def profiles(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> list[Profile]:
    """Six profiles with rows that are true, and no message of theirs under way."""
    with monkeypatch.context() as silent:
        silent.setattr(nudge, "_silent_until", float("inf"))
        profiles = ProfileFactory.create_batch(6)
    recalculate(profile_ids=[profile.pk for profile in profiles], moment=timezone.now())
    return profiles


@pytest.fixture
def held(crew: Crew, profiles: list[Profile], session: Session) -> Iterator[Session]:
    """The session that holds one of them, so that what recalculates it does not come to its end."""
    session.begin()
    session.do(lambda: list(Freshness.objects.filter(pk=profiles[0].pk).select_for_update()))
    return session


def sell(profiles: list[Profile]) -> None:
    with transaction.atomic():
        for profile in profiles:
            TransactionFactory(profile=profile)


@over_each
@pytest.mark.parametrize(
    ("soft", "hard", "told"),
    [
        pytest.param(1, 600, "SoftTimeLimitExceeded", id="soft"),
        pytest.param(None, 1, "Hard time limit", id="hard"),
    ],
)
def test_a_limit_gives_back_what_was_in_hand(crew, profiles, held, monkeypatch, soft, hard, told):
    monkeypatch.setattr(bulk, "PROFILES_A_RANGE", 2)
    monkeypatch.setattr(nudge, "_silent_until", float("inf"))
    limits = {"soft_time_limit": soft, "time_limit": hard}
    with transaction.atomic():
        run = bulk.start(Selection())
        RecalculationRun.objects.update(by_workers=True)
        for profile in profiles:
            TransactionFactory(profile=profile)
    # What the worker has by itself is for the messages that it sends on.
    worker = crew.start(
        "worker",
        CELERY_TASK_SOFT_TIME_LIMIT=soft,
        CELERY_TASK_TIME_LIMIT=hard,
        PERIODIC_MESSAGE_LIFE=1,
    )

    tasks.recalculate_waiting.apply_async(**limits)
    assert worker.says(told)
    assert RecalculationRequest.objects.count() == len(profiles)
    tasks.recalculate_run.apply_async(kwargs={"run_id": run.pk}, **limits)
    assert worker.says(told, times=2)
    assert run.ranges.filter(done_at=None).exists()
    held.commit()
    crew.start("beat", **often("recalculate-waiting", "take-up-runs"))

    assert eventually(nobody_waits)
    assert eventually(lambda: not run.ranges.filter(done_at=None).exists())
    assert not run.ranges.exclude(error="").exists()
    assert wrong_rows() == []
    assert worker.is_there


@over_redis
def test_a_message_delivered_again_while_a_worker_has_it_in_hand_does_no_harm(crew, profiles, held):
    """Redis alone does so by the clock. What the others do is in test_broker.py."""
    soon = {"visibility_timeout": 1, "unacked_restore_interval": 1, "unacked_restore_throttle": 1}
    worker = crew.start("worker", CELERY_BROKER_TRANSPORT_OPTIONS=soon)
    sell(profiles)
    held.wait_until_blocking()
    message = worker.in_hand("aggregations.recalculate_waiting")

    assert worker.says(f"{message} received", times=2)
    held.commit()

    assert eventually(nobody_waits)
    assert wrong_rows() == []
    assert worker.says(f"{message} succeeded", times=2)


@over_redis
def test_what_a_killed_worker_had_in_hand_is_free_before_it_would_have_ended(crew, profiles, held):
    """It is the database that gives it back, whatever brought the message."""
    worker = crew.start("worker")
    sell(profiles)
    held.wait_until_blocking()

    worker.kill()

    assert eventually(lambda: not blocked())
    held.commit()

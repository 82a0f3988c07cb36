"""The counters of work that several processes share, some of which are killed."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client import parser

from aggregations import tasks
from aggregations.calculation import recalculate
from aggregations.models import Freshness
from aggregations.outbox import request
from profiles.models import Profile
from tests.factories import ProfileFactory
from tests.faults.witness import eventually
from tests.waiting import forget_who_waits

pytestmark = pytest.mark.django_db(transaction=True)


def recalculated() -> float:
    """Return what Prometheus is told."""
    return next(
        sample.value
        for family in parser.text_string_to_metric_families(Client().get("/metrics").text)
        for sample in family.samples
        if sample.name == "omneo_recalculations_total"
    )


def let_a_worker_recalculate(*profiles: Profile) -> None:
    request([profile.pk for profile in profiles])
    tasks.recalculate_waiting.delay()


def test_every_process_counts_and_none_waits_for_another(crew, session, settings):
    settings.METRICS = True
    slow, *quick, late = ProfileFactory.create_batch(5)
    recalculate(profile_ids=[slow.pk], moment=timezone.now())
    forget_who_waits()
    first = crew.worker()
    session.begin()
    session.do(lambda: list(Freshness.objects.select_for_update()))

    let_a_worker_recalculate(slow)
    session.wait_until_blocking()
    let_a_worker_recalculate(*quick)

    assert eventually(lambda: recalculated() == 1 + len(quick))
    session.commit()
    assert eventually(lambda: recalculated() == 1 + len(quick) + 1)
    first.kill()
    crew.worker()
    let_a_worker_recalculate(late)
    assert eventually(lambda: recalculated() == 1 + len(quick) + 1 + 1)

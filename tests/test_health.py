"""What a load balancer is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from aggregations.calculation import recalculate
from aggregations.models import Freshness
from tests import messages
from tests.factories import ProfileFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def broker_is_away() -> Iterator[None]:
    """Point at a port where nobody listens."""
    with messages.sent_to(f"redis://127.0.0.1:{messages.closed_port()}/0"):
        yield


@pytest.mark.parametrize("path", ["/health", "/api/v3/health", "/health/"])
def test_all_is_well_when_the_parts_are_up(client: Client, path: str):
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.json() == {
        "status": 200,
        "statusText": "OK",
        "broker": "up",
        "database": "up",
        "queue": {
            "depth": 0,
            "oldest_seconds": 0.0,
            "failing": 0,
            "due": 0,
            "oldest_due_seconds": 0.0,
            "recalculations_per_second": 0.0,
        },
    }


def test_it_tells_how_many_requests_wait_and_for_how_long(client: Client):
    ProfileFactory()

    queue = client.get("/health").json()["queue"]

    assert queue["depth"] == 1
    assert queue["oldest_seconds"] > 0


def test_it_tells_how_many_rows_are_due_by_the_clock_and_for_how_long(client: Client):
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Freshness.objects.create(
        profile=ProfileFactory(), calculated_at=an_hour_ago, next_change_at=an_hour_ago
    )

    queue = client.get("/health").json()["queue"]

    assert queue["due"] == 1
    assert 3600 <= queue["oldest_due_seconds"] < 4000


def test_it_tells_how_many_profiles_are_recalculated_a_second(client: Client):
    profiles = ProfileFactory.create_batch(3)
    recalculate(profile_ids=[profile.pk for profile in profiles], moment=timezone.now())

    assert client.get("/health").json()["queue"]["recalculations_per_second"] == 3 / 60


def test_a_broker_that_is_away_is_named(client: Client, broker_is_away: None):
    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["statusText"] == "Service Unavailable"
    assert answer.json()["broker"] == "down"
    assert answer.json()["database"] == "up"


@pytest.mark.parametrize("path", ["/health", "/api/v3/health"])
def test_it_only_answers_questions(path: str):
    answer = Client(enforce_csrf_checks=True).post(path)

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert answer.json() == {"message": 'Method "POST" not allowed.'}

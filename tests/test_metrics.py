"""What Prometheus is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

from aggregations.models import Freshness, RecalculationCount, RecalculationRequest
from tests import messages
from tests.factories import ProfileFactory

pytestmark = pytest.mark.django_db

Lane = RecalculationRequest.Lane


@pytest.fixture
def on(settings) -> None:
    settings.METRICS = True


def samples(answer: HttpResponse) -> dict[str, float]:
    """Return the values of an answer, by name and lane."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in parser.text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_is_not_there_unless_it_is_switched_on(client: Client):
    assert client.get("/metrics").status_code == 404


@pytest.mark.usefixtures("on")
class TestSwitchedOn:
    def test_everything_is_told_where_nothing_happens(self, client: Client):
        assert samples(client.get("/metrics")) == {
            "omneo_queue_requests live": 0,
            "omneo_queue_requests bulk": 0,
            "omneo_queue_oldest_seconds live": 0,
            "omneo_queue_oldest_seconds bulk": 0,
            "omneo_queue_failing live": 0,
            "omneo_queue_failing bulk": 0,
            "omneo_due_rows": 0,
            "omneo_due_oldest_seconds": 0,
            "omneo_recalculations_total": 0,
            "omneo_recalculation_failures_total": 0,
        }

    def test_it_tells_what_waits_in_each_lane(self, client: Client):
        an_hour_ago = timezone.now() - timedelta(hours=1)
        for lane, attempts in ((Lane.LIVE, 0), (Lane.BULK, 0), (Lane.BULK, 2)):
            RecalculationRequest.objects.create(
                profile_id=ProfileFactory.build().pk,
                lane=lane,
                attempts=attempts,
                requested_at=an_hour_ago - timedelta(hours=lane),
            )

        told = samples(client.get("/metrics"))

        assert (told["omneo_queue_requests live"], told["omneo_queue_requests bulk"]) == (1, 2)
        assert (told["omneo_queue_failing live"], told["omneo_queue_failing bulk"]) == (0, 1)
        assert 3600 <= told["omneo_queue_oldest_seconds live"] < 4000
        assert 7200 <= told["omneo_queue_oldest_seconds bulk"] < 7600

    def test_it_tells_what_is_due_by_the_clock(self, client: Client):
        an_hour_ago = timezone.now() - timedelta(hours=1)
        Freshness.objects.create(
            profile=ProfileFactory(), calculated_at=an_hour_ago, next_change_at=an_hour_ago
        )

        told = samples(client.get("/metrics"))

        assert told["omneo_due_rows"] == 1
        assert 3600 <= told["omneo_due_oldest_seconds"] < 4000

    def test_it_tells_what_was_done_and_what_failed(self, client: Client):
        RecalculationCount.objects.create(recalculated=7)
        RecalculationCount.objects.create(recalculated=35, failed=2)

        told = samples(client.get("/metrics"))

        assert told["omneo_recalculations_total"] == 42
        assert told["omneo_recalculation_failures_total"] == 2

    def test_it_speaks_openmetrics_to_who_asks_for_it(self, client: Client):
        kind = "application/openmetrics-text; version=1.0.0"

        answer = client.get("/metrics", headers={"Accept": f"{kind}; q=0.8, text/plain; q=0.5"})

        assert answer.headers["Content-Type"].startswith(kind)
        told = openmetrics.text_string_to_metric_families(answer.text)
        types = {family.name: family.type for family in told}
        assert types["omneo_recalculations"] == "counter"
        assert types["omneo_queue_requests"] == "gauge"

    def test_it_is_open_to_who_holds_no_token(self, client: Client):
        answer = client.get("/metrics", headers={"Authorization": "Bearer none"})

        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")

    def test_it_only_answers_questions(self):
        answer = Client(enforce_csrf_checks=True).post("/metrics")

        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD"
        assert answer.json() == {"message": 'Method "POST" not allowed.'}

    def test_it_says_that_the_database_is_away(self, client: Client, monkeypatch):
        monkeypatch.setitem(connection.settings_dict, "PORT", str(messages.closed_port()))
        with ThreadPoolExecutor(1) as another_connection:
            answer = another_connection.submit(client.get, "/metrics").result()

        assert answer.status_code == 503
        assert answer.text == "The database is away.\n"

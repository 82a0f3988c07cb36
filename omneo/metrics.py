"""How far recalculation is behind and how much it does, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from aggregations.counts import Counts, counts
from aggregations.lag import Lag, lag
from omneo.api.errors import only_to_be_read


@only_to_be_read
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with what stands in the database at this moment, the same from every process.

    404 unless the settings switch it on, 503 while the database is away. Needs no token.
    """
    if not settings.METRICS:
        raise Http404
    moment = timezone.now()
    try:
        recalculation = Recalculation(lag(moment=moment), counts(moment=moment))
    except DatabaseError:
        return HttpResponse(
            "The database is away.\n",
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            content_type="text/plain; charset=utf-8",
        )
    registry = CollectorRegistry()
    registry.register(recalculation)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


class Recalculation(Collector):
    """The metrics of one scrape."""

    def __init__(self, behind: Lag, done: Counts) -> None:
        self._behind = behind
        self._done = done

    def collect(self) -> Iterator[Metric]:
        lanes = {
            "requests": ("waiting", "Requests for recalculation that wait."),
            "oldest_seconds": (
                "oldest_seconds",
                "Age of the oldest request that was not tried yet, 0 for none.",
            ),
            "failing": ("failing", "Requests that failed and will be tried again."),
        }
        for name, (attribute, meaning) in lanes.items():
            gauge = GaugeMetricFamily(f"omneo_queue_{name}", meaning, labels=["lane"])
            for lane, queue in self._behind.lanes.items():
                gauge.add_metric([lane.label], getattr(queue, attribute))
            yield gauge
        yield GaugeMetricFamily(
            "omneo_due_rows",
            "Rows that the clock has overtaken and nobody has stored anew.",
            self._behind.due,
        )
        yield GaugeMetricFamily(
            "omneo_due_oldest_seconds",
            "For how long the first of them is due, 0 for none.",
            self._behind.oldest_due_seconds,
        )
        yield CounterMetricFamily(
            "omneo_recalculations", "Profiles recalculated.", self._done.recalculated
        )
        yield CounterMetricFamily(
            "omneo_recalculation_failures",
            "Profiles whose recalculation was tried in vain, each time anew.",
            self._done.failed,
        )

"""How far recalculation is behind: what waits, since when, what fails, what the clock overtook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection

from aggregations.models import RecalculationRequest

Lane = RecalculationRequest.Lane

# Each is one pass: over what waits, and over the due end of the index of due rows. A change of what
# many share is one request, as long as it is not known whose rows it touches.
WAITING = f"""
SELECT lane, count(*),
    extract(epoch FROM %(moment)s - min(requested_at) FILTER (WHERE attempts = 0)),
    count(*) FILTER (WHERE attempts > 0)
FROM (
    SELECT lane, requested_at, attempts FROM aggregations_recalculationrequest
    UNION ALL
    SELECT {Lane.BULK}, changed_at, 0 FROM aggregations_sharedchange
) AS waiting GROUP BY lane
"""
DUE = """
SELECT count(*), extract(epoch FROM %(moment)s - min(next_change_at))
FROM aggregations_freshness WHERE next_change_at <= %(moment)s
"""


@dataclass(frozen=True)
class Queue:
    """What waits in a lane; `Lag` has the same of all lanes together."""

    waiting: int = 0
    oldest_seconds: float = 0.0
    failing: int = 0


@dataclass(frozen=True)
class Lag:
    """`waiting`: requests; `oldest_seconds`: age of the oldest that was not tried yet, 0 for none;
    `failing`: requests among them that failed and will be tried again; `due`: rows that the clock
    has overtaken and nobody has stored anew; `oldest_due_seconds`: for how long the first of them
    has been, 0 for none."""

    lanes: Mapping[Lane, Queue]
    due: int
    oldest_due_seconds: float

    @property
    def waiting(self) -> int:
        return sum(queue.waiting for queue in self.lanes.values())

    @property
    def oldest_seconds(self) -> float:
        return max(queue.oldest_seconds for queue in self.lanes.values())

    @property
    def failing(self) -> int:
        return sum(queue.failing for queue in self.lanes.values())

    @property
    def is_late(self) -> bool:
        """Whether a request waits for longer than the settings allow."""
        return 0 < settings.LAG_WARNING_SECONDS < self.oldest_seconds


def lag(*, moment: datetime) -> Lag:
    """Return how far behind recalculation is at the moment."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"moment": moment})
        waiting = {
            lane: Queue(requests, _seconds(age), failing)
            for lane, requests, age, failing in cursor.fetchall()
        }
        cursor.execute(DUE, {"moment": moment})
        due, oldest_due = cursor.fetchone()
    return Lag({lane: waiting.get(lane, Queue()) for lane in Lane}, due, _seconds(oldest_due))


def _seconds(age: object) -> float:
    return max(float(age or 0), 0.0)

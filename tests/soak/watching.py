"""How far behind recalculation is while the load runs, and whether every row is true after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from aggregations.calculation import refresh_due
from aggregations.lag import Lag, lag
from aggregations.models import Freshness, RecalculationRequest, SharedChange
from omneo.db import key_chunks
from profiles.models import Profile, QueuedTransaction
from tests.oracle import differences_at

COMPARED = 500  # profiles at a time


class Ages:
    """The age of the oldest request, over time."""

    def __init__(self) -> None:
        self._seen: list[float] = []

    def look(self) -> Lag:
        seen = lag(moment=timezone.now())
        self._seen.append(seen.oldest_seconds)
        return seen

    def percentile(self, share: float) -> float:
        ordered = sorted(self._seen) or [0.0]
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def left_waiting() -> int:
    """Return how many requests, changes, and sales in the queue, nobody has taken yet."""
    sales = QueuedTransaction.objects.filter(errors=None)
    # In this order: what is gone from one has left its requests in the next.
    waiting = (sales, SharedChange.objects, RecalculationRequest.objects)
    return sum(each.count() for each in waiting)


def wrong_rows() -> Iterator[str]:
    """Bring the clock up to date, then name what any row says otherwise than the oracle."""
    now = timezone.now()
    while refresh_due(moment=now):
        pass
    for profile_ids in key_chunks(Profile.objects.all(), COMPARED):
        calculated: dict[UUID, datetime] = dict(
            Freshness.objects.filter(pk__in=profile_ids).values_list("pk", "calculated_at")
        )
        yield from (
            f"{each} was never calculated" for each in profile_ids if each not in calculated
        )
        yield from differences_at(calculated, now=now)

"""How far recalculation is behind: what waits, since when, what fails, what the clock overtook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

LAG = """
SELECT
    (SELECT count(*) FROM aggregations_recalculationrequest),
    (SELECT extract(epoch FROM %(moment)s - min(requested_at))
     FROM aggregations_recalculationrequest WHERE attempts = 0),
    (SELECT count(*) FROM aggregations_recalculationrequest WHERE attempts > 0),
    (SELECT count(*) FROM aggregations_freshness WHERE next_change_at <= %(moment)s)
"""


@dataclass(frozen=True)
class Lag:
    """`waiting`: requests; `oldest_seconds`: age of the oldest that was not tried yet, 0 for none;
    `failing`: requests among them that failed and will be tried again; `due`: rows that the clock
    has overtaken and nobody read since."""

    waiting: int
    oldest_seconds: float
    failing: int
    due: int


def lag(*, moment: datetime) -> Lag:
    """Return how far behind recalculation is at the moment."""
    with connection.cursor() as cursor:
        cursor.execute(LAG, {"moment": moment})
        waiting, oldest, failing, due = cursor.fetchone()
    return Lag(waiting, max(float(oldest or 0), 0.0), failing, due)

"""How many profiles were recalculated, and tried in vain: the counters of all processes.

Every recalculation appends a row to the database in its own transaction (`calculation.WRITE`): it
counts when it is committed, whichever process did it and whatever becomes of that, and waits for
nobody. The rows of more than a minute ago are added up now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from aggregations.models import RecalculationCount

WINDOW = timedelta(minutes=1)

COUNTS = """
SELECT coalesce(sum(recalculated), 0), coalesce(sum(failed), 0),
    coalesce(sum(recalculated) FILTER (WHERE counted_at > %(window)s), 0)
FROM aggregations_recalculationcount
"""

# One statement: whoever reads meanwhile sees the rows or their sum.
COMPACT = """
WITH gone AS (
    DELETE FROM aggregations_recalculationcount WHERE counted_at <= %(window)s
    RETURNING counted_at, recalculated, failed
)
INSERT INTO aggregations_recalculationcount (counted_at, recalculated, failed)
SELECT max(counted_at), sum(recalculated), sum(failed) FROM gone HAVING count(*) > 0
"""


@dataclass(frozen=True)
class Counts:
    """`recalculated` and `failed`: profiles, each time anew, since a crash of the server, if any;
    `per_second`: recalculated ones, over the last minute."""

    recalculated: int
    failed: int
    per_second: float


def counts(*, moment: datetime) -> Counts:
    """Return what all processes together have committed."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"window": moment - WINDOW})
        recalculated, failed, lately = cursor.fetchone()
    return Counts(int(recalculated), int(failed), float(lately) / WINDOW.total_seconds())


def count_failed(profiles: int) -> None:
    """Count profiles that were tried in vain, in the caller's database transaction."""
    RecalculationCount.objects.create(failed=profiles)


def compact(*, moment: datetime) -> None:
    """Add up what is older than the last minute, so that there is little to read."""
    with connection.cursor() as cursor:
        cursor.execute(COMPACT, {"window": moment - WINDOW})

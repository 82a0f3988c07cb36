"""Says in the log that recalculation is behind, and that it is no more."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from aggregations.lag import Lag, Lane, lag

LOOK_EVERY = 5.0  # seconds, in each process
LOG_EVERY = timedelta(minutes=1)  # by all processes together

logger = logging.getLogger(__name__)

# In the database, since any worker may be the next to look. The row comes back to the one process
# whose turn it is to log.
BEHIND = """
INSERT INTO aggregations_lagwarning AS w (id, since, logged_at)
VALUES (1, %(moment)s, %(moment)s)
ON CONFLICT (id) DO UPDATE SET logged_at = EXCLUDED.logged_at
WHERE w.logged_at <= %(before)s
RETURNING since
"""
CAUGHT_UP = "DELETE FROM aggregations_lagwarning WHERE logged_at <= %(before)s RETURNING since"


class Watch:
    """Looks at the lag from time to time, however often it is called."""

    def __init__(self) -> None:
        self._quiet_until = 0.0

    def __call__(self, *, moment: datetime) -> None:
        """Log a line where the oldest request waits for longer than the settings allow, and one
        when none does any more."""
        if not settings.LAG_WARNING_SECONDS or time.monotonic() < self._quiet_until:
            return
        self._quiet_until = time.monotonic() + LOOK_EVERY
        behind = lag(moment=moment)
        since = _turn(BEHIND if behind.is_late else CAUGHT_UP, moment=moment)
        if since is None:
            return
        if behind.is_late:
            _log(behind)
        else:
            logger.warning(
                "Recalculation has caught up, %.0f seconds after it was seen to be behind.",
                (moment - since).total_seconds(),
            )


def _turn(statement: str, *, moment: datetime) -> datetime | None:
    """Return since when recalculation is behind, None where there is nothing to log."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"moment": moment, "before": moment - LOG_EVERY})
        row = cursor.fetchone()
    return row and row[0]


def _log(behind: Lag) -> None:
    logger.warning(
        "Recalculation is behind: %d requests wait (%d live, %d bulk), the oldest for %.0f"
        " seconds; %d failed before. Look for errors of the workers, for long transactions in"
        " pg_stat_activity, and whether there are too few workers.",
        behind.waiting,
        behind.lanes[Lane.LIVE].waiting,
        behind.lanes[Lane.BULK].waiting,
        behind.oldest_seconds,
        behind.failing,
    )


watch = Watch()

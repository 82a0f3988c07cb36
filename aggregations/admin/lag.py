"""How far recalculation is behind, as staff see it."""

from __future__ import annotations

from datetime import datetime

from aggregations.counts import counts
from aggregations.lag import lag
from aggregations.models import RecalculationRequest
from omneo.admin import Tile, age, changelist_url, counted, number, tiles_of

DUE_LATE = 300  # seconds; the periodic task comes every minute

Lane = RecalculationRequest.Lane


def lag_tiles(*, moment: datetime) -> list[Tile]:
    """Return what waits for a recalculation, what failed, and what the clock has overtaken, with
    how much is done meanwhile."""
    return tiles_of("Recalculations", _tiles, moment=moment)


def _tiles(*, moment: datetime) -> list[Tile]:
    behind, done = lag(moment=moment), counts(moment=moment)
    live, bulk = behind.lanes[Lane.LIVE], behind.lanes[Lane.BULK]
    of_live, of_bulk = (number(queue.waiting - queue.failing) for queue in (live, bulk))
    waiting = Tile(
        "Recalculations waiting",
        number(behind.waiting - behind.failing),
        [
            f"{of_live} live, {of_bulk} bulk",
            f"The oldest waits for {age(behind.oldest_seconds)}."
            if behind.oldest_seconds
            else "Nothing waits.",
            f"Done in the last minute: {number(done.per_second, decimals=2)} a second.",
        ],
        label="late" if behind.is_late else "",
        kind="warning",
        link=changelist_url(RecalculationRequest, state="waiting"),
    )
    failing = Tile(
        "Recalculations failing",
        number(behind.failing),
        [
            "Set apart with their errors; each is tried again by itself."
            if behind.failing
            else "None is set apart with an error.",
            f"{counted(done.failed, 'recalculation')} failed so far.",
        ],
        label="failing" if behind.failing else "",
        kind="danger",
        link=changelist_url(RecalculationRequest, state="failing"),
    )
    due = Tile(
        "Overtaken by the clock",
        counted(behind.due, "row"),
        [
            f"The oldest is due for {age(behind.oldest_due_seconds)}."
            if behind.due
            else "None is overtaken.",
            "Read as the clock has them, and stored every minute.",
        ],
        label="late" if behind.oldest_due_seconds > DUE_LATE else "",
        kind="warning",
    )
    return [waiting, failing, due]

"""Where the windows of the calculation begin: the one definition of how months are cut."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cache

from dateutil.relativedelta import relativedelta

# The windows that the clock alone moves a row across: recency and the spend of 12 months.
MOVING = (3, 6, 12)


def cutoff(moment: datetime, *, months: int) -> datetime:
    """Return where the window of the last calendar months begins; what is later is inside.

    In UTC, with the same time of day. Where the month has no such day, its last day.
    """
    return moment.astimezone(UTC) + _ago(months)


def parameters(moment: datetime) -> dict[str, datetime]:
    """Return the moment and every cutoff as the statements name them.

    For each moving window also what it takes to tell when something crosses its edge next. A
    cutoff moves on with the clock, except at the end of a month that is longer than the one it is
    in: on the 28th and the 29th of February 2024 it is the 28th of February 2023, so what left the
    window on the 28th is back in it at midnight and leaves again. `returns_after_*` is where what
    will be back at the coming midnight begins; it ends at the cutoff, where usually it begins too.
    """
    moment = moment.astimezone(UTC)
    midnight = _day(moment) + timedelta(days=1)
    values = {
        "moment": moment,
        "today": _day(moment),
        "midnight": midnight,
        "since_24m": cutoff(moment, months=24),
    }
    for months in MOVING:
        since = cutoff(moment, months=months)
        day_comes_again = _day(cutoff(midnight, months=months)) == _day(since)
        values |= {
            f"since_{months}m": since,
            f"since_{months}m_day": _day(since),
            f"returns_after_{months}m": _day(since) if day_comes_again else since,
        }
    return values


@cache
def _ago(months: int) -> relativedelta:
    return relativedelta(months=-months)


def _day(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time.min, UTC)

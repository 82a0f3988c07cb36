"""Times as the API writes and reads them: `2025-06-30 08:05:00`, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from omneo.db import EARLIEST, LATEST

WANTED = "A time such as 2025-06-30 08:05:00 (UTC) or 2025-06-30T18:05:00+10:00 is wanted."
OUT_OF_RANGE = "A time between 1900 and 2199 is wanted."
LAST_MOMENT_OF_DAY = timedelta(days=1) - timedelta.resolution

FORM = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([ Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def timestamp(moment: datetime) -> str:
    """Return how the API writes a moment: `2025-06-30 08:05:00`, in UTC."""
    return moment.astimezone(UTC).isoformat(" ", "seconds")[:19]


def parse_moment(text: str) -> datetime:
    """Return the moment that a text names. Without an offset it is in UTC; a date is its midnight.

    Raises ValueError with what to tell the client.
    """
    if not FORM.fullmatch(text):
        raise ValueError(WANTED)
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise ValueError(WANTED) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    # Compared before it is shifted: in the years 1 and 9999 an offset leads out of the calendar.
    if not EARLIEST.year - 1 <= moment.year <= LATEST.year:
        raise ValueError(OUT_OF_RANGE)
    moment = moment.astimezone(UTC)
    if not EARLIEST <= moment < LATEST:
        raise ValueError(OUT_OF_RANGE)
    return moment


def parse_past(text: str, *, now: datetime) -> datetime:
    """Return the moment in the past that a text names. A date is the last moment of its day.

    Today is as far as it has come. Raises ValueError with what to tell the client.
    """
    moment = parse_moment(text)
    if moment > now:
        raise ValueError(f"A date or time in the past is wanted; in UTC it is {timestamp(now)}.")
    is_date = len(text) == len("2025-06-30")
    return min(moment + LAST_MOMENT_OF_DAY, now) if is_date else moment

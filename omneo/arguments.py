"""Types of command-line arguments, with errors that say what is wanted."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC

from django.utils.dateparse import parse_datetime


def positive(text: str) -> int:
    """Return a whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def moment(text: str) -> str:
    """Return a date or time as ISO 8601 with an offset; UTC where the text names none."""
    try:
        parsed = parse_datetime(text)
    except ValueError:
        parsed = None
    if parsed is None:
        raise ArgumentTypeError(f"{text} is neither a date (2026-01-31) nor an ISO 8601 time")
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).isoformat()

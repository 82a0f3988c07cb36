"""Tiles: a number each, with what it means, side by side above a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.timesince import timesince

PATIENCE = 1000  # milliseconds a statement: what stands above a page must not hold up the page


@dataclass(frozen=True)
class Tile:
    """A number and what it means.

    `label`: what is to be noticed, if anything; `kind`: how badly, as warning or danger.
    """

    title: str
    value: str
    lines: Sequence[str] = ()
    label: str = ""
    kind: str = ""
    link: str = ""


def tiles_of(title: str, count: Callable[..., list[Tile]], *, moment: datetime) -> list[Tile]:
    """Return the tiles that `count(moment=...)` makes, or one that says why there are none.

    A page that shows that the database is in trouble must not wait for it.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE}")
            counted = count(moment=moment)
            # It has only read. The timeout ends with it, also within a longer transaction.
            transaction.set_rollback(True)
    except DatabaseError as error:
        reason = str(error).partition("\n")[0]
        return [Tile(title, "?", [f"It cannot be counted: {reason}."], "unknown", "danger")]
    return counted


def number(count: float, *, decimals: int = 0) -> str:
    """Return a number as it is read."""
    # Rounded here, since the format cuts off.
    return number_format(round(count, decimals), decimals, force_grouping=True)


def counted(count: int, what: str) -> str:
    """Return how many there are of something whose plural ends in s."""
    return f"{number(count)} {what}" if count == 1 else f"{number(count)} {what}s"


def age(seconds: float) -> str:
    """Return how long something takes or has taken, as it is said."""
    if seconds < 60:
        return counted(int(seconds), "second")
    now = timezone.now()
    return timesince(now - timedelta(seconds=seconds), now, depth=1)

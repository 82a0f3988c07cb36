"""Our recalculation of everybody, and the states of the tables that it may start from."""

from __future__ import annotations

import threading

from django.db.models import Sum

from aggregations import bulk
from aggregations.selection import Selection
from benchmarks.database import execute, settle

TABLES = ("aggregations_aggregation", "aggregations_freshness")


def recalculate_everybody(*, workers: int) -> int:
    """Do what `manage.py recalculate_aggregations --workers N` does; return how many changed."""
    run = bulk.start(Selection())
    for done in bulk.work_through(run, workers=workers, stop=threading.Event()):
        if done.error:
            raise RuntimeError(f"The range {done} failed: {done.error}")
    return run.ranges.aggregate(changed=Sum("changed"))["changed"]


def nothing_is_calculated() -> None:
    """As before the first time."""
    execute(f"TRUNCATE {', '.join(TABLES)}")
    settle(*TABLES)


def every_row_is_wrong() -> None:
    """So that all have to be written."""
    execute("UPDATE aggregations_aggregation SET shop_count = shop_count + 1")
    settle(*TABLES)


def every_row_is_right() -> None:
    """As after a recalculation."""
    settle(*TABLES)


STATES = {
    "first time": nothing_is_calculated,
    "all rows change": every_row_is_wrong,
    "no row changes": every_row_is_right,
}

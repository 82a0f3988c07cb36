"""Recalculation of many profiles: ranges of keys, each a short transaction of its own.

What is done stands in the database, marked in the transaction that did it. So a run may be
stopped at any moment, go on later, and be shared by any number of workers on any machine.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from aggregations.calculation import despite_purges, recalculate, recalculate_range
from aggregations.counts import count_failed
from aggregations.models import RecalculationRange, RecalculationRun
from aggregations.selection import Selection
from omneo.db import derived_transaction
from omneo.discretion import describe

PROFILES_A_RANGE = 5000

CUT = """
WITH selected (id) AS ({selected})
SELECT first, last, profiles FROM (
    SELECT count(*) AS profiles,
           min(id::text COLLATE "C")::uuid AS first, max(id::text COLLATE "C")::uuid AS last
    FROM (
        SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS n FROM selected
    ) AS cut
    GROUP BY n
) AS ranges ORDER BY first
"""

# Of whom works on a run, for as long as it has a range in hand.
PRESENCE = "SELECT pg_advisory_xact_lock_shared(%s::regclass::oid::int, %s::int)"
NOBODY_PRESENT = "SELECT pg_try_advisory_xact_lock(%s::regclass::oid::int, %s::int)"


def start(selection: Selection) -> RecalculationRun:
    """Cut the selected profiles into ranges and record them as waiting."""
    sql, parameters = selection.queryset().order_by().values("pk").query.sql_with_params()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CUT.format(selected=sql), [*parameters, PROFILES_A_RANGE])
        ranges = cursor.fetchall()
        run = RecalculationRun.objects.create(selection=selection.as_json())
        RecalculationRange.objects.bulk_create(
            RecalculationRange(run=run, first=first, last=last, profiles=profiles)
            for first, last, profiles in ranges
        )
    return run


def latest_unfinished() -> RecalculationRun | None:
    """Return the latest run that has ranges left, failed ones too."""
    return (
        RecalculationRun.objects.filter(ranges__isnull=False, ranges__done_at=None)
        .order_by("-started_at")
        .first()
    )


def abandoned(*, moment: datetime) -> list[RecalculationRun]:
    """Return the workers' runs that have ranges left and nobody to do them.

    That is where no range is in hand, and none was done for as long as the message lives that
    asks: whatever was queued for the run before it has been taken from the queue, too.
    """
    ranges = RecalculationRange.objects.filter(run=OuterRef("pk"))
    silence = moment - timedelta(seconds=settings.PERIODIC_MESSAGE_LIFE)
    silent = RecalculationRun.objects.filter(
        Exists(ranges.filter(done_at=None, error="")),
        ~Exists(ranges.filter(done_at__gt=silence)),
        by_workers=True,
        started_at__lte=silence,
    )
    return [run for run in silent.order_by("started_at") if _nobody_works_on(run)]


@transaction.atomic
def _nobody_works_on(run: RecalculationRun) -> bool:
    return _lock(NOBODY_PRESENT, run)


def _lock(statement: str, run: RecalculationRun) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, [RecalculationRun._meta.db_table, run.pk])
        return cursor.fetchone()[0]


def retry_failed(run: RecalculationRun) -> None:
    """Let ranges that failed be tried once more."""
    run.ranges.filter(done_at=None).update(error="")


def recalculate_next(run: RecalculationRun) -> RecalculationRange | None:
    """Recalculate one waiting range that nobody else works on; return it, None if none is left.

    A range that fails by its data is left with its error, and the others go on. Raises
    OperationalError where the database is the trouble: the range waits for the next try.
    """
    taken = None
    try:
        with derived_transaction():
            _lock(PRESENCE, run)
            taken = (
                run.ranges.filter(done_at=None, error="")
                .select_for_update(skip_locked=True)
                .order_by("id")
                .first()
            )
            if taken is None:
                return None
            taken.done_at = timezone.now()
            taken.changed = despite_purges(lambda: _recalculate(run, taken, moment=taken.done_at))
            taken.save(update_fields=["changed", "done_at"])
    except OperationalError:
        raise
    except DatabaseError as error:
        if taken is None:
            raise
        taken.changed, taken.done_at, taken.error = None, None, describe(error)
        with transaction.atomic():
            taken.save(update_fields=["error"])
            count_failed(taken.profiles)
    return taken


def work_through(
    run: RecalculationRun, *, workers: int, stop: threading.Event
) -> Iterator[RecalculationRange]:
    """Recalculate what is left of a run over so many connections; yield each range when done.

    Once `stop` is set, only the ranges in hand are finished.
    """
    done: queue.SimpleQueue[RecalculationRange | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            while not stop.is_set() and (one := recalculate_next(run)):
                done.put(one)
        finally:
            done.put(None)
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work) for _ in range(workers)]
        for _ in range(workers):
            yield from iter(done.get, None)
        for future in futures:
            future.result()


def _recalculate(run: RecalculationRun, taken: RecalculationRange, *, moment: datetime) -> int:
    selection = Selection.from_json(run.selection)
    if selection.is_everybody:
        return recalculate_range(first=taken.first, last=taken.last, moment=moment)
    selected = selection.queryset().filter(pk__range=(taken.first, taken.last))
    return recalculate(profile_ids=selected.values_list("pk", flat=True), moment=moment)

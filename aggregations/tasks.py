"""Celery tasks: each reads the clock and makes one call, until nothing is left."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from aggregations import bulk, calculation, counts, outbox
from aggregations.models import RecalculationRun
from aggregations.watch import watch

CHAINS = 8  # ranges of a run that workers have in hand at a time
BATCHES_A_TURN = 30  # some seconds


@shared_task(name="aggregations.recalculate_waiting")
def recalculate_waiting(**_later_arguments: object) -> None:
    """Recalculate every profile that waits, and say so in the log where it takes too long.

    After some batches it asks for the next turn, behind whatever else waits for a worker: sales
    that come in faster than they are done must not keep all other tasks away.
    """
    watch(moment=timezone.now())
    for _ in range(BATCHES_A_TURN):
        if not outbox.recalculate_waiting(moment=timezone.now()):
            return
        watch(moment=timezone.now())
    recalculate_waiting.delay()


@shared_task(name="aggregations.hand_out")
def hand_out(**_later_arguments: object) -> None:
    """Find out who shares what has changed, and ask for a recalculation of each.

    A task of its own: where that is a million, sales go on in the other processes.
    """
    if outbox.hand_out():
        recalculate_waiting.delay()


@shared_task(name="aggregations.refresh_due")
def refresh_due(**_later_arguments: object) -> None:
    """Bring what the clock has overtaken up to date."""
    while calculation.refresh_due(moment=timezone.now()):
        pass


@shared_task(name="aggregations.compact_counts")
def compact_counts(**_later_arguments: object) -> None:
    """Add up the counts of recalculations."""
    counts.compact(moment=timezone.now())


@shared_task(name="aggregations.recalculate_run")
def recalculate_run(*, run_id: int, **_later_arguments: object) -> None:
    """Recalculate one range of a run, and ask for the next one behind whatever waits meanwhile."""
    run = RecalculationRun.objects.filter(pk=run_id).first()
    if run and bulk.recalculate_next(run):
        recalculate_run.delay(run_id=run_id)


@shared_task(name="aggregations.take_up_runs")
def take_up_runs(**_later_arguments: object) -> None:
    """Go on with the runs whose workers were killed, hit a time limit or lost their messages."""
    for run in bulk.abandoned(moment=timezone.now()):
        share(run)


def share(run: RecalculationRun) -> None:
    """Let all workers share what is left of a run. Raises OperationalError without a broker."""
    for _ in range(CHAINS):
        recalculate_run.apply_async(kwargs={"run_id": run.pk}, retry=False)

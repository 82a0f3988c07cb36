"""Celery tasks: each reads the clock and makes one call, until nothing is left."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from aggregations import bulk, calculation, counts, outbox
from aggregations.models import RecalculationRun
from aggregations.watch import watch

CHAINS = 8  # ranges of a run that workers have in hand at a time


@shared_task(name="aggregations.recalculate_waiting")
def recalculate_waiting(**_later_arguments: object) -> None:
    """Recalculate every profile that waits, and say so in the log where it takes too long."""
    watch(moment=timezone.now())
    while outbox.recalculate_waiting(moment=timezone.now()):
        watch(moment=timezone.now())


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

"""Celery tasks: each makes one call, until nothing is left."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from omneo.nudge import Nudge
from profiles import batches, queueing


@shared_task(name="profiles.ingest_queued")
def ingest_queued(**_later_arguments: object) -> None:
    """Let every queued transaction come in."""
    while queueing.ingest_queued():
        pass


@shared_task(name="profiles.import_batches")
def import_batches(**_later_arguments: object) -> None:
    """Import every batch of profiles that waits."""
    while batches.import_waiting(moment=timezone.now()):
        pass


nudge_ingestion = Nudge(ingest_queued)
nudge_import = Nudge(import_batches)

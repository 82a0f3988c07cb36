"""How many transactions and profiles were accepted and are still to come in, as staff see it."""

from __future__ import annotations

from datetime import datetime

from omneo.admin import Tile, age, changelist_url, counted, number, tiles_of
from profiles.models import ProfileBatch, ProfileBatchRow, QueuedTransaction

QUEUE_LATE = 60  # seconds, far above what a broker that is away costs
BATCH_LATE = 600  # seconds: a thousand profiles take seconds, and some batches stand in line


def queue_tiles(*, moment: datetime) -> list[Tile]:
    """Return how many transactions wait in the queue, since when, and how many failed."""
    return tiles_of("Queued transactions", _queue_tiles, moment=moment)


def batch_tiles(*, moment: datetime) -> list[Tile]:
    """Return how many batches of profiles are in hand, and how much of them is left."""
    return tiles_of("Batches of profiles", _batch_tiles, moment=moment)


def _queue_tiles(*, moment: datetime) -> list[Tile]:
    waiting = QueuedTransaction.objects.filter(errors__isnull=True)
    oldest = waiting.order_by("id").values_list("accepted_at", flat=True).first()
    waits = (moment - oldest).total_seconds() if oldest else 0
    failed = QueuedTransaction.objects.filter(errors__isnull=False).count()
    return [
        Tile(
            "Queued transactions waiting",
            number(waiting.count()),
            [f"The oldest waits for {age(waits)}." if oldest else "Nothing waits."],
            label="late" if waits > QUEUE_LATE else "",
            kind="warning",
            link=changelist_url(QueuedTransaction, state="waiting"),
        ),
        Tile(
            "Queued transactions failed",
            number(failed),
            ["Each stays until it is tried again or deleted." if failed else "None has failed."],
            label="failed" if failed else "",
            kind="danger",
            link=changelist_url(QueuedTransaction, state="failed"),
        ),
    ]


def _batch_tiles(*, moment: datetime) -> list[Tile]:
    unfinished = ProfileBatch.objects.filter(finished_at=None)
    first = unfinished.order_by("accepted_at").values_list("accepted_at", flat=True).first()
    waits = (moment - first).total_seconds() if first else 0
    left = ProfileBatchRow.objects.filter(
        batch__in=unfinished, status=ProfileBatchRow.Status.WAITING
    ).count()
    return [
        Tile(
            "Batches of profiles in hand",
            number(unfinished.count()),
            [
                f"{counted(left, 'profile')} to come, the first batch since {age(waits)}."
                if first
                else "None is in hand."
            ],
            label="late" if waits > BATCH_LATE else "",
            kind="warning",
            link=changelist_url(ProfileBatch, state="unfinished"),
        )
    ]

"""Whoever waits for a recalculation, and the work of the workers on them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from aggregations import outbox
from aggregations.models import RecalculationRequest, SharedChange


def who_waits() -> set[UUID]:
    """Find out who shares what has changed, and return everybody who waits."""
    outbox.hand_out()
    return set(RecalculationRequest.objects.values_list("profile_id", flat=True))


def work_off(*, moment: datetime) -> None:
    """Do all that waits and is due."""
    outbox.hand_out()
    while outbox.recalculate_waiting(moment=moment):
        pass


def forget_who_waits() -> None:
    """Let nobody wait, whatever their rows say."""
    SharedChange.objects.all().delete()
    RecalculationRequest.objects.all().delete()

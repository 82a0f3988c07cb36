"""The outbox: who waits for a recalculation."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class RecalculationRequest(models.Model):
    """A profile whose row may be out of date, since the transaction that appended this.

    Appended and never updated by writers, so that a sale waits for nobody. No foreign key: a
    request may outlive its profile, and is then without effect.
    """

    class Lane(models.IntegerChoices):
        LIVE = 0, "live"
        BULK = 1, "bulk"

    id = models.BigAutoField(primary_key=True)
    profile_id = models.UUIDField()
    lane = models.SmallIntegerField(
        choices=Lane, db_default=Lane.LIVE, help_text="Live requests go before bulk ones."
    )
    requested_at = models.DateTimeField(db_default=Now())
    attempts = models.SmallIntegerField(db_default=0, help_text="How often it has failed.")
    retry_at = models.DateTimeField(null=True, help_text="Not to be tried before.")
    error = models.TextField(db_default="", help_text="Why it failed last.")

    class Meta:
        indexes = [
            models.Index(fields=["lane", "id"], name="request_order"),
            models.Index(fields=["profile_id"], name="request_profile"),
        ]
        permissions = [
            ("retry_recalculationrequest", "Can try again a recalculation that failed"),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} since {self.requested_at:%Y-%m-%d %H:%M:%S}"

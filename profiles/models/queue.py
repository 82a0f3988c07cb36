"""The queue: sales that were accepted and are still to come in."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from omneo.db import optional_text


class QueuedTransaction(models.Model):
    """The body of a transaction, as it was accepted.

    It goes with the database transaction in which it becomes a transaction, and not before; one
    that cannot become one stays, with what is wrong with it.
    """

    id = models.BigAutoField(primary_key=True)
    body = models.JSONField()
    external_id = optional_text(255, help_text="The body's: those of one keep their order.")
    accepted_at = models.DateTimeField()
    errors = models.JSONField(
        null=True, blank=True, help_text="What is wrong with it, by field; empty while it waits."
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], condition=Q(errors__isnull=True), name="queued_transaction_order"
            ),
            models.Index(
                fields=["external_id", "id"],
                condition=Q(errors__isnull=True, external_id__isnull=False),
                name="queued_transaction_external_id",
            ),
            models.Index(
                fields=["id"], condition=Q(errors__isnull=False), name="queued_transaction_failed"
            ),
        ]
        permissions = [
            ("retry_queuedtransaction", "Can try again a queued transaction that failed"),
        ]

    def __str__(self) -> str:
        return f"{self.external_id or 'a transaction'} since {self.accepted_at:%Y-%m-%d %H:%M:%S}"

"""Batches of profiles that wait to be imported, and what became of them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class ProfileBatch(models.Model):
    """Profiles that were posted together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    match_criteria = models.CharField(
        max_length=100, help_text="By what a profile is known: email, or the handle of an identity."
    )
    accepted_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "batch"
        verbose_name_plural = "batches of profiles"
        indexes = [
            models.Index(
                fields=["accepted_at", "id"],
                condition=Q(finished_at__isnull=True),
                name="profile_batch_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"batch of {self.accepted_at:%Y-%m-%d %H:%M:%S}"


class ProfileBatchRow(models.Model):
    """One profile of a batch. Its body goes when it is done: what it said is the profile's now."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        CREATED = "created"
        UPDATED = "updated"
        ERROR = "error"

    batch = models.ForeignKey(ProfileBatch, on_delete=models.CASCADE, related_name="rows")
    index = models.IntegerField()
    body = models.JSONField(null=True)
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    profile_id = models.UUIDField(null=True)
    errors = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "index"], name="profile_batch_row"),
        ]

    def __str__(self) -> str:
        return f"row {self.index}"

"""Batches of profiles that wait to be imported, and what became of them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Count, Q


class ProfileBatchQuerySet(models.QuerySet):
    def with_progress(self) -> ProfileBatchQuerySet:
        """Add how many profiles each has, and what became of how many of them."""
        status = ProfileBatchRow.Status
        return self.annotate(
            total=Count("rows"),
            waiting=_rows_that_are(status.WAITING),
            created=_rows_that_are(status.CREATED),
            updated=_rows_that_are(status.UPDATED),
            failed=_rows_that_are(status.ERROR),
        )


def _rows_that_are(status: ProfileBatchRow.Status) -> Count:
    return Count("rows", filter=Q(rows__status=status))


class ProfileBatch(models.Model):
    """Profiles that were posted together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    match_criteria = models.CharField(
        max_length=100, help_text="By what a profile is known: email, or the handle of an identity."
    )
    accepted_at = models.DateTimeField()
    accepted_from = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The user of the token that it came with.",
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ProfileBatchQuerySet.as_manager()

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
        verbose_name = "profile of a batch"
        verbose_name_plural = "profiles of batches"

    def __str__(self) -> str:
        return f"row {self.index}"

"""Recalculations of many profiles: what is done and what is left."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class RecalculationRun(models.Model):
    """A recalculation of everybody, or of a selection, cut into ranges of keys."""

    started_at = models.DateTimeField(default=timezone.now)
    selection = models.JSONField(
        default=dict, help_text="Which profiles: the options of the command, none for everybody."
    )

    by_workers = models.BooleanField(
        db_default=False, help_text="Whether Celery workers go on with it until nothing is left."
    )

    def __str__(self) -> str:
        return f"Recalculation of {self.started_at:%Y-%m-%d %H:%M:%S}"


class RecalculationRange(models.Model):
    """A range of profile keys, both ends included; recalculated in one database transaction."""

    run = models.ForeignKey(RecalculationRun, on_delete=models.CASCADE, related_name="ranges")
    first = models.UUIDField()
    last = models.UUIDField()
    profiles = models.IntegerField(help_text="How many there were when the range was cut.")
    changed = models.IntegerField(null=True, help_text="How many rows changed in a value.")
    done_at = models.DateTimeField(null=True)
    error = models.TextField(default="", help_text="Why it failed.")

    class Meta:
        indexes = [
            models.Index(
                fields=["run", "id"],
                condition=models.Q(done_at__isnull=True),
                name="range_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

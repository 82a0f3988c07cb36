"""What was said of the lag."""

from __future__ import annotations

from django.db import models


class LagWarning(models.Model):
    """That recalculation is behind, and that the log says so: a row while it lasts, else none."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    since = models.DateTimeField(help_text="When it was seen first.")
    logged_at = models.DateTimeField(help_text="When it was logged last.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="lagwarning_is_one"),
        ]

    def __str__(self) -> str:
        return f"Behind since {self.since:%Y-%m-%d %H:%M:%S}"

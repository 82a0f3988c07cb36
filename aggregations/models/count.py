"""How much was recalculated, by all processes together."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class RecalculationCount(models.Model):
    """What one recalculation came to; `aggregations.counts` adds the older ones up.

    Appended in the transaction of the recalculation and never updated, so that no worker waits
    for the number of another. Not logged: a crash of the server empties the table.
    """

    id = models.BigAutoField(primary_key=True)
    counted_at = models.DateTimeField(db_default=Now())
    recalculated = models.BigIntegerField(db_default=0, help_text="Profiles.")
    failed = models.BigIntegerField(
        db_default=0, help_text="Profiles whose recalculation was tried in vain."
    )

    def __str__(self) -> str:
        return f"{self.recalculated} recalculated, {self.failed} failed"

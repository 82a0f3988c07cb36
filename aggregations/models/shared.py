"""Changes of what many profiles share."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class SharedChange(models.Model):
    """A change that may touch the rows of many, of whom it is not known yet who they are.

    Appended in the transaction of the change; who they are is found out afterwards, and each
    then has a request for recalculation. In a table of its own, which is as good as empty: every
    reader of a row looks into it. No foreign key: what is shared may be gone by then.
    """

    class Kind(models.TextChoices):
        BRAND = "brand"
        TIER = "tier"
        LOCATION = "location"
        REGION = "region"
        MEMBER = "member", "country or state of a region"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind)
    key = models.CharField(max_length=20, help_text="Its id, or the code of a country or state.")
    changed_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}"

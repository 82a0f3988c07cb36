"""A location's time of the last change: that of its parts too, where one goes."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete
from django.utils import timezone

from locations.models import Department, Location, LocationAddress, NormalHours, SpecialHours

PARTS = [Department, LocationAddress, NormalHours, SpecialHours]


def connect() -> None:
    for model in PARTS:
        name = f"locations.{model._meta.label_lower}"
        post_delete.connect(note_what_went, sender=model, dispatch_uid=name)


def note_what_went(sender: type[Model], instance: Any, **kwargs: Any) -> None:
    """Move the time of the location, since what is gone has none that a reader could see."""
    Location.objects.filter(pk=instance.location_id).update(updated_at=timezone.now())

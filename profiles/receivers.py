"""What follows in this app when a model is saved."""

from __future__ import annotations

from django.db.models.signals import post_save

from locations.models import Location


def connect() -> None:
    post_save.connect(cut_days_anew, sender=Location, dispatch_uid="profiles.cut_days_anew")


def cut_days_anew(sender: type[Location], instance: Location, **kwargs) -> None:
    """Let the transactions of a location that moved to another time zone follow it.

    Those that name a zone of their own keep it.
    """
    if instance.stored and instance.has_changed("timezone"):
        instance.transactions.filter(timezone=None).update(shop_timezone=instance.timezone or "UTC")

"""Whose row a change touches: one table of models, read by signals.

A receiver only says whose row may be out of date. What becomes of it is the calculation's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from aggregations import outbox
from aggregations.models import SharedChange
from aggregations.nudge import nudge, nudge_to_hand_out
from aggregations.outbox import Lane
from locations.models import Brand, Location, LocationAddress, Region, RegionMember
from omneo.db import WatchedModel
from profiles.models import (
    Profile,
    ProfileAddress,
    ProfileTier,
    Tier,
    Transaction,
    TransactionItem,
)
from profiles.signals import history_changed

Kind = SharedChange.Kind


def owners(instance: WatchedModel) -> set[UUID]:
    """The profile whose row it is, and the one whose it was."""
    return instance.values_of("profile_id")


def itself_and_referrers(profile: Profile) -> set[UUID]:
    """The profile where its row depends on what changed, and who referred it, before and now."""
    touched = set()
    if profile.has_changed(*(column for column in profile.watched if column != "referred_by_id")):
        touched.add(profile.pk)
    if profile.has_changed("referred_by_id"):
        touched |= profile.values_of("referred_by_id")
    return touched


def itself(instance: WatchedModel) -> set[int]:
    """What was there and has changed; nobody shares what is new."""
    changed = instance.stored is not None and instance.has_changed(*instance.watched)
    return {instance.pk} if changed else set()


def its_location(address: LocationAddress) -> set[int]:
    """The location that moved."""
    return address.values_of("location_id") if address.has_changed(*address.watched) else set()


def country_or_state(member: RegionMember) -> set[str]:
    """What changed its region."""
    return member.values_of("iso") if member.has_changed(*member.watched) else set()


# Of a change of what is one profile's: whose rows it touches
OWNED: dict[type[WatchedModel], Callable[[Any], set[UUID]]] = {
    Profile: itself_and_referrers,
    ProfileAddress: owners,
    ProfileTier: owners,
    Transaction: owners,
    TransactionItem: owners,
}
# Of a change of what many profiles share: what of it they share
SHARED: dict[type[WatchedModel], tuple[Kind, Callable[[Any], set]]] = {
    Tier: (Kind.TIER, itself),
    Brand: (Kind.BRAND, itself),
    Location: (Kind.LOCATION, itself),
    LocationAddress: (Kind.LOCATION, its_location),
    Region: (Kind.REGION, itself),
    RegionMember: (Kind.MEMBER, country_or_state),
}


def connect() -> None:
    for model in (*OWNED, *SHARED):
        name = f"aggregations.{model._meta.label_lower}"
        pre_save.connect(hold_before_raw_save, sender=model, dispatch_uid=name)
        post_save.connect(request_recalculation, sender=model, dispatch_uid=name)
        pre_delete.connect(hold_before_delete, sender=model, dispatch_uid=name)
        post_delete.connect(request_recalculation, sender=model, dispatch_uid=name)
    history_changed.connect(request_for_changed, dispatch_uid="aggregations.history_changed")


def request_recalculation(sender: type[Model], instance: WatchedModel, **kwargs: Any) -> None:
    """Ask for the recalculation of whom the saved or deleted row touches."""
    if sender in OWNED:
        if touched := OWNED[sender](instance):
            outbox.request(touched, lane=Lane.LIVE)
            nudge()
    else:
        kind, keys_of = SHARED[sender]
        if keys := keys_of(instance):
            outbox.request_for_sharers(kind, keys)
            nudge_to_hand_out()


def hold_before_raw_save(
    sender: type[Model], instance: WatchedModel, raw: bool, **kwargs: Any
) -> None:
    """Read what a row held that a fixture is about to overwrite: that goes around `save()`.

    Everything in a fixture looks new, also what is there already.
    """
    if raw:
        instance._state.adding = not sender._base_manager.filter(pk=instance.pk).exists()
        with transaction.atomic():
            instance.hold()


def hold_before_delete(sender: type[Model], instance: WatchedModel, **kwargs: Any) -> None:
    """Read whose the row really is, while it is still there."""
    instance.hold()
    instance.is_going = True


def request_for_changed(
    sender: Any, profile_ids: Collection[UUID], is_live: bool = False, **kwargs: Any
) -> None:
    """Ask for the recalculation of whom a path that writes around `save()` names."""
    outbox.request(profile_ids, lane=Lane.LIVE if is_live else Lane.BULK)
    nudge()

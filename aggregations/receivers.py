"""Whose row a change touches: one table of models, read by signals.

A receiver only says whose row may be out of date. What becomes of it is the calculation's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from aggregations import outbox
from aggregations.nudge import nudge
from aggregations.outbox import Lane
from locations.models import Brand, Country, Location, LocationAddress, Region, RegionMember
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

# What a change of a model touches: the keys of a few profiles, or a query for those of many.
Touched = Collection[UUID] | QuerySet


def owners(instance: WatchedModel) -> Touched:
    """The profile whose row it is, and the one whose it was."""
    return instance.values_of("profile_id")


def itself_and_referrers(profile: Profile) -> Touched:
    """The profile where its row depends on what changed, and who referred it, before and now."""
    touched = set()
    if profile.has_changed(*(column for column in profile.watched if column != "referred_by_id")):
        touched.add(profile.pk)
    if profile.has_changed("referred_by_id"):
        touched |= profile.values_of("referred_by_id")
    return touched


def holders(tier: Tier) -> Touched:
    """Everybody who ever held the tier, where its rank changed."""
    if tier.stored is None or not tier.has_changed("sort_order"):
        return []
    return _profiles(tiers__tier=tier)


def buyers_of(brand: Brand) -> Touched:
    """Everybody who bought the brand, where its name changed."""
    if brand.stored is None or not brand.has_changed("name"):
        return []
    return TransactionItem.objects.filter(brand=brand).values("profile_id")


def visitors(location: Location) -> Touched:
    """Everybody whom the location says something about, where that changed."""
    if location.stored is None or not location.has_changed(*location.watched):
        return []
    return _visitors(Q(pk=location.pk))


def visitors_of_address(address: LocationAddress) -> Touched:
    """The same for the location that moved."""
    if not address.has_changed(*address.watched):
        return []
    return _visitors(Q(pk__in=address.values_of("location_id")))


def people_in_region(region: Region) -> Touched:
    """Everybody whom something places in the region, where its name changed."""
    if region.stored is None or not region.has_changed("name"):
        return []
    members = region.members.values("iso")
    return _people_at(
        countries=members.exclude(iso__contains="-"),
        states=members.filter(iso__contains="-"),
        locations=Q(region=region),
    )


def people_in_member(member: RegionMember) -> Touched:
    """Everybody whom something places in a country or state that changed its region."""
    if not member.has_changed(*member.watched):
        return []
    isos = member.values_of("iso")
    return _people_at(
        countries=[iso for iso in isos if "-" not in iso],
        states=[iso for iso in isos if "-" in iso],
        locations=Q(),
    )


def _people_at(
    *, countries: Collection[str] | QuerySet, states: Collection[str] | QuerySet, locations: Q
) -> QuerySet:
    located = (
        Q(address__iso__in=countries)
        | Q(address__iso_state__in=states)
        | Q(country_iso_3__in=Country.objects.filter(iso_2__in=countries).values("iso_3"))
    )
    living = ProfileAddress.objects.filter(Q(iso__in=countries) | Q(iso_state__in=states))
    return _visitors(located | locations if locations else located).union(
        living.values("profile_id")
    )


def _visitors(locations: Q) -> QuerySet:
    places = Location.objects.filter(locations).values("pk")
    return (
        Transaction.objects.filter(location__in=places)
        .values("profile_id")
        .union(
            Profile.objects.filter(joined_location__in=places).values("pk"),
            Profile.objects.filter(preferred_location__in=places).values("pk"),
        )
    )


def _profiles(**condition: Any) -> QuerySet:
    return Profile.objects.filter(**condition).values("pk")


TOUCHED: dict[type[WatchedModel], Callable[[Any], Touched]] = {
    Profile: itself_and_referrers,
    ProfileAddress: owners,
    ProfileTier: owners,
    Transaction: owners,
    TransactionItem: owners,
    Tier: holders,
    Brand: buyers_of,
    Location: visitors,
    LocationAddress: visitors_of_address,
    Region: people_in_region,
    RegionMember: people_in_member,
}


def connect() -> None:
    for model in TOUCHED:
        name = f"aggregations.{model._meta.label_lower}"
        pre_save.connect(hold_before_raw_save, sender=model, dispatch_uid=name)
        post_save.connect(request_recalculation, sender=model, dispatch_uid=name)
        pre_delete.connect(hold_before_delete, sender=model, dispatch_uid=name)
        post_delete.connect(request_recalculation, sender=model, dispatch_uid=name)
    history_changed.connect(request_for_changed, dispatch_uid="aggregations.history_changed")


def request_recalculation(sender: type[Model], instance: WatchedModel, **kwargs: Any) -> None:
    """Ask for the recalculation of whom the saved or deleted row touches."""
    touched = TOUCHED[sender](instance)
    if isinstance(touched, QuerySet):
        outbox.request_for(touched, lane=Lane.BULK)
        nudge()
    elif touched:
        outbox.request(touched, lane=Lane.LIVE)
        nudge()


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

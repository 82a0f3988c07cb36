"""Making one profile of two, and forgetting one for good. Each is one database transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q

from omneo import deadlocks
from profiles import batches, queueing
from profiles.ingestion import hold_transactions
from profiles.living import LIVING
from profiles.models import (
    FormerName,
    Identity,
    Profile,
    ProfileAddress,
    ProfileTier,
    Transaction,
)
from profiles.signals import history_changed

# What the destination takes over where it says nothing itself; the others go with one of these.
SAID_ALONE = [
    "title",
    "first_name",
    "last_name",
    "gender",
    "joined_location_id",
    "preferred_location_id",
    "company",
    "occupation",
    "avatar_url",
    "currency_id",
]
SAID_TOGETHER = [("birth_day", "birth_month", "birth_year")]
UNIQUE = [("email",), ("mobile_phone", "mobile_phone_country")]

MOVED = [Transaction, ProfileAddress, ProfileTier, Identity]

# There may be thousands, and what a receiver would ask for each of them concerns nobody any more.
DELETE_ITEMS = """
DELETE FROM profiles_transactionitem
WHERE transaction_id IN (SELECT id FROM profiles_transaction WHERE profile_id = %s)
"""
DELETE_TRANSACTIONS = "DELETE FROM profiles_transaction WHERE profile_id = %s"


class CannotBeMergedError(ValueError):
    """Raised where a profile is merged into itself."""


@deadlocks.atomic
def merge(*, source_id: UUID, destination_id: UUID, moment: datetime) -> Profile:
    """Move everything of the source to the destination, and leave the source empty and deleted.

    Transactions, addresses, identities, tiers and referrals move. Of what a profile says of itself
    the destination's counts, and the source's where it says nothing; it joined when the first of
    the two did. Raises Profile.DoesNotExist where one is not there or is deleted, and
    CannotBeMergedError where they are the same.
    """
    if source_id == destination_id:
        raise CannotBeMergedError("A profile cannot be merged into itself.")
    source, destination = _held(source_id, destination_id)
    hold_transactions(source_id)

    _keep_one_of_each(source, destination)
    for model in MOVED:
        model.objects.filter(profile=source).update(profile=destination, updated_at=moment)
    source.referrals.exclude(pk=destination.pk).update(referred_by=destination, updated_at=moment)
    _take_over(source, destination)
    source.merged.update(merged_into=destination)
    source.merged_into = destination
    source.profile_type = Profile.Type.DELETED
    source.referred_by = None
    source.save()
    destination.save()
    history_changed.send(sender=Profile, profile_ids=[source.pk, destination.pk])
    return destination


@deadlocks.atomic
def purge(*, profile_id: UUID) -> None:
    """Remove the profile, all that it has and did, and what waits for it.

    With it go the profiles that were merged into it, which say who it was. Raises
    Profile.DoesNotExist.
    """
    person = Profile.objects.filter(Q(pk=profile_id) | Q(merged_into=profile_id)).order_by("pk")
    # Before the profile: a worker holds these rows when it asks for the profile.
    for profile in person:
        _forget_what_waits(profile)
    held = person.select_for_update()
    if profile_id not in {profile.pk for profile in held}:
        raise Profile.DoesNotExist
    for profile in held:
        # Again, for what came before the profile was held
        _forget_what_waits(profile)
        _remove(profile)


def _remove(profile: Profile) -> None:
    hold_transactions(profile.pk)
    with connection.cursor() as cursor:
        cursor.execute(DELETE_ITEMS, [profile.pk])
        cursor.execute(DELETE_TRANSACTIONS, [profile.pk])
    key = profile.pk
    profile.delete()
    # Also those that its identities left just now
    FormerName.objects.filter(profile=key).delete()


def _held(source_id: UUID, destination_id: UUID) -> tuple[Profile, Profile]:
    """Lock both, and whom the source referred, in the order of their keys."""
    written = Profile.objects.filter(
        Q(pk__in=[source_id, destination_id]) | Q(referred_by=source_id)
    )
    list(written.order_by("pk").select_for_update().values_list("pk"))
    return LIVING.get(pk=source_id), LIVING.get(pk=destination_id)


def _forget_what_waits(profile: Profile) -> None:
    queueing.forget(profile)
    batches.forget(profile)


def _keep_one_of_each(source: Profile, destination: Profile) -> None:
    """Let the source's default address and primary identities give way to the destination's."""
    if destination.addresses.filter(is_default=True).exists():
        source.addresses.update(is_default=False)
    primary = destination.identities.filter(is_primary=True).values("handle")
    source.identities.filter(handle__in=primary).update(is_primary=False)


def _take_over(source: Profile, destination: Profile) -> None:
    for names in [*((name,) for name in SAID_ALONE), *SAID_TOGETHER, *UNIQUE]:
        if not any(getattr(destination, name) for name in names):
            for name in names:
                setattr(destination, name, getattr(source, name))
                if names in UNIQUE:
                    setattr(source, name, None)
    if (earlier := source.joined_at or source.created_at) < (
        destination.joined_at or destination.created_at
    ):
        destination.joined_at = earlier
    if destination.referred_by_id == source.pk:
        destination.referred_by = None
    if destination.referred_by_id is None and source.referred_by_id != destination.pk:
        destination.referred_by_id = source.referred_by_id
    destination.tags = list(dict.fromkeys([*destination.tags, *source.tags]))
    destination.meta = {**source.meta, **destination.meta}

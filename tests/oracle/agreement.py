"""What the calculation wrote, held against what the oracle makes of the same tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from aggregations.models import Aggregation
from locations.models import Country, Location, Region, RegionMember
from profiles.models import Profile, ProfileAddress, ProfileTier, Transaction, TransactionItem
from tests.oracle.meanings import Address, History, Holding, Item, Place, Sale, World, calculate

FIELDS = [each.attname for each in Aggregation._meta.concrete_fields if each.name != "changed_at"]


def differences(
    profile_ids: Collection[UUID], *, moment: datetime, now: datetime | None = None
) -> list[str]:
    """Say what the rows should say and do not, a line for each field.

    `moment` is when they were calculated, `now` when the clock was last brought up to date.
    """
    return differences_at(dict.fromkeys(profile_ids, moment), now=now)


def differences_at(moments: Mapping[UUID, datetime], *, now: datetime | None = None) -> list[str]:
    """Say the same of rows that were calculated at a moment each."""
    return differences_from(*load(moments), moments=moments, now=now)


def differences_from(
    world: World,
    histories: Mapping[UUID, History],
    *,
    moments: Mapping[UUID, datetime],
    now: datetime | None = None,
) -> list[str]:
    """Say the same, from histories that were loaded before and have stayed as they were."""
    rows = stored(moments)
    found = []
    for profile_id, moment in moments.items():
        row = rows.get(profile_id)
        if row is None:
            found.append(f"{profile_id} has no row")
            continue
        expected = calculate(histories[profile_id], world=world, moment=moment, now=now)
        found += [
            f"{profile_id} {name}: {row[name]!r} instead of {expected[name]!r}"
            for name in FIELDS
            if row[name] != expected[name]
        ]
        change, span = row["next_change_at"], expected["next_change_at"]
        if change is None or not span.earliest <= change <= span.latest:
            found.append(f"{profile_id} next_change_at: {change!r} instead of {span}")
    return found


def stored(profile_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return what the calculation wrote, by profile."""
    rows = Aggregation.objects.filter(profile__in=profile_ids).values(
        *FIELDS, next_change_at=F("profile__freshness__next_change_at")
    )
    return {row["profile_id"]: row for row in rows}


def load(profile_ids: Collection[UUID]) -> tuple[World, dict[UUID, History]]:
    """Read the histories of profiles, in a number of queries that does not depend on theirs."""
    world, places = _load_world()
    histories = {
        profile_id: History(
            profile_id=profile_id,
            joined_at=joined_at or created_at,
            joined_place=places.get(joined),
            preferred_place=places.get(preferred),
        )
        for profile_id, joined_at, created_at, joined, preferred in Profile.objects.filter(
            id__in=profile_ids
        ).values_list(
            "id", "joined_at", "created_at", "joined_location_id", "preferred_location_id"
        )
    }
    for referrer, joined_at, created_at in Profile.objects.filter(
        referred_by__in=profile_ids
    ).values_list("referred_by_id", "joined_at", "created_at"):
        histories[referrer].referrals.append(joined_at or created_at)
    for profile_id, *address in ProfileAddress.objects.filter(profile__in=profile_ids).values_list(
        "profile_id", "iso", "iso_state", "is_default"
    ):
        histories[profile_id].addresses.append(Address(*address))
    for profile_id, *holding in ProfileTier.objects.filter(profile__in=profile_ids).values_list(
        "profile_id", "tier__sort_order", "started_at", "id", "tier_id"
    ):
        histories[profile_id].holdings.append(Holding(*holding))
    _load_sales(histories, places)
    return world, histories


def _load_world() -> tuple[World, dict[int, Place]]:
    world = World(
        countries=dict(Country.objects.values_list("iso_2", "name")),
        regions=dict(Region.objects.values_list("id", "name")),
        members=dict(RegionMember.objects.values_list("iso", "region_id")),
    )
    alpha_2 = dict(Country.objects.values_list("iso_3", "iso_2"))
    places = {}
    for location in Location.objects.select_related("address"):
        address = getattr(location, "address", None)
        country = (address and address.iso) or alpha_2.get(location.country_iso_3)
        state = address and address.iso_state
        places[location.id] = Place(
            id=location.id,
            name=location.name,
            timezone=location.timezone,
            country=country,
            state=state,
            region=location.region_id or world.region_of(country=country, state=state),
        )
    return world, places


def _load_sales(histories: dict[UUID, History], places: dict[int, Place]) -> None:
    sales: dict[int, Sale] = {}
    for profile_id, sale_id, location_id, *facts in (
        Transaction.objects.filter(profile__in=histories)
        .values_list(
            "profile_id",
            "id",
            "location_id",
            "transacted_at",
            "total",
            "total_original",
            "currency_id",
            "currency_rate",
            "timezone",
            "systems",
            "is_void",
        )
        .iterator(chunk_size=10_000)
    ):
        transacted_at, total, original, currency_id, rate, timezone, systems, is_void = facts
        sales[sale_id] = sale = Sale(
            id=sale_id,
            transacted_at=transacted_at,
            total=total,
            total_original=original,
            currency_id=currency_id,
            rate=rate,
            place=places.get(location_id),
            timezone=timezone,
            systems=systems,
            is_void=is_void,
        )
        histories[profile_id].sales.append(sale)

    # Lines of one brand are alike in most histories; one object each keeps millions in memory.
    alike: dict[Item, Item] = {}
    for sale_id, *facts in (
        TransactionItem.objects.filter(transaction__profile__in=histories, brand__isnull=False)
        .values_list("transaction_id", "brand__name", "quantity", "is_void")
        .iterator(chunk_size=10_000)
    ):
        item = Item(*facts)
        sales[sale_id].items.append(alike.setdefault(item, item))

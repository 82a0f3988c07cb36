"""Who shares what: the profiles whose rows depend on one brand, tier, place or region."""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.db.models import Q, QuerySet

from aggregations.models import SharedChange
from locations.models import Country, Location, RegionMember
from profiles.models import Profile, ProfileAddress, ProfileTier, Transaction, TransactionItem

Kind = SharedChange.Kind


def sharers(kind: Kind, key: str) -> QuerySet:
    """Return a query for the keys of all profiles that share it now, some more than once."""
    return SHARERS[kind](key)


def _buyers(brand: str) -> QuerySet:
    return TransactionItem.objects.filter(brand=brand).values("profile_id")


def _holders(tier: str) -> QuerySet:
    """Everybody who ever held the tier."""
    return ProfileTier.objects.filter(tier=tier).values("profile_id")


def _customers_of(location: str) -> QuerySet:
    """Everybody whom the location says something about."""
    return _visitors(Q(pk=location))


def _customers_in_region(region: str) -> QuerySet:
    """Everybody whom something places in the region."""
    members = RegionMember.objects.filter(region=region).values("iso")
    return _people_at(
        countries=members.exclude(iso__contains="-"),
        states=members.filter(iso__contains="-"),
        locations=Q(region=region),
    )


def _customers_in_member(iso: str) -> QuerySet:
    """Everybody whom something places in the country or state."""
    is_state = "-" in iso
    return _people_at(
        countries=[] if is_state else [iso], states=[iso] if is_state else [], locations=Q()
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


SHARERS: dict[Kind, Callable[[str], QuerySet]] = {
    Kind.BRAND: _buyers,
    Kind.TIER: _holders,
    Kind.LOCATION: _customers_of,
    Kind.REGION: _customers_in_region,
    Kind.MEMBER: _customers_in_member,
}

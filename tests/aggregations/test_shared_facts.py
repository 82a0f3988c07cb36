"""A change of what many share, while somebody begins to share it who was not seen by the change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from django.db.models import Model

from aggregations.models import RecalculationRequest
from aggregations.outbox import recalculate_waiting
from locations.models import Location, LocationAddress, RegionMember
from profiles.models import Profile, Tier
from tests.concurrency import LIMIT, Session, another_session
from tests.factories import (
    BrandFactory,
    LocationAddressFactory,
    LocationFactory,
    ProfileAddressFactory,
    ProfileFactory,
    ProfileTierFactory,
    RegionFactory,
    RegionMemberFactory,
    TierFactory,
    TransactionFactory,
    TransactionItemFactory,
)
from tests.oracle import differences

pytestmark = pytest.mark.django_db(transaction=True)

Share = Callable[[Profile, Model], object]


def buy_brand(profile: Profile, brand: Model) -> None:
    sale = TransactionFactory(profile=profile)
    TransactionItemFactory(transaction=sale, brand=brand)


def hold_tiers(profile: Profile, tier: Tier) -> None:
    for each in Tier.objects.all():
        ProfileTierFactory(profile=profile, tier=each)


def prefer(profile: Profile, location: Location) -> None:
    profile.preferred_location = location
    profile.save()


def buy_there(profile: Profile, address: LocationAddress) -> None:
    TransactionFactory(profile=profile, location=address.location)


def live_in_country(profile: Profile, member: RegionMember) -> None:
    ProfileAddressFactory(profile=profile, iso=member.iso)


# What is shared, what of it changes, and how a profile begins to share it
SHARED: dict[str, tuple[Callable[[], Model], str, object, Share]] = {
    "a brand's name": (lambda: BrandFactory(name="Acme"), "name", "Zest", buy_brand),
    "a tier's rank": (
        lambda: TierFactory.create_batch(2, sort_order=5)[0],
        "sort_order",
        9,
        hold_tiers,
    ),
    "a place's country": (
        lambda: LocationFactory(country_iso_3="AUS"),
        "country_iso_3",
        "NZL",
        prefer,
    ),
    "a place's address": (lambda: LocationAddressFactory(iso="AU"), "iso", "NZ", buy_there),
    "a region's country": (
        lambda: RegionMemberFactory(iso="NZ"),
        "region",
        lambda: RegionFactory(name="Pacific"),
        live_in_country,
    ),
}


@pytest.fixture
def staff() -> Iterator[Session]:
    with another_session() as session:
        yield session


@pytest.fixture
def worker() -> Iterator[Session]:
    with another_session() as session:
        yield session


@pytest.mark.parametrize(("make", "column", "value", "share"), SHARED.values(), ids=SHARED)
def test_who_begins_to_share_it_meanwhile_is_recalculated_after_it(
    moment: datetime,
    staff: Session,
    worker: Session,
    make: Callable[[], Model],
    column: str,
    value: object,
    share: Share,
) -> None:
    profile, shared = ProfileFactory(), make()
    recalculate_waiting(moment=moment)
    setattr(shared, column, value() if callable(value) else value)
    staff.begin()
    staff.do(shared.save)
    share(profile, type(shared).objects.get(pk=shared.pk))

    recalculated = worker.start(recalculate_waiting, moment=moment)
    worker.wait_until_blocked()
    staff.commit()
    recalculated.result(LIMIT)

    while recalculate_waiting(moment=moment):
        pass
    assert differences([profile.pk], moment=moment) == []
    assert not RecalculationRequest.objects.exists()


def test_a_country_that_joins_a_region_is_seen_by_the_regions_new_name(
    moment: datetime, staff: Session, worker: Session
) -> None:
    """The member is added before the name changes, and committed after the change has begun."""
    region, resident = RegionFactory(name="Pacific"), ProfileFactory()
    ProfileAddressFactory(profile=resident, iso="NZ")
    recalculate_waiting(moment=moment)
    region.name = "Oceania"
    staff.begin()
    staff.do(RegionMemberFactory, region_id=region.pk, region=None, iso="NZ")

    renamed = worker.start(region.save)
    worker.wait_until_blocked()
    staff.commit()
    renamed.result(LIMIT)

    while recalculate_waiting(moment=moment):
        pass
    assert differences([resident.pk], moment=moment) == []

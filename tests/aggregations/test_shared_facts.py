"""A change of what many share, while somebody begins to share it who was not seen by the change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from django.db.models import Model

from aggregations import outbox
from aggregations.calculation import recalculate
from aggregations.models import RecalculationRequest, SharedChange
from aggregations.outbox import recalculate_waiting
from locations.models import Brand, Location, LocationAddress, RegionMember
from profiles.models import Profile, Tier
from tests.concurrency import Session, another_session, impatient
from tests.editing import edit
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
from tests.waiting import forget_who_waits, who_waits, work_off

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
SHARED: dict[str, tuple[Callable[[], Model], dict[str, object], Share]] = {
    "a brand's name": (lambda: BrandFactory(name="Acme"), {"name": "Zest"}, buy_brand),
    "a tier's rank": (
        lambda: TierFactory.create_batch(2, sort_order=5)[0],
        {"sort_order": 9},
        hold_tiers,
    ),
    "a place's country": (
        lambda: LocationFactory(country_iso_3="AUS"),
        {"country_iso_3": "NZL"},
        prefer,
    ),
    "a place's address": (lambda: LocationAddressFactory(iso="AU"), {"iso": "NZ"}, buy_there),
    "a region's country": (
        lambda: RegionMemberFactory(iso="NZ"),
        {"region": lambda: RegionFactory(name="Pacific")},
        live_in_country,
    ),
}


each_that_is_shared = pytest.mark.parametrize(
    ("make", "change", "share"), SHARED.values(), ids=SHARED
)


@pytest.fixture
def staff() -> Iterator[Session]:
    with another_session() as session:
        yield session


@each_that_is_shared
def test_who_begins_to_share_it_meanwhile_is_recalculated_after_it(
    moment: datetime,
    staff: Session,
    make: Callable[[], Model],
    change: dict[str, object],
    share: Share,
) -> None:
    profile, shared = ProfileFactory(), make()
    work_off(moment=moment)
    staff.begin()
    staff.do(edit, shared, **change)
    share(profile, type(shared).objects.get(pk=shared.pk))
    work_off(moment=moment)

    staff.commit()

    work_off(moment=moment)
    assert differences([profile.pk], moment=moment) == []
    assert who_waits() == set()


@each_that_is_shared
def test_who_was_read_before_it_and_is_written_after_it_is_recalculated_once_more(
    moment: datetime,
    staff: Session,
    make: Callable[[], Model],
    change: dict[str, object],
    share: Share,
) -> None:
    """The recalculation has read what is about to change, and commits when it has changed."""
    profile, shared = ProfileFactory(), make()
    share(profile, shared)
    staff.begin()
    staff.do(recalculate_waiting, moment=moment)
    edit(shared, **change)
    outbox.hand_out()

    staff.commit()

    work_off(moment=moment)
    assert differences([profile.pk], moment=moment) == []
    assert who_waits() == set()


@pytest.mark.parametrize("first", ["the country", "the name"])
def test_a_country_that_joins_a_region_is_seen_by_the_regions_new_name(
    moment: datetime, staff: Session, first: str
) -> None:
    """Neither change sees the other one, whichever is committed and handed out first."""
    region, resident = RegionFactory(name="Pacific"), ProfileFactory()
    ProfileAddressFactory(profile=resident, iso="NZ")
    work_off(moment=moment)
    region.name = "Oceania"
    changes = {
        "the country": lambda: RegionMemberFactory(region_id=region.pk, region=None, iso="NZ"),
        "the name": region.save,
    }
    staff.begin()
    staff.do(changes.pop(first))
    (other,) = changes.values()

    other()
    work_off(moment=moment)
    staff.commit()

    work_off(moment=moment)
    assert differences([resident.pk], moment=moment) == []


class TestAChangeOfWhatManyShare:
    @pytest.fixture
    def brand(self) -> Brand:
        return BrandFactory(name="Acme")

    @pytest.fixture
    def buyers(self, brand: Brand, moment: datetime) -> list[Profile]:
        buyers = ProfileFactory.create_batch(3)
        for buyer in buyers:
            buy_brand(buyer, brand)
        work_off(moment=moment)
        return buyers

    def test_waits_for_no_recalculation(
        self, brand: Brand, buyers: list[Profile], moment: datetime, staff: Session
    ) -> None:
        staff.begin()
        staff.do(recalculate, profile_ids=[buyer.pk for buyer in buyers], moment=moment)

        with impatient():
            edit(brand, name="Zest")

        staff.commit()
        work_off(moment=moment)
        assert differences([buyer.pk for buyer in buyers], moment=moment) == []

    def test_makes_no_recalculation_wait(
        self, brand: Brand, buyers: list[Profile], moment: datetime, staff: Session
    ) -> None:
        staff.begin()
        staff.do(edit, brand, name="Zest")

        with impatient():
            recalculate(profile_ids=[buyer.pk for buyer in buyers], moment=moment)

        staff.commit()
        work_off(moment=moment)
        assert differences([buyer.pk for buyer in buyers], moment=moment) == []

    def test_costs_who_makes_it_one_row_however_many_share_it(
        self, brand: Brand, buyers: list[Profile]
    ) -> None:
        edit(brand, name="Zest")

        change = SharedChange.objects.get()
        assert (change.kind, change.key) == (SharedChange.Kind.BRAND, str(brand.pk))
        assert not RecalculationRequest.objects.exists()

    def test_is_handed_out_to_each_once_in_the_bulk_lane_with_its_age(
        self, brand: Brand, buyers: list[Profile]
    ) -> None:
        buy_brand(buyers[0], brand)
        forget_who_waits()
        edit(brand, name="Zest")
        asked_at = SharedChange.objects.get().changed_at

        assert outbox.hand_out() == 1

        waiting = RecalculationRequest.objects.values_list("profile_id", "lane", "requested_at")
        bulk = RecalculationRequest.Lane.BULK
        assert sorted(waiting) == sorted((buyer.pk, bulk, asked_at) for buyer in buyers)
        assert outbox.hand_out() == 0

    def test_is_not_handed_out_before_it_is_committed(
        self, brand: Brand, buyers: list[Profile], staff: Session
    ) -> None:
        staff.begin()
        staff.do(edit, brand, name="Zest")

        assert outbox.hand_out() == 0

        staff.commit()
        assert outbox.hand_out() == 1

    def test_that_one_worker_hands_out_is_left_to_it_by_the_others(
        self, brand: Brand, buyers: list[Profile], staff: Session
    ) -> None:
        edit(brand, name="Zest")
        staff.begin()
        assert staff.do(outbox.hand_out) == 1

        with impatient():
            assert outbox.hand_out() == 0

        staff.roll_back()
        assert outbox.hand_out() == 1

    def test_that_nobody_shares_asks_for_nobody(self) -> None:
        edit(BrandFactory(), name="Zest")

        assert who_waits() == set()

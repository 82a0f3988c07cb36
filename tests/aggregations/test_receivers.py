"""Whose recalculation a change of any row asks for, and that no more than that is needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.test.utils import CaptureQueriesContext

from aggregations import outbox
from aggregations.calculation import recalculate
from aggregations.models import RecalculationRequest
from locations.models import Brand, Location, LocationAddress, Region, RegionMember
from profiles.models import (
    Currency,
    Profile,
    ProfileAddress,
    ProfileTier,
    Tier,
    Transaction,
    TransactionItem,
)
from profiles.signals import history_changed
from tests.editing import edit
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
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
    utc,
)
from tests.oracle import differences
from tests.waiting import forget_who_waits, who_waits, work_off

pytestmark = pytest.mark.django_db

NOBODY: set[str] = set()


@dataclass
class Town:
    """People who have to do with places, brands and tiers in every way that a row looks at.

    The buyer, referred by the friend, buys at the store and holds gold; the member joined there,
    the fan prefers it, the resident lives in its country. The stranger buys elsewhere.
    """

    buyer: Profile
    member: Profile
    fan: Profile
    resident: Profile
    friend: Profile
    stranger: Profile
    store: Location
    store_address: LocationAddress
    kiosk: Location
    anz: Region
    australia: RegionMember
    dollar: Currency
    brand: Brand
    other_brand: Brand
    gold: Tier
    silver: Tier
    sale: Transaction
    item: TransactionItem
    sale_of_stranger: Transaction
    holding: ProfileTier
    address: ProfileAddress
    moment: datetime
    people: dict[str, UUID] = field(init=False)

    def __post_init__(self) -> None:
        self.people = {
            name: value.pk for name, value in vars(self).items() if isinstance(value, Profile)
        }

    def settle(self) -> None:
        """Make every row true and forget every request."""
        recalculate(profile_ids=self.people.values(), moment=self.moment)
        forget_who_waits()

    def requested(self) -> set[str]:
        """Return who waits for a recalculation."""
        names = {profile_id: name for name, profile_id in self.people.items()}
        return {names[profile_id] for profile_id in who_waits()}

    def wrong_rows(self) -> list[str]:
        """Work the outbox off and return what the rows say wrongly then."""
        work_off(moment=self.moment)
        left = Profile.objects.values_list("pk", flat=True)
        return differences(list(left), moment=self.moment)


@pytest.fixture
def town(moment: datetime) -> Town:
    anz = RegionFactory(name="ANZ")
    australia = RegionMemberFactory(region=anz, iso="AU")
    store = LocationFactory(name="Collins Street", timezone="Australia/Melbourne")
    store_address = LocationAddressFactory(location=store, iso="AU", iso_state="AU-VIC")
    kiosk = LocationFactory(name="Airport", country_iso_3="NZL")
    brand, other_brand = BrandFactory(name="Acme"), BrandFactory(name="Zest")
    gold, silver = TierFactory(sort_order=1), TierFactory(sort_order=2)
    friend = ProfileFactory(joined_at=utc("2024-01-01"))
    buyer = ProfileFactory(joined_at=utc("2025-01-15"), referred_by=friend)
    stranger = ProfileFactory(joined_at=utc("2025-01-15"))
    # Late in the evening in UTC: another date in Melbourne.
    sale = TransactionFactory(profile=buyer, location=store, at="2025-05-01 20:00")
    sale_of_stranger = TransactionFactory(profile=stranger, location=kiosk, at="2025-05-01 20:00")
    holding = ProfileTierFactory(profile=buyer, tier=gold)
    ProfileTierFactory(profile=buyer, tier=silver)
    resident = ProfileFactory(joined_at=utc("2025-01-15"))
    town = Town(
        buyer=buyer,
        member=ProfileFactory(joined_at=utc("2025-01-15"), joined_location=store),
        fan=ProfileFactory(joined_at=utc("2025-01-15"), preferred_location=store),
        resident=resident,
        friend=friend,
        stranger=stranger,
        store=store,
        store_address=store_address,
        kiosk=kiosk,
        anz=anz,
        australia=australia,
        dollar=CurrencyFactory(rate="0.65"),
        brand=brand,
        other_brand=other_brand,
        gold=gold,
        silver=silver,
        sale=sale,
        item=TransactionItemFactory(transaction=sale, brand=brand),
        sale_of_stranger=sale_of_stranger,
        holding=holding,
        address=ProfileAddressFactory(profile=resident, iso="AU", iso_state="AU-NSW"),
        moment=moment,
    )
    town.settle()
    return town


def table(row: Model) -> QuerySet:
    return type(row).objects.filter(pk=row.pk)


CHANGES: dict[str, tuple[Callable[[Town], Any], set[str]]] = {
    # Transactions
    "a transaction is made": (
        lambda town: TransactionFactory(profile=town.member),
        {"member"},
    ),
    "a transaction has another total": (
        lambda town: edit(town.sale, total=7),
        {"buyer"},
    ),
    "a transaction is made void": (
        lambda town: edit(town.sale, is_void=True),
        {"buyer"},
    ),
    "a transaction was made at another time": (
        lambda town: edit(town.sale, transacted_at=utc("2020-02-29 09:00")),
        {"buyer"},
    ),
    "a transaction has another currency": (
        lambda town: edit(town.sale, currency=town.dollar),
        {"buyer"},
    ),
    "a transaction was made elsewhere": (
        lambda town: edit(town.sale, location=town.kiosk),
        {"buyer"},
    ),
    "a transaction moves to another profile, with its items": (
        lambda town: edit(town.sale, profile=town.member),
        {"buyer", "member"},
    ),
    "a transaction is deleted, with its items": (
        lambda town: town.sale.delete(),
        {"buyer"},
    ),
    "transactions are deleted by a query": (
        lambda town: Transaction.objects.all().delete(),
        {"buyer", "stranger"},
    ),
    # Items
    "an item is added": (
        lambda town: TransactionItemFactory(
            transaction=town.sale_of_stranger, brand=town.other_brand
        ),
        {"stranger"},
    ),
    "an item is of another brand": (
        lambda town: edit(town.item, brand=town.other_brand),
        {"buyer"},
    ),
    "an item is given back": (
        lambda town: edit(town.item, quantity=-1),
        {"buyer"},
    ),
    "an item moves to another's transaction": (
        lambda town: edit(town.item, transaction=town.sale_of_stranger),
        {"buyer", "stranger"},
    ),
    "an item is deleted": (
        lambda town: town.item.delete(),
        {"buyer"},
    ),
    "items are deleted by a query": (
        lambda town: TransactionItem.objects.all().delete(),
        {"buyer"},
    ),
    # Tiers
    "a tier is given": (
        lambda town: ProfileTierFactory(profile=town.stranger, tier=town.silver),
        {"stranger"},
    ),
    "another tier was held": (
        lambda town: edit(town.holding, tier=town.silver),
        {"buyer"},
    ),
    "a tier was held by another profile": (
        lambda town: edit(town.holding, profile=town.stranger),
        {"buyer", "stranger"},
    ),
    "the holding of a tier is deleted": (
        lambda town: town.holding.delete(),
        {"buyer"},
    ),
    "holdings are deleted by a query": (
        lambda town: table(town.holding).delete(),
        {"buyer"},
    ),
    "a tier ranks otherwise": (
        lambda town: edit(town.gold, sort_order=3),
        {"buyer"},
    ),
    "a tier has another name": (
        lambda town: edit(town.gold, name="Golden"),
        NOBODY,
    ),
    "a tier that nobody held is made and deleted": (
        lambda town: TierFactory(sort_order=0).delete(),
        NOBODY,
    ),
    # Profiles
    "a profile joined at another time": (
        lambda town: edit(town.buyer, joined_at=utc("2020-01-01")),
        {"buyer"},
    ),
    "a profile joined elsewhere": (
        lambda town: edit(town.member, joined_location=town.kiosk),
        {"member"},
    ),
    "a profile prefers another location": (
        lambda town: edit(town.fan, preferred_location=town.kiosk),
        {"fan"},
    ),
    "a profile has another name": (
        lambda town: edit(town.buyer, first_name="Anna"),
        NOBODY,
    ),
    "a referral is added": (
        lambda town: edit(town.stranger, referred_by=town.fan),
        {"fan"},
    ),
    "a referral moves to another": (
        lambda town: edit(town.buyer, referred_by=town.fan),
        {"fan", "friend"},
    ),
    "a referral is removed": (
        lambda town: edit(town.buyer, referred_by=None),
        {"friend"},
    ),
    # Addresses of profiles
    "an address is added": (
        lambda town: ProfileAddressFactory(profile=town.stranger, iso="NZ"),
        {"stranger"},
    ),
    "an address is in another country": (
        lambda town: edit(town.address, iso="NZ", iso_state=None),
        {"resident"},
    ),
    "an address is the default": (
        lambda town: edit(town.address, is_default=True),
        {"resident"},
    ),
    "an address moves to another profile": (
        lambda town: edit(town.address, profile=town.stranger),
        {"resident", "stranger"},
    ),
    "an address is deleted": (
        lambda town: town.address.delete(),
        {"resident"},
    ),
    "addresses are deleted by a query": (
        lambda town: ProfileAddress.objects.all().delete(),
        {"resident"},
    ),
    # Brands
    "a brand has another name": (
        lambda town: edit(town.brand, name="Åcme"),
        {"buyer"},
    ),
    "a brand has another address on the web": (
        lambda town: edit(town.brand, url="https://example.com"),
        NOBODY,
    ),
    "a brand that nobody bought is made and deleted": (
        lambda town: BrandFactory().delete(),
        NOBODY,
    ),
    # Locations
    "a location has another name": (
        lambda town: edit(town.store, name="Bourke Street"),
        {"buyer", "member", "fan"},
    ),
    "a location has another time zone": (
        lambda town: edit(town.kiosk, timezone="Pacific/Auckland"),
        {"stranger"},
    ),
    "a location has no time zone any more": (
        lambda town: edit(town.store, timezone=None),
        {"buyer", "member", "fan"},
    ),
    "a location has a region of its own": (
        lambda town: edit(town.store, region=RegionFactory(name="Victoria")),
        {"buyer", "member", "fan"},
    ),
    "a location has another country": (
        lambda town: edit(town.kiosk, country_iso_3="FJI"),
        {"stranger"},
    ),
    "a location has another phone": (
        lambda town: edit(town.store, phone="03 9650 0000"),
        NOBODY,
    ),
    "a location that nobody knows is made and deleted": (
        lambda town: LocationAddressFactory().location.delete(),
        NOBODY,
    ),
    "a location gets an address": (
        lambda town: LocationAddressFactory(location=town.kiosk, iso="US", iso_state="US-NY"),
        {"stranger"},
    ),
    "a location's address is in another state": (
        lambda town: edit(town.store_address, iso_state="AU-NSW"),
        {"buyer", "member", "fan"},
    ),
    "a location's address has another street": (
        lambda town: edit(town.store_address, address_line_1="1 Collins Street"),
        NOBODY,
    ),
    "a location's address moves to another location": (
        lambda town: edit(town.store_address, location=town.kiosk),
        {"buyer", "member", "fan", "stranger"},
    ),
    "a location's address is deleted": (
        lambda town: town.store_address.delete(),
        {"buyer", "member", "fan"},
    ),
    "locations' addresses are deleted by a query": (
        lambda town: LocationAddress.objects.all().delete(),
        {"buyer", "member", "fan"},
    ),
    # Regions
    "a region has another name": (
        lambda town: edit(town.anz, name="Oceania"),
        {"buyer", "member", "fan", "resident"},
    ),
    "a region that only a location names has another name": (
        lambda town: [
            edit(town.kiosk, region=RegionFactory(name="Airports")),
            town.settle(),
            edit(town.kiosk.region, name="Airside"),
        ],
        {"stranger"},
    ),
    "a region that nobody names has another name": (
        lambda town: edit(RegionFactory(), name="Nowhere"),
        NOBODY,
    ),
    "a region is the default": (
        lambda town: edit(town.anz, is_default=True),
        NOBODY,
    ),
    "a region without members is made and deleted": (
        lambda town: RegionFactory().delete(),
        NOBODY,
    ),
    "a region is deleted, with its members": (
        lambda town: town.anz.delete(),
        {"buyer", "member", "fan", "resident"},
    ),
    "a state joins a region": (
        lambda town: RegionMemberFactory(iso="AU-VIC"),
        {"buyer", "member", "fan"},
    ),
    "a country joins a region by its three letters": (
        lambda town: RegionMemberFactory(region=town.anz, iso="NZ"),
        {"stranger"},
    ),
    "a country moves to another region": (
        lambda town: edit(town.australia, region=RegionFactory(name="Down under")),
        {"buyer", "member", "fan", "resident"},
    ),
    "a member of a region becomes another country": (
        lambda town: edit(town.australia, iso="NZ"),
        {"buyer", "member", "fan", "resident", "stranger"},
    ),
    "a member of a region is saved as it was": (
        lambda town: town.australia.save(),
        NOBODY,
    ),
    "a country leaves its region": (
        lambda town: town.australia.delete(),
        {"buyer", "member", "fan", "resident"},
    ),
    # Around save()
    "a path around save() names whom it changed": (
        lambda town: [
            table(town.sale).update(total=7),
            history_changed.send(sender=Transaction, profile_ids={town.buyer.pk}),
        ],
        {"buyer"},
    ),
}


@pytest.mark.parametrize(("change", "touched"), CHANGES.values(), ids=CHANGES)
def test_recalculation_is_requested_for_whom_it_touches(
    town: Town, change: Callable[[Town], Any], touched: set[str]
) -> None:
    change(town)

    assert town.requested() == touched
    assert town.wrong_rows() == []


def test_a_new_profile_is_requested(town: Town) -> None:
    new = ProfileFactory(referred_by=town.fan)

    assert who_waits() == {new.pk, town.fan.pk}
    assert town.wrong_rows() == []


@pytest.mark.parametrize("delete", [Profile.delete, lambda profile: table(profile).delete()])
def test_a_deleted_profile_leaves_its_referrer_to_recalculate_and_nothing_behind(
    town: Town, delete: Callable[[Profile], Any]
) -> None:
    delete(Profile.objects.get(pk=town.buyer.pk))

    assert town.requested() == {"buyer", "friend"}
    assert town.wrong_rows() == []
    assert who_waits() == set()


def test_the_deletion_of_a_referrer_is_nothing_to_whom_they_referred(town: Town) -> None:
    table(town.friend).delete()

    assert town.requested() == {"friend"}
    assert town.wrong_rows() == []


class TestAnObjectThatIsOlderThanItsRow:
    """Somebody else has changed the row since it was loaded: what it really held counts."""

    CHANGES: dict[str, tuple[Callable[[Town], Model], dict[str, Any], set[str]]] = {
        "a transaction, moved": (lambda town: town.sale, {"profile_id": "stranger"}, {"stranger"}),
        "an address, moved": (lambda town: town.address, {"profile_id": "stranger"}, {"stranger"}),
        "the holding of a tier, moved": (
            lambda town: town.holding,
            {"profile_id": "stranger"},
            {"stranger"},
        ),
        "a profile, referred by another": (
            lambda town: town.buyer,
            {"referred_by_id": "fan"},
            {"fan"},
        ),
    }

    @pytest.mark.parametrize(("row_of", "moved_to", "owner"), CHANGES.values(), ids=CHANGES)
    def test_is_requested_for_the_real_owner_when_it_is_deleted(
        self,
        town: Town,
        row_of: Callable[[Town], Model],
        moved_to: dict[str, str],
        owner: set[str],
    ) -> None:
        row = row_of(town)
        edit(table(row).get(), **{name: town.people[who] for name, who in moved_to.items()})
        town.settle()

        row.delete()

        assert owner <= town.requested()
        assert town.wrong_rows() == []

    @pytest.mark.parametrize(("row_of", "moved_to", "owner"), CHANGES.values(), ids=CHANGES)
    def test_is_requested_for_the_real_owner_when_it_is_saved(
        self,
        town: Town,
        row_of: Callable[[Town], Model],
        moved_to: dict[str, str],
        owner: set[str],
    ) -> None:
        row = row_of(town)
        edit(table(row).get(), **{name: town.people[who] for name, who in moved_to.items()})
        town.settle()

        row.save()

        assert owner <= town.requested()
        assert town.wrong_rows() == []

    def test_an_item_follows_its_transaction_to_the_new_owner(self, town: Town) -> None:
        edit(Transaction.objects.get(pk=town.sale.pk), profile=town.stranger)
        town.settle()

        edit(town.item, brand=town.other_brand)

        assert "stranger" in town.requested()
        assert town.wrong_rows() == []

    @pytest.mark.parametrize(
        ("row_of", "meanwhile", "touched"),
        [
            (lambda town: town.gold, {"sort_order": 5}, {"buyer"}),
            (lambda town: town.brand, {"name": "Brand new"}, {"buyer"}),
            (lambda town: town.store, {"timezone": "Asia/Tokyo"}, {"buyer", "member", "fan"}),
            (lambda town: town.store_address, {"iso": "NZ", "iso_state": None}, {"buyer"}),
            (lambda town: town.anz, {"name": "Elsewhere"}, {"buyer", "resident"}),
            (lambda town: town.australia, {"iso": "NZ"}, {"buyer", "resident", "stranger"}),
        ],
        ids=["tier", "brand", "location", "address", "region", "member"],
    )
    def test_is_noticed_where_saving_it_takes_a_change_back(
        self,
        town: Town,
        row_of: Callable[[Town], Model],
        meanwhile: dict[str, Any],
        touched: set[str],
    ) -> None:
        row = row_of(town)
        edit(table(row).get(), **meanwhile)
        town.settle()

        row.save()

        assert touched <= town.requested()
        assert town.wrong_rows() == []


class TestAFixture:
    """`loaddata` saves rows as they are, past `save()`."""

    @pytest.fixture
    def load(self, tmp_path: Path) -> Iterator[Callable[..., None]]:
        def load(row: Model, **values: Any) -> None:
            (dumped,) = json.loads(serializers.serialize("json", [row]))
            dumped["pk"] = values.pop("pk", dumped["pk"])
            dumped["fields"] |= values
            file = tmp_path / "rows.json"
            file.write_text(json.dumps([dumped]))
            call_command("loaddata", str(file), verbosity=0)

        return load

    CHANGES: dict[str, tuple[Callable[[Town], Model], dict[str, Any], set[str]]] = {
        "a transaction's total": (lambda town: town.sale, {"total": "7"}, {"buyer"}),
        "a transaction's profile": (
            lambda town: town.sale,
            {"profile": "stranger"},
            {"buyer", "stranger"},
        ),
        "a new transaction": (
            lambda town: town.sale,
            {"pk": 0, "profile": "member"},
            {"member"},
        ),
        "an item's quantity": (lambda town: town.item, {"quantity": "-1"}, {"buyer"}),
        "a holding's profile": (
            lambda town: town.holding,
            {"profile": "stranger"},
            {"buyer", "stranger"},
        ),
        "an address's profile": (
            lambda town: town.address,
            {"profile": "stranger"},
            {"resident", "stranger"},
        ),
        # A fixture keeps times to the millisecond, so that this one moves `created_at` as well.
        "a profile's referrer": (
            lambda town: town.buyer,
            {"referred_by": "fan"},
            {"buyer", "friend", "fan"},
        ),
        "a profile's joining": (
            lambda town: town.buyer,
            {"joined_at": "2020-01-01T00:00Z"},
            {"buyer"},
        ),
        "a tier's rank": (lambda town: town.gold, {"sort_order": 3}, {"buyer"}),
        "a brand's name": (lambda town: town.brand, {"name": "Zzz"}, {"buyer"}),
        "a location's time zone": (
            lambda town: town.kiosk,
            {"timezone": "Pacific/Auckland"},
            {"stranger"},
        ),
        "a location's state": (
            lambda town: town.store_address,
            {"iso_state": "AU-NSW"},
            {"buyer", "member", "fan"},
        ),
        "a region's name": (
            lambda town: town.anz,
            {"name": "Oceania"},
            {"buyer", "member", "fan", "resident"},
        ),
        "a region's country": (
            lambda town: town.australia,
            {"iso": "NZ"},
            {"buyer", "member", "fan", "resident", "stranger"},
        ),
    }

    @pytest.mark.parametrize(("row_of", "values", "touched"), CHANGES.values(), ids=CHANGES)
    def test_is_requested_for_whom_it_touches(
        self,
        town: Town,
        load: Callable[..., None],
        row_of: Callable[[Town], Model],
        values: dict[str, Any],
        touched: set[str],
    ) -> None:
        people = {name: str(profile_id) for name, profile_id in town.people.items()}

        load(row_of(town), **{name: people.get(value, value) for name, value in values.items()})

        assert town.requested() == touched
        assert town.wrong_rows() == []

    def test_that_changes_nothing_of_a_place_asks_for_nothing(
        self, town: Town, load: Callable[..., None]
    ) -> None:
        load(town.store)

        assert town.requested() == NOBODY


class TestALocationThatMovesToAnotherTimeZone:
    def test_cuts_the_days_of_its_transactions_anew(self, town: Town) -> None:
        assert Transaction.objects.get(pk=town.sale.pk).shop_date.isoformat() == "2025-05-02"

        edit(town.store, timezone="America/New_York")

        assert Transaction.objects.get(pk=town.sale.pk).shop_date.isoformat() == "2025-05-01"

    def test_leaves_those_that_name_a_time_zone_of_their_own(self, town: Town) -> None:
        edit(town.sale, timezone="Australia/Sydney")

        edit(town.store, timezone="America/New_York")

        assert Transaction.objects.get(pk=town.sale.pk).shop_date.isoformat() == "2025-05-02"
        assert town.wrong_rows() == []


class TestTheRequest:
    def test_is_taken_back_with_the_change(self, town: Town) -> None:
        with transaction.atomic():
            edit(town.sale, total=7)
            transaction.set_rollback(True)

        assert town.requested() == NOBODY

    def test_goes_before_those_of_a_change_that_touches_many(self, town: Town) -> None:
        edit(town.brand, name="Zzz")
        edit(town.address, is_default=True)
        outbox.hand_out()

        lanes = dict(RecalculationRequest.objects.values_list("profile_id", "lane"))
        assert lanes == {
            town.buyer.pk: outbox.Lane.BULK,
            town.resident.pk: outbox.Lane.LIVE,
        }

    def test_costs_the_same_however_many_a_change_touches(self, town: Town) -> None:
        with CaptureQueriesContext(connection) as for_few:
            edit(town.store, name="Bourke Street")
        TransactionFactory.create_batch(20, location=town.store)

        with CaptureQueriesContext(connection) as for_many:
            edit(town.store, name="Flinders Street")

        assert len(for_many) == len(for_few)

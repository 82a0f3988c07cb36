"""Each thing that a writer does, once: by the functions and models that the product is used by."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from locations.models import Brand, Location, LocationAddress, Region, RegionMember
from profiles.ingestion import Posted, Status, delete_transaction, upsert_transactions
from profiles.living import LIVING
from profiles.merging import merge, purge
from profiles.models import (
    Currency,
    Profile,
    ProfileAddress,
    ProfileTier,
    Tier,
    Transaction,
    TransactionItem,
)
from profiles.queueing import accept
from profiles.signals import history_changed
from profiles.tasks import nudge_ingestion
from tests.histories import QUANTITIES, STORED_ADDRESSES, SYSTEMS, TIMEZONES, TOTALS
from tests.soak.writing import GoneError

KNOWN_FOR = 2  # seconds that the list of profiles is kept
EXTERNAL_IDS = 5000  # few, so that writers often mean the same sale


class RefusedError(Exception):
    """A body that is right came back with errors."""


class Choice:
    """Picks at random what is written to; half of the time one of a few profiles."""

    def __init__(self, random: Random, *, hot: int) -> None:
        self.random, self._hot = random, hot
        self._profiles: list[UUID] = []
        self._read_at = 0.0

    def profile_id(self) -> UUID:
        if time.monotonic() - self._read_at > KNOWN_FOR:
            self._profiles = list(LIVING.order_by("created_at", "id").values_list("pk", flat=True))
            self._read_at = time.monotonic()
        few = self._profiles[: self._hot] if self.random.random() < 0.5 else self._profiles
        return self.random.choice(few)

    def cold_profile_id(self) -> UUID:
        self.profile_id()
        return self.random.choice(self._profiles[self._hot :])

    def profile(self) -> Profile:
        return LIVING.get(pk=self.profile_id())

    def sale(self) -> Transaction:
        """One of somebody's, wherever in time."""
        sales = Transaction.objects.filter(profile=self.profile_id())
        sale = sales.filter(transacted_at__gte=self.moment()).order_by("transacted_at").first()
        if (found := sale or sales.order_by("-transacted_at").first()) is None:
            raise GoneError
        return found

    def one_of(self, model: type[Model]) -> Any:
        return self.random.choice(list(model._default_manager.order_by("pk")))

    def key_of(self, model: type[Model]) -> int | None:
        return self.random.choice([None, *model._default_manager.values_list("pk", flat=True)])

    def moment(self) -> datetime:
        """Where a window ends within minutes, just now, in the future, or anywhere."""
        now = timezone.now().replace(microsecond=0)
        near = timedelta(seconds=self.random.randint(-60, 300))
        months = self.random.choice([0, 0, 3, 6, 12, 24])
        anywhere = timedelta(seconds=self.random.randint(-80_000_000, 10_000_000))
        return (
            now + (anywhere if self.random.random() < 0.4 else near) - relativedelta(months=months)
        )

    def row(self, profile_id: UUID) -> dict[str, Any]:
        """The columns of a transaction."""
        currency = self.random.choice([None, *Currency.objects.filter(is_system=False)])
        return {
            "profile_id": profile_id,
            "total": self.random.choice(TOTALS),
            "total_original": self.random.choice([None, Decimal("33.33"), Decimal(150)]),
            "transacted_at": self.moment(),
            "location_id": self.key_of(Location),
            "currency": currency,
            "timezone": self.random.choice([None, *TIMEZONES]),
            "systems": self.random.choice(SYSTEMS),
        }

    def body(self) -> dict[str, Any]:
        """A transaction as the API takes it."""
        location = self.random.choice([None, *Location.objects.values_list("pk", flat=True)])
        return {
            "profile_id": str(self.profile_id()),
            "external_id": f"T-{self.random.randrange(EXTERNAL_IDS)}",
            "total": float(self.random.choice(TOTALS)),
            "transacted_at": self.moment().strftime("%Y-%m-%d %H:%M:%S"),
            "location_id": location and str(location),
            "systems": self.random.choice(SYSTEMS),
            "is_void": self.random.random() < 0.1,
            "delete_existing_items": self.random.random() < 0.5,
            "items": [
                {
                    "name": "Line",
                    "brand": f"Brand {self.random.randrange(8)}",
                    "quantity": float(self.random.choice(QUANTITIES)),
                }
                for _ in range(self.random.randrange(3))
            ],
        }

    def bodies(self) -> list[dict[str, Any]]:
        return [self.body() for _ in range(self.random.choice([1, 1, 1, 20]))]


def _posted(bodies: list[dict[str, Any]]) -> list[Posted]:
    return [Posted(each, timezone.now()) for each in bodies]


def _raise_unless_gone(choice: Choice, errors: dict[str, list[str]]) -> None:
    """A profile that was merged away or purged meanwhile is nobody's error."""
    if set(errors) != {"profile_id"}:
        raise RefusedError(errors)


def ingest(choice: Choice) -> None:
    for outcome in upsert_transactions(_posted(choice.bodies()), is_live=True):
        if outcome.status == Status.ERROR:
            _raise_unless_gone(choice, outcome.errors)


def queue(choice: Choice) -> None:
    bodies = choice.bodies()
    with transaction.atomic():
        accept(_posted(bodies), external_ids=[each["external_id"] for each in bodies])
        nudge_ingestion()


def sell(choice: Choice) -> None:
    """A sale by its model, with lines, whose database transaction takes its time."""
    with transaction.atomic():
        sale = Transaction.objects.create(**choice.row(choice.profile_id()))
        time.sleep(choice.random.choice([0, 0, 0.05]))
        TransactionItem.objects.create(
            transaction=sale,
            brand_id=choice.key_of(Brand),
            quantity=choice.random.choice(QUANTITIES),
        )


def edit(choice: Choice) -> None:
    sale = choice.sale()
    for name, value in choice.row(sale.profile_id).items():
        setattr(sale, name, value)
    sale.save(force_update=True)


def void_or_not(choice: Choice) -> None:
    sale = choice.sale()
    sale.is_void = not sale.is_void
    if not Transaction.objects.filter(pk=sale.pk).exists():
        raise GoneError
    sale.save(update_fields=["is_void"])


def delete(choice: Choice) -> None:
    delete_transaction(choice.sale().pk)


def move(choice: Choice) -> None:
    sale = choice.sale()
    sale.profile = choice.profile()
    sale.save(update_fields=["profile"])


def load_in_bulk(choice: Choice) -> None:
    """A path around `save()`, as an import takes it."""
    profile_ids = [choice.profile_id() for _ in range(50)]
    zones = [choice.random.choice(TIMEZONES) for _ in profile_ids]
    with transaction.atomic():
        sales = Transaction.objects.bulk_create(
            Transaction(
                **choice.row(each) | {"currency": None, "timezone": zone},
                currency_rate=1,
                shop_timezone=zone,
            )
            for each, zone in zip(profile_ids, zones, strict=True)
        )
        TransactionItem.objects.bulk_create(
            TransactionItem(
                transaction=sale,
                profile_id=sale.profile_id,
                is_purchase=sale.total > 0,
                brand_id=choice.key_of(Brand),
            )
            for sale in sales
        )
        history_changed.send(sender=None, profile_ids=profile_ids)


def merge_two(choice: Choice) -> None:
    source, destination = choice.cold_profile_id(), choice.profile_id()
    if source == destination:
        raise GoneError
    merge(source_id=source, destination_id=destination, moment=timezone.now())
    join(choice)


def join(choice: Choice) -> None:
    days = choice.random.choice([90, 91, 365, 366, 730, 1, 500])
    Profile.objects.create(
        joined_at=timezone.now() - timedelta(days=days, seconds=choice.random.randint(-90, 90)),
        joined_location_id=choice.key_of(Location),
    )


def forget(choice: Choice) -> None:
    purge(profile_id=choice.cold_profile_id())
    join(choice)


def refer(choice: Choice) -> None:
    profile, referrer = choice.profile(), choice.profile_id()
    profile.referred_by_id = None if referrer == profile.pk else referrer
    profile.preferred_location_id = choice.key_of(Location)
    profile.save(update_fields=["referred_by", "preferred_location"])


def change_address(choice: Choice) -> None:
    profile = choice.profile()
    if choice.random.random() < 0.4 and (address := profile.addresses.first()):
        address.delete()
        return
    iso, state = choice.random.choice(STORED_ADDRESSES)
    is_default = choice.random.random() < 0.3
    ProfileAddress.objects.create(profile=profile, iso=iso, iso_state=state, is_default=is_default)


def change_tier(choice: Choice) -> None:
    profile = choice.profile()
    if choice.random.random() < 0.4 and (holding := profile.tiers.first()):
        holding.delete()
        return
    ProfileTier.objects.create(
        profile=profile, tier=choice.one_of(Tier), started_at=choice.moment()
    )


def change_what_is_shared(choice: Choice) -> None:
    row = choice.one_of(
        choice.random.choice([Brand, Tier, Location, LocationAddress, Region, RegionMember])
    )
    match row:
        case Tier():
            row.sort_order = choice.random.randrange(5)
        case LocationAddress():
            row.iso, row.iso_state = choice.random.choice([("AU", "AU-VIC"), ("NZ", None)])
        case Location():
            row.timezone = choice.random.choice([None, *TIMEZONES])
            row.name = f"Store {choice.random.randrange(1000)}"
        case RegionMember():
            row.region = choice.one_of(Region)
        case Region():
            row.name = f"Region {choice.random.randrange(1000)}"
        case Brand():
            row.name = f"Brand {choice.random.randrange(1000)}"
    row.save()


ACTIONS = {
    ingest: 20,
    queue: 6,
    sell: 20,
    edit: 12,
    void_or_not: 12,
    delete: 8,
    move: 8,
    load_in_bulk: 2,
    merge_two: 2,
    join: 1,
    forget: 1,
    refer: 4,
    change_address: 5,
    change_tier: 5,
    change_what_is_shared: 1,
}

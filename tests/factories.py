"""Rows for tests. A factory fills in what a row cannot do without, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import factory
from factory.django import DjangoModelFactory

from locations.models import (
    Brand,
    Department,
    Location,
    LocationAddress,
    NormalHours,
    Region,
    RegionMember,
    SpecialHours,
)
from profiles.models import (
    Currency,
    Identity,
    Profile,
    ProfileAddress,
    ProfileBatch,
    ProfileBatchRow,
    ProfileTier,
    QueuedTransaction,
    Tier,
    Transaction,
    TransactionItem,
)

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def invented_code(number: int) -> str:
    """Return the code of a currency that is in no list, another for each number below 676."""
    return f"X{LETTERS[number // 26 % 26]}{LETTERS[number % 26]}"


def utc(text: str) -> datetime:
    """Return the moment that a text such as `2025-06-01 12:00` names in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class RegionFactory(DjangoModelFactory):
    class Meta:
        model = Region

    name = factory.Sequence(lambda number: f"Region {number}")
    handle = factory.Sequence(lambda number: f"region-{number}")


class RegionMemberFactory(DjangoModelFactory):
    class Meta:
        model = RegionMember

    region = factory.SubFactory(RegionFactory)
    iso = "AU"


class BrandFactory(DjangoModelFactory):
    class Meta:
        model = Brand

    name = factory.Sequence(lambda number: f"Brand {number}")
    handle = factory.Sequence(lambda number: f"brand-{number}")


class LocationFactory(DjangoModelFactory):
    class Meta:
        model = Location

    name = factory.Sequence(lambda number: f"Store {number}")


class LocationAddressFactory(DjangoModelFactory):
    class Meta:
        model = LocationAddress

    location = factory.SubFactory(LocationFactory)


class NormalHoursFactory(DjangoModelFactory):
    class Meta:
        model = NormalHours

    location = factory.SubFactory(LocationFactory)
    day_of_week = "MON"
    open_at = time(9)
    close_at = time(17)


class SpecialHoursFactory(DjangoModelFactory):
    class Meta:
        model = SpecialHours

    location = factory.SubFactory(LocationFactory)
    name = "Christmas"
    start_at = date(2025, 12, 25)
    end_at = date(2025, 12, 26)


class DepartmentFactory(DjangoModelFactory):
    class Meta:
        model = Department

    location = factory.SubFactory(LocationFactory)
    name = factory.Sequence(lambda number: f"Department {number}")
    handle = factory.Sequence(lambda number: f"department-{number}")


class CurrencyFactory(DjangoModelFactory):
    class Meta:
        model = Currency

    from_code = factory.Sequence(invented_code)
    to_code = "USD"
    rate = 1


class ProfileFactory(DjangoModelFactory):
    class Meta:
        model = Profile


class IdentityFactory(DjangoModelFactory):
    class Meta:
        model = Identity

    profile = factory.SubFactory(ProfileFactory)
    handle = "loyalty"
    identifier = factory.Sequence(lambda number: f"card-{number}")


class ProfileAddressFactory(DjangoModelFactory):
    class Meta:
        model = ProfileAddress

    profile = factory.SubFactory(ProfileFactory)


class TierFactory(DjangoModelFactory):
    class Meta:
        model = Tier

    name = factory.Sequence(lambda number: f"Tier {number}")
    handle = factory.Sequence(lambda number: f"tier-{number}")


class ProfileTierFactory(DjangoModelFactory):
    class Meta:
        model = ProfileTier

    profile = factory.SubFactory(ProfileFactory)
    tier = factory.SubFactory(TierFactory)
    started_at = utc("2024-01-01")


class TransactionFactory(DjangoModelFactory):
    class Meta:
        model = Transaction

    class Params:
        at = "2025-06-01 12:00"

    profile = factory.SubFactory(ProfileFactory)
    total = 100
    transacted_at = factory.LazyAttribute(lambda row: utc(row.at))


class TransactionItemFactory(DjangoModelFactory):
    class Meta:
        model = TransactionItem

    transaction = factory.SubFactory(TransactionFactory)


class QueuedTransactionFactory(DjangoModelFactory):
    class Meta:
        model = QueuedTransaction

    body = factory.Dict({})
    accepted_at = utc("2025-06-01 12:00")


class ProfileBatchFactory(DjangoModelFactory):
    class Meta:
        model = ProfileBatch

    match_criteria = "email"
    accepted_at = utc("2025-06-01 12:00")


class ProfileBatchRowFactory(DjangoModelFactory):
    class Meta:
        model = ProfileBatchRow

    batch = factory.SubFactory(ProfileBatchFactory)
    index = 0

"""Histories made to hurt: on every boundary, in ties, across midnights, with all that is rare.

Hypothesis draws plain descriptions of several profiles, `write` puts them into the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import TypeVar
from uuid import UUID

from dateutil.relativedelta import relativedelta
from hypothesis import strategies as st

from locations.models import Brand, Location
from profiles.models import (
    Currency,
    Profile,
    ProfileAddress,
    ProfileTier,
    Tier,
    Transaction,
    TransactionItem,
)
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
    LocationAddressFactory,
    LocationFactory,
    RegionFactory,
    RegionMemberFactory,
    TierFactory,
)

Row = TypeVar("Row")

MOMENTS = [
    datetime(2025, 7, 1, 12, 34, 56, 789, tzinfo=UTC),
    datetime(2024, 2, 28, 12, tzinfo=UTC),
    datetime(2024, 2, 29, 12, tzinfo=UTC),
    datetime(2025, 2, 28, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2025, 3, 1, tzinfo=UTC),
    datetime(2025, 5, 31, tzinfo=UTC),
    datetime(2024, 12, 31, 16, tzinfo=UTC),
    datetime(2025, 4, 5, 16, tzinfo=UTC),
]
TIMES_OF_DAY = [
    time(0, tzinfo=UTC),
    time(12, tzinfo=UTC),
    time(23, 59, 59, 999999, tzinfo=UTC),
    time(18, 15, tzinfo=UTC),  # midnight in Kathmandu
    time(18, 14, 59, 999999, tzinfo=UTC),
    time(13, 30, tzinfo=UTC),  # either side of midnight in Melbourne, by daylight saving
    time(4, 30, tzinfo=UTC),  # the same in New York
]
TIMEZONES = ["Australia/Melbourne", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"]
TOTALS = [Decimal(text) for text in ("100", "10.05", "0.01", "33.33", "0", "-100", "-10.05")]
ORIGINALS = [None, *(Decimal(text) for text in ("0", "33.33", "40", "0.01", "-5", "150"))]
RATES = [Decimal(text) for text in ("1", "0.5", "1.08123456", "0.00666667", "1234.5")]
SYSTEMS = [[], ["pos"], ["web"], ["pos", "web"], ["kiosk"]]
QUANTITIES = [Decimal(1), Decimal("0.001"), Decimal(0), Decimal(-1)]
STORED_ADDRESSES = [
    ("AU", "AU-VIC"),
    ("AU", "AU-NSW"),
    ("AU", None),
    ("US", "US-NY"),
    ("US", "US-MA"),
    ("NZ", None),
    ("NP", None),
    ("XK", None),  # in use, and not in ISO 3166-1
    (None, None),
]


@dataclass(frozen=True)
class Setting:
    """The places, goods, currencies and tiers that all histories share."""

    locations: Sequence[Location]
    brands: Sequence[Brand]
    currencies: Sequence[Currency]
    tiers: Sequence[Tier]


def make_setting() -> Setting:
    """Make places that resemble each other: namesakes, one region by two ways, none at all."""
    pacific, namesake, australia = (
        RegionFactory(name=name) for name in ("Pacific", "Pacific", "Australia")
    )
    for region, iso in [(australia, "AU"), (pacific, "NZ"), (pacific, "AU-NSW"), (namesake, "US")]:
        RegionMemberFactory(region=region, iso=iso)

    def store(name: str, iso: str | None = None, iso_state: str | None = None, **facts) -> Location:
        location = LocationFactory(name=name, **facts)
        if iso:
            LocationAddressFactory(location=location, iso=iso, iso_state=iso_state)
        return location

    return Setting(
        locations=[
            store("Collins Street", "AU", "AU-VIC", timezone="Australia/Melbourne"),
            store("Chapel Street", "AU", "AU-VIC", timezone="Australia/Melbourne"),
            store("Pitt Street", "AU", "AU-NSW"),
            store("Broadway", "US", "US-NY", timezone="America/New_York"),
            store("Broadway", "US", "US-MA", region=namesake),
            store("Thamel", "NP", timezone="Asia/Kathmandu"),
            store("queen street", country_iso_3="NZL"),
            store("Élysées", "FR", country_iso_3="AUS", region=pacific),
            store("Web shop"),
        ],
        brands=[BrandFactory(name=name) for name in ("Zest", "apple", "Éclat", "Zest", "Apple")],
        currencies=[CurrencyFactory(rate=rate) for rate in (Decimal("1.1"), Decimal("0.0067"))],
        tiers=[TierFactory(sort_order=order) for order in (1, 1, 0, 2, -1)],
    )


# What is drawn: places in the lists of the setting stand for its rows


@dataclass
class Line:
    brand: int | None
    quantity: Decimal
    is_void: bool


@dataclass
class Receipt:
    transacted_at: datetime
    total: Decimal
    total_original: Decimal | None
    currency: int | None
    rate: Decimal
    location: int | None
    timezone: str | None
    systems: list[str]
    is_void: bool
    lines: list[Line]


@dataclass
class Customer:
    joined_at: datetime | None
    created_at: datetime
    joined_location: int | None
    preferred_location: int | None
    referred_by: int | None
    addresses: list[tuple[str | None, str | None]]
    default_address: int | None
    tiers: list[tuple[int, datetime]]
    receipts: list[Receipt] = field(default_factory=list)


def either_side(instant: datetime) -> list[datetime]:
    return [instant + timedelta(microseconds=step) for step in (-1, 0, 1)]


@cache
def boundaries_of_windows(moment: datetime) -> list[datetime]:
    """Return the ends of all windows, and month ends and leap days at telling times of day."""
    ends = [moment, *(moment - relativedelta(months=months) for months in (3, 6, 12, 24))]
    days = [end.date() + timedelta(days=step) for end in ends for step in (-1, 0, 1)]
    days += [datetime(2023, 2, 28).date(), datetime(2024, 2, 28).date()]  # noqa: DTZ001
    days += [datetime(2024, 2, 29).date(), datetime(2024, 3, 31).date()]  # noqa: DTZ001
    return [instant for end in ends for instant in either_side(end)] + [
        datetime.combine(day, clock) for day in days for clock in [*TIMES_OF_DAY, moment.timetz()]
    ]


@cache
def instants(moment: datetime) -> st.SearchStrategy[datetime]:
    anywhere = st.builds(
        lambda days, clock: datetime.combine(moment.date() - timedelta(days=days), clock),
        st.integers(-400, 1100),
        st.sampled_from(TIMES_OF_DAY),
    )
    return st.sampled_from(boundaries_of_windows(moment)) | anywhere


@cache
def every_30_days(moment: datetime) -> st.SearchStrategy[datetime]:
    return st.sampled_from([moment - timedelta(days=30 * gaps) for gaps in range(4)])


@cache
def joinings(moment: datetime) -> st.SearchStrategy[datetime]:
    days = [0, 90, 91, 365, 366, 730, 731, 1095, 1096, 36500, -1, -400]
    return instants(moment) | st.sampled_from(
        [instant for day in days for instant in either_side(moment - timedelta(days=day))]
    )


def one_of_or_none(number: int) -> st.SearchStrategy[int | None]:
    return st.sampled_from([None, *range(number)])


RARELY = st.sampled_from([False, False, False, False, True])
LINES = st.lists(
    st.builds(Line, brand=one_of_or_none(5), quantity=st.sampled_from(QUANTITIES), is_void=RARELY),
    max_size=2,
)


def receipts(transacted_at: st.SearchStrategy[datetime]) -> st.SearchStrategy[Receipt]:
    return st.builds(
        Receipt,
        transacted_at=transacted_at,
        total=st.sampled_from(TOTALS),
        total_original=st.sampled_from(ORIGINALS),
        currency=one_of_or_none(2),
        rate=st.sampled_from(RATES),
        location=one_of_or_none(9),
        timezone=st.sampled_from([None, None, *TIMEZONES]),
        systems=st.sampled_from(SYSTEMS),
        is_void=RARELY,
        lines=LINES,
    )


@cache
def customers(
    moment: datetime, *, at_least: int = 1, at_most: int
) -> st.SearchStrategy[list[Customer]]:
    """Return a strategy for several profiles that may have referred each other."""
    return st.lists(
        st.builds(
            Customer,
            joined_at=st.none() | joinings(moment),
            created_at=joinings(moment),
            joined_location=one_of_or_none(9),
            preferred_location=one_of_or_none(9),
            referred_by=one_of_or_none(at_most),
            addresses=st.lists(st.sampled_from(STORED_ADDRESSES), max_size=3),
            default_address=one_of_or_none(3),
            tiers=st.lists(st.tuples(st.integers(0, 4), instants(moment)), max_size=3),
            receipts=st.lists(receipts(instants(moment)), max_size=12)
            | st.lists(receipts(every_30_days(moment)), max_size=12),
        ),
        min_size=at_least,
        max_size=at_most,
    )


# Into the database


def of(rows: Sequence[Row], number: int | None) -> Row | None:
    return None if number is None else rows[number]


def write(customers: list[Customer], *, setting: Setting) -> list[UUID]:
    """Write the profiles and all that is theirs; return their ids in the order given."""

    profiles = Profile.objects.bulk_create(
        Profile(
            joined_at=each.joined_at,
            joined_location=of(setting.locations, each.joined_location),
            preferred_location=of(setting.locations, each.preferred_location),
        )
        for each in customers
    )
    for number, (profile, each) in enumerate(zip(profiles, customers, strict=True)):
        profile.created_at = each.created_at
        if each.referred_by not in (None, number) and each.referred_by < len(profiles):
            profile.referred_by = profiles[each.referred_by]
    Profile.objects.bulk_update(profiles, ["created_at", "referred_by"])

    ProfileAddress.objects.bulk_create(
        ProfileAddress(
            profile=profile, iso=iso, iso_state=state, is_default=number == each.default_address
        )
        for profile, each in zip(profiles, customers, strict=True)
        for number, (iso, state) in enumerate(each.addresses)
    )
    ProfileTier.objects.bulk_create(
        ProfileTier(profile=profile, tier=setting.tiers[tier], started_at=started_at)
        for profile, each in zip(profiles, customers, strict=True)
        for tier, started_at in each.tiers
    )

    drawn = [
        (profile, receipt)
        for profile, each in zip(profiles, customers, strict=True)
        for receipt in each.receipts
    ]
    transactions = []
    for profile, receipt in drawn:
        location = of(setting.locations, receipt.location)
        transactions.append(
            Transaction(
                profile=profile,
                location=location,
                total=receipt.total,
                total_original=receipt.total_original,
                currency=of(setting.currencies, receipt.currency),
                currency_rate=1 if receipt.currency is None else receipt.rate,
                timezone=receipt.timezone,
                shop_timezone=receipt.timezone or (location and location.timezone) or "UTC",
                transacted_at=receipt.transacted_at,
                systems=receipt.systems,
                is_void=receipt.is_void,
            )
        )
    Transaction.objects.bulk_create(transactions)
    TransactionItem.objects.bulk_create(
        TransactionItem(
            transaction=transaction,
            profile=transaction.profile,
            is_purchase=receipt.total > 0 and not receipt.is_void,
            brand=of(setting.brands, line.brand),
            quantity=line.quantity,
            is_void=line.is_void,
        )
        for transaction, (_, receipt) in zip(transactions, drawn, strict=True)
        for line in receipt.lines
    )
    return [profile.id for profile in profiles]

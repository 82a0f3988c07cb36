"""A clock that walks a year over generated histories, to the second around each boundary."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from aggregations import reading
from aggregations.calculation import recalculate, refresh_due
from aggregations.models import Aggregation, Freshness
from tests.factories import utc
from tests.histories import (
    ORIGINALS,
    RATES,
    STORED_ADDRESSES,
    SYSTEMS,
    TIMEZONES,
    TOTALS,
    Customer,
    Receipt,
    either_side,
    make_setting,
    write,
)
from tests.oracle import calculate, differences, load

pytestmark = pytest.mark.django_db

START = utc("2024-02-20 12:00")  # a leap day and both changes of daylight saving lie ahead
CLOCK_VALUES = ["spend_12m_now", "dimension_recency", "dimension_join"]
SECOND = timedelta(seconds=1)
CUSTOMERS = 3

# When clocks are put forward or back, in the zones of shops: of the year that the clock walks, and
# of the year before, whose sales leave the window meanwhile.
CHANGES_OF_CLOCKS = [
    (utc("2023-03-12 07:00"), "America/New_York"),
    (utc("2023-04-01 15:00"), "Australia/Lord_Howe"),  # by half an hour
    (utc("2023-10-29 01:00"), "Europe/London"),
    (utc("2024-04-06 16:00"), "Australia/Melbourne"),
    (utc("2024-11-03 06:00"), "America/New_York"),
]
# On the 29th of February, and where its window ends when there is none
LEAPS = [utc("2024-02-29 12:00"), utc("2023-02-28 12:00"), utc("2024-02-29 00:00")]


def receipt(random: Random, transacted_at: datetime, timezone: str | None) -> Receipt:
    currency = random.choice([None, None, 0, 1])
    return Receipt(
        transacted_at=transacted_at,
        total=random.choice(TOTALS),
        total_original=random.choice(ORIGINALS),
        currency=currency,
        rate=random.choice(RATES),
        location=random.choice([None, *range(9)]),
        timezone=timezone,
        systems=random.choice(SYSTEMS),
        is_void=random.random() < 0.1,
        lines=[],
    )


def customer(random: Random, number: int) -> Customer:
    """Draw one with sales and refunds from two years before the start to half a year after it."""
    anywhere = [START + timedelta(seconds=random.randint(-63_000_000, 15_000_000)) for _ in "1234"]
    drawn = [(at, random.choice([None, *TIMEZONES])) for at in [*anywhere, LEAPS[number]]]
    for change, zone in CHANGES_OF_CLOCKS[number::CUSTOMERS]:
        drawn += [(at, zone) for at in either_side(change)[:2]]
    return Customer(
        joined_at=START - timedelta(days=random.randint(0, 800)),
        created_at=START,
        joined_location=random.choice([None, *range(9)]),
        preferred_location=None,
        referred_by=None,
        addresses=[random.choice(STORED_ADDRESSES)],
        default_address=0,
        tiers=[],
        receipts=[receipt(random, *each) for each in drawn],
    )


@pytest.fixture
def profile_ids() -> list[UUID]:
    random = Random(20240220)
    return write([customer(random, number) for number in range(CUSTOMERS)], setting=make_setting())


def test_what_is_read_is_true_at_every_step_and_only_due_rows_are_refreshed(profile_ids):
    recalculate(profile_ids=profile_ids, moment=START)
    world, histories = load(profile_ids)
    assert differences(profile_ids, moment=START) == []

    def check(now: datetime, *, by_the_task: bool) -> None:
        """Let the task or readers bring up to date what is due, and look at all else too."""
        due = set(Freshness.objects.filter(next_change_at__lte=now).values_list("pk", flat=True))
        others = Aggregation.objects.exclude(pk__in=due).order_by("pk")
        before = list(others.values())
        if by_the_task:
            assert refresh_due(moment=now) == len(due)
        for profile_id in profile_ids:
            row = reading.current(profile_id=profile_id, moment=now).row
            expected = calculate(histories[profile_id], world=world, moment=START, now=now)
            assert [row[name] for name in CLOCK_VALUES] == [expected[name] for name in CLOCK_VALUES]
        assert list(others.values()) == before

    now, boundaries = START, 0
    for day in range(1, 367):
        midnight = START.replace(hour=0) + timedelta(days=day)
        while (boundary := next_change()) <= midnight:
            boundaries += 1
            for step in (boundary - SECOND, boundary, boundary + SECOND):
                now = max(now, step)
                check(now, by_the_task=boundaries % 2 == 0)
        now = max(now, midnight)
        check(now, by_the_task=day % 2 == 0)

    assert boundaries > len(profile_ids)
    recalculate(profile_ids=profile_ids, moment=now)
    assert differences(profile_ids, moment=now) == []


def next_change() -> datetime:
    return Freshness.objects.earliest("next_change_at").next_change_at

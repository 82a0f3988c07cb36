"""A clock that walks a year over generated histories, to the second around each boundary."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from aggregations import reading
from aggregations.calculation import recalculate, refresh_due
from aggregations.models import Aggregation, Freshness
from tests.factories import ProfileFactory, TransactionFactory, utc
from tests.oracle import calculate, load

pytestmark = pytest.mark.django_db

START = utc("2024-02-20 12:00")  # a leap day and both changes of daylight saving lie ahead
CLOCK_VALUES = ["spend_12m_now", "dimension_recency", "dimension_join"]
SECOND = timedelta(seconds=1)


@pytest.fixture
def profile_ids() -> list[UUID]:
    """Profiles with sales and refunds from two years before the start to half a year after it."""
    random = Random(20240220)
    profiles = [
        ProfileFactory(joined_at=START - timedelta(days=random.randint(0, 800))) for _ in range(5)
    ]
    for profile in profiles:
        for _ in range(8):
            TransactionFactory(
                profile=profile,
                total=random.choice(["100", "33.33", "-10.05"]),
                transacted_at=START + timedelta(seconds=random.randint(-63_000_000, 15_000_000)),
            )
    TransactionFactory(profile=profiles[0], transacted_at=utc("2024-02-29 12:00"))
    TransactionFactory(profile=profiles[1], transacted_at=utc("2023-02-28 12:00"))
    return [profile.pk for profile in profiles]


def test_what_is_read_is_true_at_every_step_and_only_due_rows_are_refreshed(profile_ids):
    recalculate(profile_ids=profile_ids, moment=START)
    world, histories = load(profile_ids)

    def check(now: datetime, *, by_the_task: bool) -> None:
        if by_the_task:
            due = set(
                Freshness.objects.filter(next_change_at__lte=now).values_list("pk", flat=True)
            )
            others = Aggregation.objects.exclude(pk__in=due).order_by("pk")
            before = list(others.values())
            assert refresh_due(moment=now) == len(due)
            assert list(others.values()) == before
        for profile_id in profile_ids:
            row = reading.current(profile_id=profile_id, moment=now).row
            expected = calculate(histories[profile_id], world=world, moment=START, now=now)
            assert [row[name] for name in CLOCK_VALUES] == [expected[name] for name in CLOCK_VALUES]

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


def next_change() -> datetime:
    return Freshness.objects.earliest("next_change_at").next_change_at

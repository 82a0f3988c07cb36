"""How far recalculation is behind."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from aggregations.lag import Lag, Queue, lag
from aggregations.models import Freshness, RecalculationRequest, SharedChange
from tests.factories import ProfileFactory

pytestmark = pytest.mark.django_db

Lane = RecalculationRequest.Lane
NOTHING = Queue(waiting=0, oldest_seconds=0.0, failing=0)


def wait_for(seconds: float, *, moment: datetime, lane: Lane = Lane.LIVE, attempts: int = 0):
    """Let somebody have waited for so long."""
    RecalculationRequest.objects.create(
        profile_id=ProfileFactory.build().pk,
        requested_at=moment - timedelta(seconds=seconds),
        lane=lane,
        attempts=attempts,
    )


def will_change(seconds: float | None, *, moment: datetime):
    """Let the clock overtake a row in so many seconds, or never."""
    profile = ProfileFactory()
    RecalculationRequest.objects.all().delete()
    next_change_at = None if seconds is None else moment + timedelta(seconds=seconds)
    Freshness.objects.create(profile=profile, calculated_at=moment, next_change_at=next_change_at)


def test_there_is_none_where_nobody_waits(moment):
    assert lag(moment=moment) == Lag({Lane.LIVE: NOTHING, Lane.BULK: NOTHING}, 0, 0.0)


def test_is_what_waits_in_each_lane_and_in_all_together(moment):
    wait_for(5, moment=moment)
    wait_for(20, moment=moment, lane=Lane.BULK)
    wait_for(10, moment=moment, lane=Lane.BULK)

    behind = lag(moment=moment)

    assert behind.lanes == {
        Lane.LIVE: Queue(waiting=1, oldest_seconds=5.0, failing=0),
        Lane.BULK: Queue(waiting=2, oldest_seconds=20.0, failing=0),
    }
    assert (behind.waiting, behind.oldest_seconds, behind.failing) == (3, 20.0, 0)


def test_is_a_change_of_what_many_share_until_it_is_known_whose_rows_it_touches(moment):
    changed_at = moment - timedelta(seconds=7)
    SharedChange.objects.create(kind=SharedChange.Kind.BRAND, key="1", changed_at=changed_at)

    assert lag(moment=moment).lanes[Lane.BULK] == Queue(1, 7.0, 0)


def test_counts_what_failed_and_takes_its_age_from_the_others_alone(moment):
    wait_for(5, moment=moment)
    wait_for(5000, moment=moment, attempts=3)

    behind = lag(moment=moment)

    assert (behind.waiting, behind.oldest_seconds, behind.failing) == (2, 5.0, 1)


def test_tells_what_the_clock_has_overtaken_and_since_when(moment):
    for seconds in (-7200, -60, 0, 60, None):
        will_change(seconds, moment=moment)

    behind = lag(moment=moment)

    assert (behind.due, behind.oldest_due_seconds) == (3, 7200.0)


def test_is_none_where_a_request_is_newer_than_the_moment(moment):
    wait_for(-5, moment=moment)

    assert lag(moment=moment).oldest_seconds == 0.0

"""What the log says of the lag."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from aggregations.models import LagWarning, RecalculationRequest
from aggregations.watch import Watch
from tests.factories import ProfileFactory
from tests.waiting import forget_who_waits

pytestmark = pytest.mark.django_db

Lane = RecalculationRequest.Lane


@pytest.fixture(autouse=True)
def _patience(settings):
    settings.LAG_WARNING_SECONDS = 60


@pytest.fixture
def look(moment, caplog):
    """Return the function by which another process looks so many seconds later; it returns what
    that one logged."""

    def look(seconds: float = 0) -> list[str]:
        caplog.clear()
        Watch()(moment=moment + timedelta(seconds=seconds))
        return caplog.messages

    return look


@pytest.fixture
def wait(moment):
    """Return the function that lets somebody wait since so many seconds before the moment."""

    def wait(seconds: float, *, lane: Lane = Lane.LIVE, attempts: int = 0) -> None:
        RecalculationRequest.objects.create(
            profile_id=ProfileFactory.build().pk,
            requested_at=moment - timedelta(seconds=seconds),
            lane=lane,
            attempts=attempts,
        )

    return wait


def test_says_how_many_wait_for_how_long_and_what_to_look_at(wait, look):
    wait(61)
    wait(75, lane=Lane.BULK)
    wait(10, lane=Lane.BULK)
    wait(5000, attempts=3)

    (line,) = look()

    assert line.startswith(
        "Recalculation is behind: 4 requests wait (2 live, 2 bulk), the oldest for 75 seconds;"
        " 1 failed before."
    )
    assert "pg_stat_activity" in line


def test_says_nothing_while_nobody_waits_for_longer_than_is_allowed(wait, look):
    wait(60)

    assert look() == []


def test_says_nothing_of_those_alone_that_failed(wait, look):
    wait(5000, attempts=3)

    assert look() == []


def test_says_nothing_where_it_is_not_to(wait, look, settings):
    settings.LAG_WARNING_SECONDS = 0
    wait(5000)

    assert look() == []


def test_says_so_once_a_minute_whatever_the_number_of_processes(wait, look):
    wait(61)

    said = [len(look(seconds)) for seconds in (0, 5, 59, 60, 65, 119, 120)]

    assert said == [1, 0, 0, 1, 0, 0, 1]


def test_says_once_that_it_is_over(wait, look):
    wait(61)
    look()
    look(60)
    forget_who_waits()

    assert look(130) == ["Recalculation has caught up, 130 seconds after it was seen to be behind."]
    assert look(200) == []
    assert not LagWarning.objects.exists()


def test_says_within_a_minute_neither_that_it_is_over_nor_that_it_is_behind_again(wait, look):
    wait(61)
    look()
    forget_who_waits()
    assert look(30) == []
    wait(61)

    assert look(40) == []


def test_looks_every_few_seconds_however_often_it_is_called(django_assert_num_queries):
    watch = Watch()
    watch(moment=timezone.now())

    with django_assert_num_queries(0):
        watch(moment=timezone.now())

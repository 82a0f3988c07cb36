"""A recalculation of everybody, as somebody at a terminal runs and interrupts it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from aggregations.bulk import PROFILES_A_RANGE
from aggregations.calculation import recalculate
from aggregations.models import Freshness, RecalculationRange
from profiles.models import Profile
from tests.embedded.helpers import CHECKOUT, finish

pytestmark = pytest.mark.django_db(transaction=True)

Command = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def command(environment: dict[str, str]) -> Iterator[Command]:
    """Return the function that starts the command as a process of its own."""
    processes = []

    def start(*options: str, **streams: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "recalculate_aggregations", *options],
            cwd=CHECKOUT,
            env=environment,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def keys() -> list[UUID]:
    """The keys of profiles for three ranges, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO profiles_profile (id, profile_type, tags, meta) "
            "SELECT gen_random_uuid(), 'active', '{}', '{}' FROM generate_series(1, %s)",
            [2 * PROFILES_A_RANGE + 100],
        )
    return list(Profile.objects.order_by("pk").values_list("pk", flat=True))


def all_that_was_shown(terminal: int) -> str:
    """Read a terminal's other end to its end."""
    shown = b""
    with os.fdopen(terminal, "rb", buffering=0) as stream, suppress(OSError):
        while piece := stream.read(4096):
            shown += piece
    return shown.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_with_whole_ranges_and_goes_on_later(command, keys, session, number):
    in_second_range = keys[PROFILES_A_RANGE + 1]
    recalculate(profile_ids=[in_second_range], moment=timezone.now())
    session.begin()
    session.do(lambda: list(Freshness.objects.select_for_update()))
    running = command()
    session.wait_until_blocking()

    running.send_signal(number)
    session.commit()
    status, _, errors = finish(running)

    assert status == 130
    assert "Stopped; --resume goes on with what is left." in errors
    assert set(Freshness.objects.values_list("pk", flat=True)) == set(keys[: 2 * PROFILES_A_RANGE])
    status, output, _ = finish(command("--resume"))
    assert status == 0
    assert output.startswith("100 profiles in ")
    assert Freshness.objects.count() == len(keys)


def test_one_that_is_killed_loses_the_range_in_hand_alone(command, keys, session):
    in_second_range = keys[PROFILES_A_RANGE + 1]
    recalculate(profile_ids=[in_second_range], moment=timezone.now())
    session.begin()
    session.do(lambda: list(Freshness.objects.select_for_update()))
    running = command()
    session.wait_until_blocking()

    running.kill()
    finish(running)
    session.commit()

    assert RecalculationRange.objects.exclude(done_at=None).count() == 1
    status, output, _ = finish(command("--resume"))
    assert status == 0
    assert output.startswith(f"{PROFILES_A_RANGE + 100:,} profiles in ")
    assert Freshness.objects.count() == len(keys)


def test_it_shows_a_bar_on_a_terminal_and_closes_with_a_line(command, keys):
    seen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    status, output, _ = finish(command(stderr=terminal))
    os.close(terminal)

    shown = all_that_was_shown(seen)
    assert status == 0
    assert output.startswith("10,100 profiles in ")
    assert "10100/10100" in shown
    assert shown.count("\n") == 1

"""What writers do to profiles, over and over, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import django
from django.db import DatabaseError
from psycopg import errors as refusals

CONTEXT = multiprocessing.get_context("spawn")
PAUSE = 0.02  # seconds between two writes of one writer, at most
HOT = 5  # profiles that take half of all writes

# What writers that meet on one row are told, and may try again: they are in each other's way.
CONFLICTS = (refusals.DeadlockDetected, refusals.SerializationFailure)
REFUSALS = (refusals.ForeignKeyViolation, refusals.UniqueViolation)
NOTHING_SAVED = "did not affect any rows"  # what Django says of a row that is gone


class GoneError(Exception):
    """What was picked was merged, moved or deleted by another writer before it could be held."""


@dataclass
class Tally:
    """What all writers did, as they count it together."""

    stop: object = field(default_factory=CONTEXT.Event)
    writes: object = field(default_factory=lambda: CONTEXT.Value("q"))
    deadlocks: object = field(default_factory=lambda: CONTEXT.Value("q"))
    refusals: object = field(default_factory=lambda: CONTEXT.Value("q"))
    gone: object = field(default_factory=lambda: CONTEXT.Value("q"))
    errors: object = field(default_factory=CONTEXT.Queue)

    def count(self, counter: object) -> None:
        with counter.get_lock():
            counter.value += 1


def write_until_stopped(seed: int, tally: Tally) -> None:
    """Write at random, from a seed, until the tally says stop. The target of a process."""
    django.setup()
    from tests.soak.actions import ACTIONS, Choice

    choice = Choice(Random(seed), hot=HOT)
    actions, weights = zip(*ACTIONS.items(), strict=True)
    while not tally.stop.is_set():
        [action] = choice.random.choices(actions, weights)
        _try(action, choice, tally)
        time.sleep(choice.random.random() * PAUSE)


def _try(action: Callable, choice: object, tally: Tally) -> None:
    from profiles.models import Profile, Transaction

    try:
        action(choice)
    except (Profile.DoesNotExist, Transaction.DoesNotExist, GoneError):
        tally.count(tally.gone)
    except DatabaseError as error:
        counter = _counter_of(error, tally)
        if counter is None:
            tally.errors.put(traceback.format_exc())
        else:
            tally.count(counter)
    except Exception:  # noqa: BLE001 - any other error is what the run is to find
        tally.errors.put(traceback.format_exc())
    else:
        tally.count(tally.writes)


def _counter_of(error: DatabaseError, tally: Tally) -> object | None:
    """Return what an error counts as, None where it is a failure."""
    if isinstance(error.__cause__, CONFLICTS):
        return tally.deadlocks
    if isinstance(error.__cause__, REFUSALS):
        return tally.refusals
    return tally.gone if NOTHING_SAVED in str(error) else None

"""Steps of writers, workers and readers that are under way at the same time, and their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, transaction
from django.db.models import Model
from hypothesis.stateful import RuleBasedStateMachine
from psycopg import errors as refusals
from rest_framework.test import APIClient

from aggregations.calculation import refresh_due
from aggregations.models import Freshness
from omneo.resources.moments import timestamp
from profiles.living import LIVING
from profiles.merging import CannotBeMergedError
from profiles.models import Profile
from tests.concurrency import Session
from tests.oracle import calculate, differences_at, load
from tests.waiting import who_waits, work_off

# Whoever meets another's lock gives up at once: nobody is there to let go of it meanwhile.
IMPATIENCE = "SET lock_timeout = '30ms'"
REFUSED = (
    refusals.LockNotAvailable,
    refusals.ForeignKeyViolation,
    refusals.UniqueViolation,
    refusals.CheckViolation,
)


class Interleaved(RuleBasedStateMachine):
    """`slow` and `worker` are sessions that commit when they are told, and `now` is the clock."""

    slow: Session
    worker: Session
    api: APIClient
    now: datetime

    def write(self, by: str, work: Callable[[], object]) -> None:
        """Write something at once, or slowly: in a database transaction that is committed later."""
        if by == "at once":
            unless_refused(work)
            return
        if not self.slow.is_open:
            self.slow.begin()
        self.slow.do(unless_refused, work)

    def end(self, end: Callable[[Session], None]) -> None:
        """End what is under way."""
        for session in (self.worker, self.slow):
            if session.is_open:
                self.end_one(session, end)

    def end_one(self, session: Session, end: Callable[[Session], None]) -> None:
        """End a transaction. Foreign keys are checked at its commit, and may refuse it."""
        unless_refused(lambda: end(session))

    def settle(self) -> None:
        """Let all that is under way come to its end, and hold every row against the oracle."""
        self.end(Session.commit)
        work_off(moment=self.now)
        while refresh_due(moment=self.now):
            pass

        calculated = dict(Freshness.objects.values_list("profile_id", "calculated_at"))
        assert who_waits() == set()
        assert calculated.keys() == set(Profile.objects.values_list("pk", flat=True))
        assert differences_at(calculated, now=self.now) == []
        assert self.answered_otherwise(calculated) == []

    def answered_otherwise(self, calculated: dict[UUID, datetime]) -> list[str]:
        """Say what the API answers that the oracle does not, for each profile that is not deleted.

        In the API's own form: a part by its key, numbers of JSON, moments to the second.
        """
        world, histories = load(LIVING.values_list("pk", flat=True))
        found = []
        for profile_id, history in histories.items():
            expected = calculate(history, world=world, moment=calculated[profile_id], now=self.now)
            del expected["next_change_at"]
            with patch("django.utils.timezone.now", return_value=self.now):
                answer = self.api.get(f"/api/v3/profiles/{profile_id}/aggregations")
            data = answer.json()["data"]
            for name, value in expected.items():
                part = name.removesuffix("_id")
                answered = data[name] if name in data else data[part] and data[part]["id"]
                if answered != in_json(value):
                    found.append(f"{profile_id} {name}: {answered!r} instead of {value!r}")
        return found


def in_json(value: Any) -> Any:
    match value:
        case datetime():
            return timestamp(value)
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case UUID():
            return str(value)
    return value


def unless_refused(work: Callable[[], object]) -> None:
    """Do what may be refused: by another's lock, by a constraint, or since nothing is there."""
    try:
        with transaction.atomic():
            work()
    except (ObjectDoesNotExist, CannotBeMergedError):
        return
    except DatabaseError as error:
        if not isinstance(error.__cause__, REFUSED):
            raise


@contextmanager
def impatient(*sessions: Session) -> Iterator[None]:
    """Let these sessions and the test's own give up soon where they would wait for a lock."""
    execute(IMPATIENCE)
    for session in sessions:
        session.do(execute, IMPATIENCE)
    yield
    execute("RESET lock_timeout")


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def any_of(model: type[Model], number: int) -> Any:
    """Return one of all rows, by any number. Raises DoesNotExist where there is none."""
    rows = list(model._default_manager.order_by("created_at", "pk"))
    if not rows:
        raise model.DoesNotExist
    return rows[number % len(rows)]

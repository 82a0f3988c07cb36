"""Database transactions that are begun anew where PostgreSQL ends them for a deadlock."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, transaction
from psycopg.errors import DeadlockDetected

TRIES = 10  # each deadlock lets somebody else come through

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def atomic(work: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Do the work in a database transaction, once more from its beginning after a deadlock.

    All who lock several rows do it in one order (docs/architecture.md), so that this is for what
    cannot keep to it, such as a row that somebody pointed elsewhere just now. Inside another
    database transaction that one's own locks stay. Raises OperationalError when it was in vain.
    """

    @wraps(work)
    def tried(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
        for attempt in range(1, TRIES + 1):
            try:
                with transaction.atomic():
                    return work(*arguments, **named)
            except OperationalError as error:
                if attempt == TRIES or not isinstance(error.__cause__, DeadlockDetected):
                    raise
        raise AssertionError

    return tried

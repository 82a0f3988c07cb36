"""Logs that keep what they see of customers to themselves.

What an exception says may be a customer's: PostgreSQL puts the values of a row into the detail of a
refusal, a failed conversion says what it was given. Where it was raised, and which constraint
refused, is nobody's secret, and is enough to find the fault.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import Error

# They say names of our code and the state of machines, and nothing of what is stored.
OUTSPOKEN = (AttributeError, ImportError, ImproperlyConfigured, NameError, OSError, RuntimeError)
OF_BROKERS = ("amqp.", "billiard.exceptions", "celery.exceptions", "kombu.", "redis.")
# The classes of SQLSTATE whose messages name constraints and tables, but quote no values; what a
# trigger raises may quote anything. Those of class 22 put the values between quotation marks.
OF_NAMES = ("08", "23", "25", "40", "42", "53", "54", "55", "57", "58")
OF_VALUES = "22"
QUOTED = re.compile(r'".*"', re.DOTALL)


def describe(error: BaseException) -> str:
    """Say what an exception is about, without a value that somebody gave."""
    name = type(error).__name__
    cause = error.__cause__ if isinstance(error, Error) else error
    if isinstance(cause, psycopg.Error):
        said = _said_by_database(cause)
    else:
        is_outspoken = isinstance(error, OUTSPOKEN) or type(error).__module__.startswith(OF_BROKERS)
        said = str(error) if is_outspoken else ""
    return f"{name}: {said}" if said else name


def _said_by_database(error: psycopg.Error) -> str:
    diagnosis = error.diag
    if error.sqlstate is None or diagnosis.message_primary is None:
        # Not an answer of the server: it is away, or was not asked.
        return str(error) if isinstance(error, psycopg.OperationalError) else ""
    said = ""
    if error.sqlstate.startswith(OF_NAMES):
        said = diagnosis.message_primary
    elif error.sqlstate.startswith(OF_VALUES):
        said = QUOTED.sub("“…”", diagnosis.message_primary)
    places = [
        f"{kind} {name}"
        for kind, name in (
            ("constraint", diagnosis.constraint_name),
            ("table", diagnosis.table_name),
            ("column", diagnosis.column_name),
        )
        if name
    ]
    return f"{said} ({', '.join([error.sqlstate, *places])})".lstrip()


class DiscreetFormatter(logging.Formatter):
    """Lines of a log in which exceptions are described and paths are named by their patterns."""

    def format(self, record: logging.LogRecord) -> str:
        discreet = logging.makeLogRecord(record.__dict__)
        discreet.args = _discreet_arguments(record)
        discreet.exc_text = None  # made by another formatter, in its own words
        return super().format(discreet)

    def formatException(  # noqa: N802 - the name that logging gave it
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None]
    ) -> str:
        return "\n\nwhich led to\n\n".join(
            "".join(["Traceback (most recent call last):\n", *traceback.format_tb(trace)])
            + describe(error)
            for error, trace in reversed([*_chain(ei[1])])
        )


def _chain(error: BaseException | None) -> Iterator[tuple[BaseException, TracebackType | None]]:
    """Yield an exception and what led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error, error.__traceback__
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _discreet_arguments(record: logging.LogRecord) -> Any:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(record.args, dict):
        # Of Celery, whose words for a task that failed have the exception in them
        return record.args | ({"exc": describe(error)} if error and "exc" in record.args else {})
    if not isinstance(record.args, tuple):
        return record.args
    path, shown = _path(record)
    return tuple(
        describe(value)
        if isinstance(value, BaseException)
        else (shown if path is not None and value == path else value)
        for value in record.args
    )


def _path(record: logging.LogRecord) -> tuple[str | None, str]:
    """Return the path of a request that Django tells of, and what may be told: its pattern."""
    request = getattr(record, "request", None)
    match = getattr(request, "resolver_match", None)
    return getattr(request, "path", None), match.route if match else "a path"

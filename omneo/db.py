"""What the models of every app build on. Imports no app."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar

import psycopg
from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import InterfaceError, OperationalError, connection, models, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql
from psycopg.rows import RowFactory, tuple_row


class TimestampedModel(models.Model):
    """A row that knows when it was made and last saved, also when written without the ORM."""

    created_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())
    updated_at = models.DateTimeField(auto_now=True, db_default=models.functions.Now())

    class Meta:
        abstract = True


@cache
def timezones() -> frozenset[str]:
    """Return the names of all IANA time zones; reading them takes milliseconds.

    Without the name that stands for the zone of the machine, which says something else elsewhere.
    """
    return frozenset(zoneinfo.available_timezones() - {"localtime"})


def validate_timezone(name: str) -> None:
    """Refuse what is not the name of an IANA time zone, such as `Australia/Melbourne`."""
    if name not in timezones():
        raise ValidationError(f"“{name}” is not an IANA time zone such as Australia/Melbourne.")


def timezone_field(**options) -> models.CharField:
    """A column for the name of a time zone."""
    return models.CharField(max_length=64, validators=[validate_timezone], **options)


def optional_text(max_length: int, **options) -> models.CharField:
    """A column for a text that may be missing. Missing is null, in the database and in the API."""
    return models.CharField(max_length=max_length, null=True, blank=True, **options)


def optional_url(**options) -> models.URLField:
    """A column for an http(s) address that may be missing."""
    return models.URLField(max_length=500, null=True, blank=True, **options)


# Raised whatever row is in hand: it has done nothing wrong, and waits for its next try.
OF_NO_ROW = (InterfaceError, OperationalError, SoftTimeLimitExceeded)

# Wider than any customer's life, and narrow enough that every time zone's calendar has the date.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
DATE_RANGE = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]


def date_range_constraint(column: str, *, name: str) -> models.CheckConstraint:
    """Refuse times before 1900 and from 2200 on, which are slips and break other programs."""
    within = models.Q(**{f"{column}__range": (EARLIEST, LATEST)})
    return models.CheckConstraint(
        condition=within | models.Q(**{column: None}),
        name=name,
        violation_error_message="A time between 1900 and 2199 is wanted.",
    )


def copy_csv(*, table: str, columns: Sequence[str], csv: bytes | memoryview) -> None:
    """Append rows to a table by COPY, past the ORM and its signals.

    The CSV has no header; a field that is empty and not quoted is null. Raises the database's
    errors, and then nothing of it is there.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), _identifiers(columns)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(csv)


def copy_new_csv(
    *, table: str, columns: Sequence[str], csv: bytes | memoryview, returning: Sequence[str]
) -> list[tuple]:
    """Append those rows of a CSV to a table that no unique constraint refuses, by COPY.

    Returns the given columns of the rows that were appended. Needs a database transaction.
    """
    names = {
        "staged": sql.Identifier(f"staged_{table}"),
        "table": sql.Identifier(table),
        "columns": _identifiers(columns),
        "returning": _identifiers(returning),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "CREATE TEMPORARY TABLE {staged} ON COMMIT DROP AS "
                "SELECT {columns} FROM {table} WITH NO DATA"
            ).format(**names)
        )
        copy_csv(table=f"staged_{table}", columns=columns, csv=csv)
        cursor.execute(
            sql.SQL(
                "INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged} "
                "ON CONFLICT DO NOTHING RETURNING {returning}"
            ).format(**names)
        )
        appended = cursor.fetchall()
        cursor.execute(sql.SQL("DROP TABLE {staged}").format(**names))
    return appended


def analyze(*tables_of: type[models.Model]) -> None:
    """Let the planner know what a bulk load brought."""
    tables = sql.SQL(", ").join(sql.Identifier(model._meta.db_table) for model in tables_of)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("ANALYZE {}").format(tables))


def key_chunks(selected: models.QuerySet, size: int) -> Iterator[list]:
    """Yield the primary keys of a queryset in their order, so many at a time.

    Reads on behind the last key each time: memory stays flat, and no cursor is held open.
    """
    keys = selected.order_by("pk").values_list("pk", flat=True)
    chunk = list(keys[:size])
    while chunk:
        yield chunk
        chunk = list(keys.filter(pk__gt=chunk[-1])[:size])


def _identifiers(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


class WatchedModel(models.Model):
    """A model that tells what its row held before it was saved.

    `save()` reads the watched columns anew and holds the row until the database transaction ends:
    the object at hand may be older than somebody else's change, and what depends on a row depends
    on what it really was.
    """

    watched: ClassVar[tuple[str, ...]] = ()
    settled: ClassVar[tuple[str, ...]] = ()
    stored: dict[str, Any] | None = None
    is_going = False

    class Meta:
        abstract = True

    def save(self, *, update_fields: Iterable[str] | None = None, **kwargs) -> None:
        with transaction.atomic():
            self.hold()
            self.settle()
            if update_fields is not None:
                update_fields = {*update_fields, *self.settled}
            super().save(update_fields=update_fields, **kwargs)

    def settle(self) -> None:
        """Fill in the settled fields, which follow from others; called with the row held."""

    def hold(self) -> None:
        """Lock the row and remember what it holds: `stored`, None where there is no row yet."""
        new = self.pk is None or (self._state.adding and self._meta.pk.has_default())
        rows = type(self)._base_manager.filter(pk=self.pk).select_for_update(no_key=True)
        self.stored = None if new else rows.values(*self.watched).first()

    def values_of(self, column: str) -> set:
        """Return what the column held before the change and what it holds now, without null."""
        before = self.stored[column] if self.stored else None
        return {before, getattr(self, column)} - {None}

    def has_changed(self, *columns: str) -> bool:
        """Tell whether the row is new, about to be deleted, or changed in one of the columns."""
        return (
            self.is_going
            or self.stored is None
            or any(self.stored[column] != getattr(self, column) for column in columns)
        )


def execute_planned(
    statement: str, parameters: Mapping[str, Any], *, rows: RowFactory = tuple_row
) -> CursorWrapper:
    """Run a reading statement that the server plans once a connection and keeps; return its cursor.

    Django's own cursors fill the values in before sending, so that each call is planned anew. For
    statements with `%(name)s` in them of which there are few, made of constants.

    As the first of a request it also finds out whether the connection was cut meanwhile, and runs
    again over another one then. To ask before, as Django does, is a round trip for each request.
    """
    if (
        connection.connection
        and connection.health_check_enabled
        and not connection.health_check_done
    ):
        connection.health_check_done = True
        try:
            return _execute_planned(statement, parameters, rows=rows)
        except OperationalError:
            if not connection.connection.closed:
                raise
            connection.close()
    connection.ensure_connection()
    return _execute_planned(statement, parameters, rows=rows)


def _execute_planned(
    statement: str, parameters: Mapping[str, Any], *, rows: RowFactory = tuple_row
) -> CursorWrapper:
    numbered, names = _numbered(statement)
    cursor = psycopg.RawCursor(connection.connection, row_factory=rows)
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    wrapped = wrap(cursor)
    wrapped.execute(numbered, [parameters[name] for name in names])
    return wrapped


@contextmanager
def derived_transaction() -> Iterator[None]:
    """A database transaction whose commit does not wait until the disk has it.

    For what follows from other rows, and removes in the same transaction what asked for it. If
    the server crashes within the next second, this and what was committed after it in the same
    way may be undone, and what asked for it is there again. Within another transaction it is a
    part of that one, which waits as ever.
    """
    is_own = not connection.in_atomic_block
    with transaction.atomic():
        if is_own:
            connection.ensure_connection()
            with connection.wrap_database_errors:
                _commit_without_waiting()
        yield


def execute_together(*statements: str, parameters: Mapping[str, Any]) -> list[tuple]:
    """Run statements in one round trip and a `derived_transaction`; return the last one's rows.

    Each sees what was committed before it began, not before the first began.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        if not connection.in_atomic_block:
            _commit_without_waiting()
        for statement in statements:
            cursor = _execute_planned(statement, parameters)
    return cursor.fetchall()


def _commit_without_waiting() -> None:
    # By a function: SET LOCAL as the first of statements sent together would leave a warning.
    connection.connection.execute("SELECT set_config('synchronous_commit', 'off', true)")


@cache
def _numbered(statement: str) -> tuple[str, list[str]]:
    """Return a statement with the server's own placeholders, and the names in their order.

    psycopg does the same at each call, and keeps what it made of short statements alone.
    """
    names: list[str] = []

    def number(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        if name is None:
            return "%"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return re.sub(r"%\((\w+)\)s|%%", number, statement), names

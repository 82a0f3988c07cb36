"""Other sessions of the database, beside the test's own: each does what it is told, in its turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from django.db import connection, transaction

LIMIT = 60  # seconds, after which a session that should have come through hangs


class Session:
    """A connection in a thread of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._transaction: transaction.Atomic | None = None
        self._pid = self.do(lambda: _row("SELECT pg_backend_pid()")[0])

    def start(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Future[Any]:
        """Begin a piece of work and do not wait for its end."""
        return self._thread.submit(work, *arguments, **named)

    def do(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Return what a piece of work comes to."""
        return self.start(work, *arguments, **named).result(LIMIT)

    @property
    def is_open(self) -> bool:
        """Whether it is in a database transaction that was begun."""
        return self._transaction is not None

    def begin(self) -> None:
        """Open a database transaction, for what is done until the commit."""
        self._transaction = transaction.atomic()
        self.do(self._transaction.__enter__)

    def commit(self) -> None:
        self._end()

    def roll_back(self) -> None:
        self.do(transaction.set_rollback, True)
        self._end()

    def wait_until_blocked(self) -> None:
        """Return when the session waits for a lock of another one."""
        _wait_for("SELECT cardinality(pg_blocking_pids(%s)) > 0", self._pid)

    def wait_until_blocking(self) -> None:
        """Return when another session waits for a lock of this one."""
        _wait_for(
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))",
            self._pid,
        )

    def close(self) -> None:
        if self.is_open:
            self.roll_back()
        self.do(lambda: connection.close())  # the proxy names each thread its own
        self._thread.shutdown()

    def _end(self) -> None:
        ended, self._transaction = self._transaction, None
        self.do(ended.__exit__, None, None, None)


@contextmanager
def another_session() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do all work at the same time, each over a connection of its own; return the results."""
    start = Barrier(len(works))

    def begin(work: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            start.wait(LIMIT)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as clients:
        futures = [clients.submit(begin, work) for work in works]
        return [future.result(LIMIT) for future in futures]


@contextmanager
def impatient() -> Iterator[None]:
    """Let statements of this session fail where they would wait for a lock."""
    with transaction.atomic():
        _execute("SET LOCAL lock_timeout = '200ms'")
        yield


def _wait_for(condition: str, *values: Any) -> None:
    deadline = time.monotonic() + LIMIT
    while not _row(condition, *values)[0]:
        assert time.monotonic() < deadline, "nobody waits for anybody"
        time.sleep(0.01)


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _row(sql: str, *values: Any) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()

"""The message that makes a task quick. What it says stands in the database already."""

from __future__ import annotations

import logging
import time

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

QUIET_AFTER_FAILURE = 5.0  # seconds
AT_ONCE = 0.05  # seconds

AWAY = (OperationalError, OSError)

logger = logging.getLogger(__name__)


class Nudge:
    """Tells a worker that something waits for a task, once the database transaction commits.

    A thousand in one database transaction are one message. Where the broker is away it is left to
    the periodic task: the writer has committed, and must neither fail nor wait for the broker.
    After a failure no message is tried for some seconds, so that a thousand writers do not wait a
    thousand times. A failure that comes at once has cost nothing: so fails a connection that the
    broker has closed, and the next one may do.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._silent_until = 0.0

    def __call__(self) -> None:
        if not any(hook[1] == self._send for hook in transaction.get_connection().run_on_commit):
            # Robust: what is committed has not failed, whatever becomes of the message.
            transaction.on_commit(self._send, robust=True)

    def _send(self) -> None:
        if time.monotonic() < self._silent_until:
            return
        try:
            self._publish()
        except AWAY as error:
            self._silent_until = time.monotonic() + QUIET_AFTER_FAILURE
            logger.warning("The broker is away, %s waits for its turn: %s", self._task.name, error)

    def _publish(self) -> None:
        begun = time.monotonic()
        try:
            self._task.apply_async(retry=False)
        except AWAY:
            if time.monotonic() - begun > AT_ONCE:
                raise
            self._task.apply_async(retry=False)

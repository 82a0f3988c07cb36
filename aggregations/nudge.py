"""The message that makes a recalculation quick. What it says stands in the database already."""

from __future__ import annotations

import logging
import time

from django.db import transaction
from kombu.exceptions import OperationalError

from aggregations.tasks import recalculate_waiting

QUIET_AFTER_FAILURE = 5.0  # seconds

logger = logging.getLogger(__name__)
_silent_until = 0.0


def nudge() -> None:
    """Tell a worker that profiles wait, once the current database transaction has committed."""
    waiting_for_commit = transaction.get_connection().run_on_commit
    # A thousand saves in one transaction are one message.
    if not any(hook[1] is _send for hook in waiting_for_commit):
        # Robust: what is committed has not failed, whatever becomes of the message.
        transaction.on_commit(_send, robust=True)


def _send() -> None:
    """Send the message; where the broker is away, leave it to the periodic task.

    The writer has committed and must neither fail nor wait for the broker. After a failure no
    message is tried for some seconds, so that a thousand sales do not wait a thousand times.
    """
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        recalculate_waiting.apply_async(retry=False)
    except (OperationalError, OSError) as error:
        _silent_until = time.monotonic() + QUIET_AFTER_FAILURE
        logger.warning("The broker is away, the periodic task will recalculate: %s", error)

"""Whether the parts that an answer depends on are up: for load balancers and watchers."""

from __future__ import annotations

from http import HTTPStatus

from celery import current_app
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from kombu.exceptions import OperationalError

from aggregations.counts import counts
from aggregations.lag import lag
from omneo.api.errors import only_to_be_read

BROKER_TIMEOUT = 1  # seconds


@only_to_be_read
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200, or 503 when a part is down, with what is known of each. Needs no token."""
    parts = {"broker": _broker()}
    try:
        moment = timezone.now()
        behind = lag(moment=moment)
        done = counts(moment=moment)
    except DatabaseError:
        parts["database"] = "down"
    else:
        parts["database"] = "up"
        parts["queue"] = {
            "depth": behind.waiting,
            "oldest_seconds": round(behind.oldest_seconds, 3),
            "failing": behind.failing,
            "due": behind.due,
            "oldest_due_seconds": round(behind.oldest_due_seconds, 3),
            "recalculations_per_second": round(done.per_second, 3),
        }
    status = HTTPStatus.SERVICE_UNAVAILABLE if "down" in parts.values() else HTTPStatus.OK
    text = "OK" if status == HTTPStatus.OK else status.phrase
    return JsonResponse({"status": status, "statusText": text, **parts}, status=status)


def _broker() -> str:
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT) as connection:
            connection.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT)
    except (OperationalError, OSError):
        return "down"
    return "up"

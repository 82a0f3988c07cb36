"""What stands in the database after a fault: who waits, what is wrong, who works."""

from __future__ import annotations

from functools import partial

from django.db import connection

from aggregations.models import Freshness, RecalculationRequest, SharedChange
from profiles.models import Profile
from tests.embedded import helpers
from tests.oracle import differences

eventually = partial(helpers.eventually, limit=60)  # processes start on a machine that is busy


def nobody_waits() -> bool:
    # In this order: what is gone from the first has left its requests in the second.
    return not SharedChange.objects.exists() and not RecalculationRequest.objects.exists()


def wrong_rows() -> list[str]:
    """Return what the rows say otherwise than was true when they were calculated."""
    found = []
    for profile_id in Profile.objects.values_list("pk", flat=True):
        freshness = Freshness.objects.filter(profile=profile_id).first()
        found += (
            differences([profile_id], moment=freshness.calculated_at)
            if freshness
            else [f"{profile_id} was never calculated"]
        )
    return found


def blocked() -> list[int]:
    """Return the server processes that wait for a lock of another one."""
    return _server_processes("cardinality(pg_blocking_pids(pid)) > 0")


def nobody_works() -> bool:
    """Whether no other connection to the database has anything in hand."""
    return not _server_processes("state <> 'idle'")


def cut(condition: str) -> list[int]:
    """End the server processes of connections that meet a condition, and return them."""
    ended = _server_processes(condition)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", [ended])
    return ended


def _server_processes(condition: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            f" AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND {condition}"
        )
        return [pid for (pid,) in cursor.fetchall()]

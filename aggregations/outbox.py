"""The outbox: requests for recalculation, appended by writers and taken by workers.

The row is the request and the message only a nudge: a request is gone when the recalculation
that it asked for is committed, and not before, whatever becomes of brokers and workers.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DataError, IntegrityError, connection
from django.db.models import QuerySet

from aggregations.calculation import despite_purges, recalculate
from aggregations.counts import count_failed
from aggregations.models import RecalculationRequest, SharedChange
from aggregations.sharers import sharers
from omneo.db import derived_transaction
from omneo.discretion import describe

BATCH = 1000  # requests taken at a time; some 0.2 ms each
FIRST_RETRY = timedelta(seconds=10)
DOUBLINGS = 9  # to some 85 minutes

Lane = RecalculationRequest.Lane
logger = logging.getLogger(__name__)

APPEND = """
INSERT INTO aggregations_recalculationrequest (profile_id, lane) SELECT unnest(%s::uuid[]), %s
"""

# One at a time, and what another worker has in hand is left to it: each may touch a million.
TAKE_SHARED = """
DELETE FROM aggregations_sharedchange WHERE id = (
    SELECT id FROM aggregations_sharedchange ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING kind, key, changed_at
"""
HAND_OUT = """
INSERT INTO aggregations_recalculationrequest (profile_id, lane, requested_at)
SELECT DISTINCT sharing.*, %s::smallint, %s::timestamptz FROM ({sharers}) sharing
"""

# Skips what another worker has taken, so that workers never wait for each other here. In the
# order in which recalculations lock, also where a batch is recalculated in parts.
TAKE = """
WITH first AS MATERIALIZED (
    -- Once: as a subquery of DELETE it may be run for each row, and then takes others each time.
    SELECT id FROM aggregations_recalculationrequest
    WHERE retry_at IS NULL OR retry_at <= %(moment)s
    ORDER BY lane, id
    LIMIT %(batch)s
    FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM aggregations_recalculationrequest WHERE id IN (SELECT id FROM first)
    RETURNING profile_id, lane, requested_at, attempts
)
SELECT profile_id, min(lane), min(requested_at), max(attempts)
FROM taken GROUP BY profile_id ORDER BY profile_id
"""

# Passes over what a worker has in hand, which is being tried as it is.
RETRY = """
UPDATE aggregations_recalculationrequest SET retry_at = NULL
WHERE id IN (
    SELECT id FROM aggregations_recalculationrequest
    WHERE id IN ({chosen}) AND retry_at IS NOT NULL
    FOR UPDATE SKIP LOCKED
)
"""


def request(profile_ids: Collection[UUID], *, lane: Lane = Lane.LIVE) -> None:
    """Ask for the recalculation of these profiles, in the caller's database transaction."""
    if not profile_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(APPEND, [list(profile_ids), lane])


def request_for_sharers(kind: SharedChange.Kind, keys: Collection[int | str]) -> None:
    """Ask for the recalculation of everybody who shares it, in the caller's database transaction.

    Who that is, is found out by `hand_out` when the change is committed. A million of them cost
    the caller one row, and whoever comes to share it meanwhile is among them: nobody needs to be
    held off.
    """
    SharedChange.objects.bulk_create(SharedChange(kind=kind, key=key) for key in keys)


def hand_out() -> int:
    """Give everybody who shares what has changed a request of their own.

    Return how many such changes there were. A recalculation that could not see the change yet saw
    what ties its profile to it; so does this, which begins after the change was committed. Who
    comes to share it later asks for a recalculation of their own, and that sees the change.
    """
    changes = 0
    while _hand_out_one():
        changes += 1
    return changes


def _hand_out_one() -> bool:
    with derived_transaction(), connection.cursor() as cursor:
        cursor.execute(TAKE_SHARED)
        taken = cursor.fetchone()
        if taken is not None:
            kind, key, changed_at = taken
            sql, parameters = sharers(SharedChange.Kind(kind), key).query.sql_with_params()
            cursor.execute(HAND_OUT.format(sharers=sql), [Lane.BULK, changed_at, *parameters])
    return taken is not None


def retry(requests: QuerySet[RecalculationRequest]) -> int:
    """Let requests that were set apart be due at once; return how many there were.

    They keep what is known of their failures until the next try.
    """
    sql, parameters = requests.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(RETRY.format(chosen=sql), parameters)
        return cursor.rowcount


def recalculate_waiting(*, moment: datetime) -> int:
    """Recalculate one batch of waiting profiles; return how many requests' profiles were taken.

    The requests are removed in the transaction that writes the rows: what a crash of the server
    undoes is waiting again. A profile that cannot be calculated does not hold up the others: it
    waits for its next try with its error.
    """
    with derived_transaction():
        with connection.cursor() as cursor:
            cursor.execute(TAKE, {"moment": moment, "batch": BATCH})
            taken = {row[0]: row[1:] for row in cursor.fetchall()}
        failed = _recalculate_each_that_can_be(list(taken), moment=moment)
        RecalculationRequest.objects.bulk_create(
            RecalculationRequest(
                profile_id=profile_id,
                lane=lane,
                requested_at=requested_at,
                attempts=attempts + 1,
                retry_at=moment + FIRST_RETRY * 2 ** min(attempts, DOUBLINGS),
                error=failed[profile_id],
            )
            for profile_id, (lane, requested_at, attempts) in taken.items()
            if profile_id in failed
        )
        if failed:
            count_failed(len(failed))
    return len(taken)


def _recalculate_each_that_can_be(profile_ids: list[UUID], *, moment: datetime) -> dict[UUID, str]:
    """Recalculate all at once; where their data forbid it, halve until the culprits are alone."""
    if not profile_ids:
        return {}
    try:
        despite_purges(lambda: recalculate(profile_ids=profile_ids, moment=moment))
    except (DataError, IntegrityError) as error:
        if len(profile_ids) == 1:
            logger.exception("Profile %s cannot be recalculated", profile_ids[0])
            return {profile_ids[0]: describe(error)}
        middle = len(profile_ids) // 2
        return _recalculate_each_that_can_be(
            profile_ids[:middle], moment=moment
        ) | _recalculate_each_that_can_be(profile_ids[middle:], moment=moment)
    return {}

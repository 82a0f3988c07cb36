"""The upsert: references are found, transactions held, drafted, and written, all or none."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import suppress

from django.db import DataError, IntegrityError

from omneo import deadlocks
from omneo.db import OF_NO_ROW
from profiles.ingestion.drafts import Draft, Drafts
from profiles.ingestion.references import References
from profiles.ingestion.rows import Outcome, Posted, Row, read
from profiles.ingestion.writing import TakenMeanwhileError, write
from profiles.models import Transaction
from profiles.signals import history_changed

BATCH = 1000  # rows at a time, at most, for whom somebody waits

PASSED_AND_REFUSED = "A transaction passed validation and cannot be stored"
CANNOT_BE_STORED = {"non_field_errors": ["This transaction cannot be stored."]}

logger = logging.getLogger(__name__)


def upsert_transactions(posted: Sequence[Posted], *, is_live: bool) -> list[Outcome]:
    """Create or update transactions; return what became of each row, in their order.

    Good rows land, bad ones come back with what is wrong with them. It is done when this returns,
    or with the caller's database transaction. `is_live`: somebody waits for what follows from it.
    """
    rows = [read(each) for each in posted]
    ingest(rows, is_live=is_live)
    return [row.outcome for row in rows]


def ingest(rows: Sequence[Row], *, is_live: bool) -> None:
    """Let rows that were read have their effect, one after the other, and tell it in each.

    Raises Transaction.DoesNotExist for an update of a transaction that is not there.
    """
    _ingest_all_that_can_be([row for row in rows if not row.has_failed], is_live=is_live)


def ingest_one(row: Row) -> None:
    """Let a row that was read have its effect, for somebody who waits for it alone.

    A fault of ours is raised, since there is somebody to be told of it. Raises
    Transaction.DoesNotExist for an update of a transaction that is not there.
    """
    if row.has_failed:
        return
    try:
        _ingest([row], is_live=True)
    except (DataError, IntegrityError):
        logger.exception(PASSED_AND_REFUSED)
        row.fail(CANNOT_BE_STORED)


def _ingest_all_that_can_be(rows: Sequence[Row], *, is_live: bool) -> None:
    """Ingest all at once; where that fails, halve until the culprits are alone."""
    if not rows:
        return
    try:
        _ingest(rows, is_live=is_live)
    except (*OF_NO_ROW, Transaction.DoesNotExist):
        raise
    except Exception:
        if len(rows) == 1:
            logger.exception(PASSED_AND_REFUSED)
            rows[0].fail(CANNOT_BE_STORED)
            return
        middle = len(rows) // 2
        _ingest_all_that_can_be(rows[:middle], is_live=is_live)
        _ingest_all_that_can_be(rows[middle:], is_live=is_live)


def _ingest(rows: Sequence[Row], *, is_live: bool) -> None:
    """Ingest rows in a database transaction, begun anew where others have been faster."""
    while True:
        with suppress(TakenMeanwhileError):
            _ingest_once(rows, is_live=is_live)
            return


@deadlocks.atomic
def _ingest_once(rows: Sequence[Row], *, is_live: bool) -> None:
    references = References.of(rows)
    drafts = Drafts(rows)
    references.find_brands(rows)
    for row in rows:
        drafts.apply(row, references)
    touched = [draft for draft in drafts if draft.differs or draft.items_differ]
    references.make({each for draft in touched for each in draft.wanted})
    write(touched, references)
    for draft in drafts:
        for row in draft.rows:
            row.outcome.id = draft.id
            row.outcome.external_id = draft.values["external_id"]
    if touched:
        history_changed.send(sender=Transaction, profile_ids=_owners(touched), is_live=is_live)


def _owners(drafts: Collection[Draft]) -> list:
    return sorted(set().union(*(draft.owners for draft in drafts)))

"""The queue of sales: accepted at once, come in when a worker takes them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import BigIntegerField, Case, Exists, OuterRef, Q, QuerySet, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Lower

from profiles.ingestion import BATCH, Posted, Status, upsert_transactions
from profiles.ingestion.references import EMAIL
from profiles.models import Profile, QueuedTransaction, Transaction
from profiles.names import names_of

# Skips what another worker has taken, and what comes after that under the same external id: those
# have their effect in the order in which they were accepted.
TAKE = """
WITH taken AS MATERIALIZED (
    SELECT id, external_id, body, accepted_at FROM profiles_queuedtransaction
    WHERE errors IS NULL
    ORDER BY id
    LIMIT %s
    FOR UPDATE SKIP LOCKED
)
SELECT id, body, accepted_at FROM taken
WHERE NOT EXISTS (
    SELECT FROM profiles_queuedtransaction earlier
    WHERE earlier.external_id = taken.external_id
        AND earlier.id < taken.id
        AND earlier.errors IS NULL
        AND earlier.id NOT IN (SELECT id FROM taken)
)
ORDER BY id
"""

# The id that a body names, where it is one at all.
NAMED = Case(
    When(body__id__regex=r"^[0-9]{1,18}$", then=Cast(KT("body__id"), BigIntegerField())),
    default=None,
)

# Whether its transaction was written since it was accepted: what it says may be out of date.
OVERTAKEN = Exists(
    Transaction.objects.filter(
        Q(external_id=OuterRef("external_id")) | Q(pk=OuterRef("named")),
        updated_at__gt=OuterRef("accepted_at"),
    )
)


def accept(posted: Sequence[Posted], *, external_ids: Sequence[str | None]) -> None:
    """Keep bodies that were judged, to come in with the caller's database transaction."""
    QueuedTransaction.objects.bulk_create(
        QueuedTransaction(body=each.body, external_id=external_id, accepted_at=each.accepted_at)
        for each, external_id in zip(posted, external_ids, strict=True)
    )


def ingest_queued() -> int:
    """Let one batch of queued transactions come in; return how many were taken.

    They leave the queue in the database transaction that writes them. One that cannot be written
    stays there with its errors, and holds nobody up.
    """
    with transaction.atomic():
        queued = list(QueuedTransaction.objects.raw(TAKE, [BATCH]))
        outcomes = upsert_transactions(
            [Posted(body=each.body, accepted_at=each.accepted_at) for each in queued],
            # A backlog must not stand before the sales for which somebody waits.
            is_live=len(queued) < BATCH,
        )
        done, failed = [], []
        for each, outcome in zip(queued, outcomes, strict=True):
            each.errors = outcome.errors
            (failed if outcome.status == Status.ERROR else done).append(each)
        QueuedTransaction.objects.bulk_update(failed, ["errors"])
        QueuedTransaction.objects.filter(pk__in=[each.pk for each in done]).delete()
    return len(queued)


def overtaken(queued: QuerySet[QueuedTransaction]) -> QuerySet[QueuedTransaction]:
    """Return those whose transaction was written after they were accepted, by somebody else."""
    return queued.alias(named=NAMED).filter(OVERTAKEN)


@transaction.atomic
def retry(queued: QuerySet[QueuedTransaction]) -> int:
    """Let those that failed wait once more, in their old place; return how many there were.

    One that is overtaken stays as it is: it would undo what came after it.
    """
    failed = queued.filter(errors__isnull=False)
    # Whatever a worker has in hand of the same transactions has come in once this is held.
    of_the_same = QueuedTransaction.objects.filter(
        errors__isnull=True, external_id__in=failed.order_by().values("external_id")
    )
    list(of_the_same.order_by("id").select_for_update().values_list("pk"))
    return failed.alias(named=NAMED).filter(~OVERTAKEN).update(errors=None)


def forget(profile: Profile) -> None:
    """Remove what waits for a profile, or failed, under any name that it has or had.

    What names no profile is its affair where it is about one of its transactions.
    """
    known = names_of(profile)
    names = Q(body__profile_id__iexact=str(profile.pk))
    names |= Q(body__profile_id_handle=EMAIL, lower_name__in=known[EMAIL])
    for handle, identifiers in known.items():
        names |= Q(body__profile_id_handle=handle, body__profile_id__in=identifiers)
    sales = profile.transactions.values_list("id", "external_id")
    ids, external_ids = zip(*sales, strict=True) if sales else ((), ())
    of_its_sales = Q(body__id__in=ids) | Q(external_id__in=external_ids)
    names |= of_its_sales & ~Q(body__has_key="profile_id")
    queued = QueuedTransaction.objects.alias(lower_name=Lower(KT("body__profile_id")))
    queued.filter(names).delete()

"""Another try of what failed in the queue of transactions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone as clock

from profiles.ingestion import Posted
from profiles.models import Profile, QueuedTransaction, Transaction
from profiles.queueing import accept, ingest_queued, retry
from tests.concurrency import another_session
from tests.factories import ProfileFactory, TransactionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory()


def queue(**body: Any) -> None:
    accept(
        [Posted(body=body, accepted_at=clock.now() - timedelta(minutes=1))],
        external_ids=[body.get("external_id")],
    )


def fail(**body: Any) -> None:
    """Queue a sale in a currency that is not there, which is put right afterwards."""
    queue(**body, currency="ZZZ")
    while ingest_queued():
        pass
    for failed in QueuedTransaction.objects.all():
        failed.body.pop("currency", None)
        failed.save()


def retry_all() -> int:
    return retry(QueuedTransaction.objects.all())


def test_what_failed_waits_again(profile: Profile):
    fail(profile_id=str(profile.pk), external_id="T-1", total=5)
    fail(profile_id=str(profile.pk), total=6)

    assert retry_all() == 2

    assert ingest_queued() == 2
    assert set(Transaction.objects.values_list("total", flat=True)) == {5, 6}
    assert not QueuedTransaction.objects.exists()


def test_what_waits_is_not_counted(profile: Profile):
    queue(profile_id=str(profile.pk), external_id="T-1", total=5)

    assert retry_all() == 0


def test_it_comes_in_before_what_was_accepted_after_it(profile: Profile):
    fail(profile_id=str(profile.pk), external_id="T-1", total=5)
    queue(profile_id=str(profile.pk), external_id="T-1", total=6)

    assert retry_all() == 1

    assert ingest_queued() == 2
    assert Transaction.objects.get().total == 6


@pytest.mark.parametrize("name", ["external_id", "id"])
def test_it_never_undoes_what_came_after_it(profile: Profile, name: str):
    sale = TransactionFactory(profile=profile, external_id="T-1", total=1)
    key = {"external_id": "T-1", "id": sale.pk}[name]
    fail(**{name: key}, total=5)
    Transaction.objects.update(total=6, updated_at=clock.now())

    assert retry_all() == 0

    assert ingest_queued() == 0
    assert QueuedTransaction.objects.get().errors is not None


def test_a_transaction_that_was_there_before_does_not_hold_it_back(profile: Profile):
    TransactionFactory(profile=profile, external_id="T-1", total=1)
    fail(external_id="T-1", total=5)
    Transaction.objects.update(updated_at=clock.now() - timedelta(hours=1))

    assert retry_all() == 1


@pytest.mark.parametrize("key", ["no number", 10**30, {"a": 1}, None])
def test_an_id_that_is_none_is_no_transactions(profile: Profile, key: Any):
    QueuedTransaction.objects.create(
        body={"id": key}, accepted_at=clock.now(), errors={"id": ["Wrong."]}
    )

    assert retry_all() == 1


@pytest.mark.django_db(transaction=True)
def test_it_never_undoes_what_a_worker_has_in_hand(profile: Profile):
    fail(profile_id=str(profile.pk), external_id="T-1", total=5)
    queue(profile_id=str(profile.pk), external_id="T-1", total=6)
    with another_session() as worker, another_session() as staff:
        worker.begin()
        worker.do(ingest_queued)
        retried = staff.start(retry_all)
        staff.wait_until_blocked()
        worker.commit()
        assert retried.result() == 0

    assert Transaction.objects.get().total == 6

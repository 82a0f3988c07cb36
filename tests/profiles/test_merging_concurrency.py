"""Profiles that are merged and purged while others write to them: nobody waits in a circle."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from aggregations import outbox
from omneo import deadlocks
from profiles import batches, queueing
from profiles.ingestion import Posted, Status, delete_transaction, upsert_transactions
from profiles.merging import merge, purge
from profiles.models import (
    Profile,
    ProfileBatchRow,
    QueuedTransaction,
    Transaction,
    TransactionItem,
)
from tests.concurrency import LIMIT, another_session, at_once, impatient
from tests.factories import ProfileFactory, TransactionFactory, TransactionItemFactory, utc
from tests.oracle import differences

pytestmark = pytest.mark.django_db(transaction=True)

MOMENT = utc("2025-07-01 12:00")
ROUNDS = 4
SALES = 24  # of each profile


@pytest.fixture(autouse=True)
def _deadlocks_are_errors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "deadlocks_are_retried" not in request.fixturenames:
        monkeypatch.setattr(deadlocks, "TRIES", 1)


@pytest.fixture
def deadlocks_are_retried() -> None:
    """Let the product do what it does after a deadlock."""


def held(rows: QuerySet) -> list:
    return list(rows.select_for_update())


def upsert(bodies: Iterable[dict[str, Any]]) -> set[Status]:
    posted = [Posted(body, MOMENT) for body in bodies]
    return {outcome.status for outcome in upsert_transactions(posted, is_live=True)}


def merged(source: Profile, destination: Profile) -> None:
    with suppress(Profile.DoesNotExist):  # it was merged the other way just now
        merge(source_id=source.pk, destination_id=destination.pk, moment=MOMENT)


def purged(profile: Profile, _: Profile) -> None:
    purge(profile_id=profile.pk)


def moved(sales: Iterable[int], profile: Profile) -> Callable[[], Any]:
    """Return the work of who gives transactions to a profile, one after the other."""

    def move() -> None:
        for pk in sales:
            with suppress(Transaction.DoesNotExist):
                sale = Transaction.objects.get(pk=pk)
                sale.profile = profile
                sale.save()

    return move


def items_saved(sales: Iterable[int]) -> Callable[[], Any]:
    def save() -> None:
        for item in TransactionItem.objects.filter(transaction__in=sales):
            with suppress(Transaction.DoesNotExist):
                item.quantity += 1
                item.save()

    return save


def test_merges_moves_and_batches_of_the_same_sales_end_in_true_rows():
    chance = random.Random(7)
    for _ in range(ROUNDS):
        one, other = ProfileFactory(), ProfileFactory()
        ProfileFactory(referred_by=one)
        ProfileFactory(referred_by=other)
        sales = [
            TransactionItemFactory(
                transaction__profile=chance.choice([one, other]),
                transaction__external_id=f"{one.pk}-{number}",
            ).transaction
            for number in range(2 * SALES)
        ]
        names = [sale.external_id for sale in sales]
        chance.shuffle(names)
        keys = [sale.pk for sale in sales]
        forth = [
            {"external_id": name, "total": 7, "items": [{"name": "new"}], "profile_id": str(one.pk)}
            for name in names[::2]
        ]
        back = [
            {"external_id": name, "receipt_ref": "R", "delete_existing_items": True}
            for name in names[::-1]
        ]

        at_once(
            lambda one=one, other=other: merged(one, other),
            lambda one=one, other=other: merged(other, one),
            lambda forth=forth: upsert(forth),
            lambda back=back: upsert(back),
            moved(keys[::3], other),
            moved(keys[::-3], one),
            items_saved(keys[::-2]),
            lambda keys=keys: [delete_transaction(pk) for pk in keys[-1:-4:-1]],
        )

        while outbox.recalculate_waiting(moment=MOMENT):
            pass
        assert differences([one.pk, other.pk], moment=MOMENT) == []
        living = Profile.objects.filter(pk__in=[one.pk, other.pk]).exclude(profile_type="deleted")
        assert living.count() == 1


@pytest.mark.parametrize("work", [merged, purged])
def test_transactions_are_locked_in_the_order_of_their_ids(work: Callable[..., Any]):
    source, destination = ProfileFactory(), ProfileFactory()
    first, second = TransactionFactory(profile=source), TransactionFactory(profile=source)
    Transaction.objects.filter(pk=first.pk).update(total=5)  # which puts it behind the second
    with another_session() as shop, another_session() as staff:
        shop.begin()
        shop.do(held, Transaction.objects.filter(pk=first.pk))
        waiting = staff.start(work, source, destination)
        staff.wait_until_blocked()
        with impatient():
            held(Transaction.objects.filter(pk=second.pk))
        shop.commit()
        waiting.result(LIMIT)

    assert not Transaction.objects.filter(profile=source).exists()


def test_an_item_is_locked_after_its_transaction():
    item = TransactionItemFactory()
    with another_session() as shop, another_session() as staff:
        shop.begin()
        shop.do(held, Transaction.objects.all())
        saving = staff.start(item.save)
        staff.wait_until_blocked()
        with impatient():
            held(TransactionItem.objects.all())
        shop.commit()
        saving.result(LIMIT)


def test_merges_of_profiles_that_referred_each_other_come_to_an_end(deadlocks_are_retried: None):
    for _ in range(ROUNDS):
        first, second = ProfileFactory(), ProfileFactory()
        third, fourth = ProfileFactory(referred_by=first), ProfileFactory(referred_by=second)
        Profile.objects.filter(pk=first.pk).update(referred_by=third)

        at_once(
            lambda a=first, b=second: merged(a, b),
            lambda a=third, b=fourth: merged(a, b),
            lambda a=second, b=third: merged(a, b),
        )

        left = Profile.objects.filter(pk__in=[row.pk for row in (first, second, third, fourth)])
        assert 1 <= left.exclude(profile_type="deleted").count() <= 3


def test_work_that_meets_a_deadlock_is_begun_anew(deadlocks_are_retried: None):
    rows = [ProfileFactory(), ProfileFactory()]
    both_hold_one = Barrier(2)
    turns: list[int] = []

    @deadlocks.atomic
    def lock(order: list[Profile]) -> None:
        turns.append(1)
        is_first_turn = len(turns) <= 2
        held(Profile.objects.filter(pk=order[0].pk))
        if is_first_turn:
            both_hold_one.wait(LIMIT)
        held(Profile.objects.filter(pk=order[1].pk))

    at_once(lambda: lock(rows), lambda: lock(rows[::-1]))

    # Three as a rule: who begins anew may be quicker to its first row than who waits for it.
    assert len(turns) >= 3


def test_a_purge_waits_for_who_has_a_queued_sale_of_the_profile_in_hand():
    profile = ProfileFactory()
    body = {"profile_id": str(profile.pk), "total": 1}
    with transaction.atomic():
        queueing.accept([Posted(body, MOMENT)], external_ids=[None])
    with another_session() as worker, another_session() as staff:
        worker.begin()
        worker.do(held, QueuedTransaction.objects.all())
        purging = staff.start(purge, profile_id=profile.pk)
        staff.wait_until_blocked()
        worker.do(queueing.ingest_queued)
        worker.commit()
        purging.result(LIMIT)

    assert not Transaction.objects.exists()
    assert not QueuedTransaction.objects.exists()


def test_a_profile_that_is_purged_while_its_batch_comes_in_is_not_made_again():
    profile = ProfileFactory(email="ada@example.com")
    body = {"email": "ada@example.com", "first_name": "Ada"}
    batches.accept(match_criteria="email", profiles=[body], accepted_from=None, moment=MOMENT)
    with another_session() as worker, another_session() as staff:
        staff.begin()
        staff.do(purge, profile_id=profile.pk)
        importing = worker.start(batches.import_waiting, moment=timezone.now())
        worker.wait_until_blocked()
        staff.commit()
        importing.result(LIMIT)

    assert not Profile.objects.exists()
    assert ProfileBatchRow.objects.get().status == Status.ERROR


def test_a_sale_that_is_moved_while_its_profile_is_merged_away_waits():
    source, destination = ProfileFactory(), ProfileFactory()
    sale = TransactionFactory(profile=source)
    with another_session() as staff, another_session() as shop:
        staff.begin()
        staff.do(list, Profile.objects.filter(pk=destination.pk).select_for_update())
        moving = shop.start(moved([sale.pk], destination))
        shop.wait_until_blocked()
        staff.do(merged, source, destination)
        staff.commit()
        moving.result(LIMIT)

    assert Transaction.objects.get().profile == destination

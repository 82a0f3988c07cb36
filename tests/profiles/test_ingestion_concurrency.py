"""Sales that come in at the same time, over connections of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction

from locations.models import Brand, Location
from profiles.ingestion import Outcome, Posted, Status, delete_transaction, upsert_transactions
from profiles.merging import merge
from profiles.models import Profile, QueuedTransaction, Transaction, TransactionItem
from profiles.queueing import accept, ingest_queued
from tests.concurrency import LIMIT, another_session, at_once
from tests.factories import (
    IdentityFactory,
    LocationFactory,
    ProfileFactory,
    TransactionFactory,
    utc,
)

pytestmark = pytest.mark.django_db(transaction=True)

ACCEPTED_AT = utc("2025-06-30 08:05")
CLIENTS = 6


def upsert(bodies: Sequence[dict[str, Any]]) -> list[Outcome]:
    return upsert_transactions([Posted(each, ACCEPTED_AT) for each in bodies], is_live=True)


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory()


def sale(profile: Profile, name: str, **fields: Any) -> dict[str, Any]:
    return {"profile_id": str(profile.id), "external_id": name, "total": 10} | fields


def test_one_sale_posted_by_many_is_one_transaction(profile: Profile):
    body = sale(profile, "T-1", items=[{"name": "Socks", "brand": "Acme"}], location_id="S-1")

    outcomes = at_once(*[lambda: upsert([body])] * CLIENTS)

    statuses = sorted(outcome.status for [outcome] in outcomes)
    assert statuses == [Status.CREATED] + [Status.UPDATED] * (CLIENTS - 1)
    assert {outcome.id for [outcome] in outcomes} == {Transaction.objects.get().id}
    assert TransactionItem.objects.count() == 1
    assert Brand.objects.count() == Location.objects.count() == 1


def test_who_comes_second_waits_for_the_first_and_updates(profile: Profile):
    with another_session() as first, another_session() as second:
        first.begin()
        first.do(upsert, [sale(profile, "T-1", total=10, receipt_ref="R-1")])
        waiting = second.start(upsert, [sale(profile, "T-1", total=20)])
        second.wait_until_blocked()
        first.commit()
        [outcome] = waiting.result(LIMIT)

    assert outcome.status == Status.UPDATED
    only = Transaction.objects.get()
    assert (only.total, only.receipt_ref) == (20, "R-1")


def test_who_comes_second_creates_where_the_first_gives_up(profile: Profile):
    with another_session() as first, another_session() as second:
        first.begin()
        first.do(upsert, [sale(profile, "T-1", total=10, receipt_ref="R-1")])
        waiting = second.start(upsert, [sale(profile, "T-1", total=20)])
        second.wait_until_blocked()
        first.roll_back()
        [outcome] = waiting.result(LIMIT)

    assert outcome.status == Status.CREATED
    assert Transaction.objects.get().receipt_ref is None


def test_a_sale_by_card_goes_to_whom_the_cards_owner_was_merged_into(profile: Profile):
    source = IdentityFactory(handle="loyalty", identifier="42").profile
    by_card = {"profile_id": "42", "profile_id_handle": "loyalty", "total": 1}
    with another_session() as first, another_session() as second:
        first.begin()
        first.do(merge, source_id=source.id, destination_id=profile.id, moment=ACCEPTED_AT)
        waiting = second.start(upsert, [by_card])
        second.wait_until_blocked()
        first.commit()
        waiting.result(LIMIT)

    assert Transaction.objects.get().profile == profile


def test_a_location_does_not_change_its_time_zone_before_its_sale_can_follow(profile: Profile):
    location = LocationFactory()
    with another_session() as shop, another_session() as staff:
        shop.begin()
        shop.do(upsert, [sale(profile, "T-1", location_id=location.id)])
        location.timezone = "Australia/Melbourne"
        waiting = staff.start(location.save)
        staff.wait_until_blocked()
        shop.commit()
        waiting.result(LIMIT)

    assert Transaction.objects.get().shop_timezone == "Australia/Melbourne"


def test_batches_of_the_same_sales_in_any_order_all_land(profile: Profile):
    names = [f"T-{n}" for n in range(150)]
    upsert([sale(profile, name) for name in names[::3]])

    def batch(client: int) -> list[Outcome]:
        turned = names[client * 25 :] + names[: client * 25]
        ordered = turned if client % 2 else turned[::-1]
        return upsert(
            [
                sale(
                    profile,
                    name,
                    total=client + 1,
                    location_id=f"S-{name}",
                    items=[{"name": name, "brand": name}],
                )
                for name in ordered
            ]
        )

    outcomes = at_once(*[lambda client=client: batch(client) for client in range(CLIENTS)])

    statuses = [outcome.status for batch in outcomes for outcome in batch]
    assert statuses.count(Status.CREATED) == 100
    assert statuses.count(Status.ERROR) == 0
    assert Transaction.objects.count() == TransactionItem.objects.count() == 150
    assert Brand.objects.count() == Location.objects.count() == 150


def test_external_ids_that_change_hands_at_the_same_time_are_given_once(profile: Profile):
    rows = [TransactionFactory(profile=profile) for _ in range(CLIENTS)]

    at_once(
        *[
            lambda row=row: upsert(
                [
                    {
                        "id": row.id,
                        "external_id": f"T-{n}",
                        "profile_id": str(profile.id),
                        "total": 1,
                    }
                    for n in ([0, 1] if row.id % 2 else [1, 0])
                ]
            )
            for row in rows
        ]
    )

    assert Transaction.objects.exclude(external_id=None).count() == 2


def test_a_sale_that_is_deleted_and_posted_at_the_same_time_is_there_or_not(profile: Profile):
    row = TransactionFactory(profile=profile, external_id="T-1")

    at_once(
        lambda: delete_transaction(row.pk),
        lambda: upsert([sale(profile, "T-1", items=[{"name": "Socks"}])]),
    )

    assert TransactionItem.objects.count() == Transaction.objects.count()


def queue(*bodies: dict[str, Any]) -> None:
    with transaction.atomic():
        accept(
            [Posted(each, ACCEPTED_AT) for each in bodies],
            external_ids=[each["external_id"] for each in bodies],
        )


def test_workers_take_no_queued_sale_twice(profile: Profile):
    queue(*[sale(profile, f"T-{n}") for n in range(200)])

    at_once(*[ingest_queued] * CLIENTS)

    assert Transaction.objects.count() == 200
    assert not QueuedTransaction.objects.exists()


def test_what_another_worker_has_taken_goes_before_what_came_after_it(profile: Profile):
    queue(sale(profile, "T-1", total=1))
    with another_session() as worker:
        worker.begin()
        worker.do(ingest_queued)
        queue(sale(profile, "T-1", total=2), sale(profile, "T-2", total=3))
        ingest_queued()
        assert Transaction.objects.get().external_id == "T-2"
        worker.commit()
    ingest_queued()

    assert Transaction.objects.get(external_id="T-1").total == 2
    assert not QueuedTransaction.objects.exists()


def test_a_queued_sale_stays_where_its_worker_dies(profile: Profile):
    queue(sale(profile, "T-1"))
    with another_session() as worker:
        worker.begin()
        worker.do(ingest_queued)
        worker.roll_back()

    assert not Transaction.objects.exists()
    assert QueuedTransaction.objects.count() == 1

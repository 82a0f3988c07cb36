"""Queued transactions: staff see what failed and why, and try it again once that is put right."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone as clock

from profiles.ingestion import Posted
from profiles.models import QueuedTransaction, Transaction
from profiles.queueing import accept, ingest_queued
from tests.admin.conftest import page_of, said, try_again, try_one_again
from tests.factories import IdentityFactory, TransactionFactory

LIST = "/admin/profiles/queuedtransaction/"
INGEST = "profiles.ingest_queued"
VIEW, RETRY, DELETE = (
    "view_queuedtransaction",
    "retry_queuedtransaction",
    "delete_queuedtransaction",
)


def queue(name: str | None, **fields: Any) -> QueuedTransaction:
    """Queue a sale to the holder of card 7."""
    body = {"profile_id": "7", "profile_id_handle": "card", "external_id": name, "total": 10}
    posted = Posted(body=body | fields, accepted_at=clock.now() - timedelta(hours=1))
    accept([posted], external_ids=[name])
    return QueuedTransaction.objects.latest("id")


@pytest.fixture
def failed(db: None) -> QueuedTransaction:
    """A sale to somebody who is not there."""
    queue("WEB-1", meta={"note": "<gift>"})
    ingest_queued()
    return QueuedTransaction.objects.get()


@pytest.fixture
def waiting(failed: QueuedTransaction) -> QueuedTransaction:
    return queue("WEB-2")


def text(client: Client, path: str, **parameters: str) -> str:
    return " ".join(client.get(path, parameters).content.decode().split())


def test_a_failed_one_tells_what_is_wrong_by_field(admin_client: Client, failed: QueuedTransaction):
    QueuedTransaction.objects.update(
        errors={"profile_id": ["There is no such profile."], "non_field_errors": ["<Odd.>"]}
    )

    assert "profile_id: There is no such profile.; &lt;Odd.&gt;" in text(admin_client, LIST)
    page = text(admin_client, page_of(failed))
    assert "<strong>profile_id:</strong> There is no such profile." in page
    assert "&lt;Odd.&gt;" in page


def test_a_page_shows_the_body_as_it_was_posted(admin_client: Client, failed: QueuedTransaction):
    page = admin_client.get(page_of(failed)).content.decode()

    assert "  &quot;meta&quot;: {\n    &quot;note&quot;: &quot;&lt;gift&gt;&quot;\n  }" in page


@pytest.mark.parametrize("body", [[1], "text", None])
def test_a_body_that_is_no_object_is_shown(admin_client: Client, failed, body: Any):
    QueuedTransaction.objects.create(body=[body], accepted_at=clock.now(), errors={"a": ["b"]})

    assert admin_client.get(LIST).status_code == 200
    assert admin_client.get(page_of(QueuedTransaction.objects.latest("id"))).status_code == 200


@pytest.mark.parametrize("state", ["failed", "waiting"])
def test_they_are_filtered_by_their_state(
    admin_client: Client, failed: QueuedTransaction, waiting: QueuedTransaction, state: str
):
    page = admin_client.get(LIST, {"state": state})

    wanted = {"failed": failed, "waiting": waiting}[state]
    assert list(page.context["cl"].result_list) == [wanted]


@pytest.mark.parametrize("term", ["WEB-1", " WEB-1 ", "8"])
def test_they_are_found_by_external_id_and_by_profile(
    admin_client: Client, failed: QueuedTransaction, waiting: QueuedTransaction, term: str
):
    QueuedTransaction.objects.filter(pk=failed.pk).update(body={"profile_id": "8"})

    page = admin_client.get(LIST, {"q": term})

    assert list(page.context["cl"].result_list) == [failed]


@pytest.mark.parametrize(
    "press", [try_one_again, lambda client, row: try_again(client, [row])], ids=["page", "list"]
)
def test_another_try_lets_it_come_in_and_wakes_a_worker(
    admin_client: Client, failed: QueuedTransaction, woken, press
):
    IdentityFactory(handle="card", identifier="7")
    assert ingest_queued() == 0

    assert woken(lambda: press(admin_client, failed)) == [INGEST]

    assert ingest_queued() == 1
    assert Transaction.objects.get().external_id == "WEB-1"


def test_another_try_says_of_how_many_it_is(
    admin_client: Client, failed: QueuedTransaction, waiting: QueuedTransaction
):
    page = try_again(admin_client, [failed, waiting])

    assert "".join(said(page)) == (
        "1 transaction will be tried again now. "
        "Left as they are: 1 that wait already or are overtaken."
    )


def test_one_that_is_overtaken_says_so_and_has_no_button(
    admin_client: Client, failed: QueuedTransaction
):
    TransactionFactory(external_id="WEB-1")

    assert "overtaken" in text(admin_client, LIST)
    page = text(admin_client, page_of(failed))
    assert "Its transaction was written after this was accepted." in page
    assert "Try again now" not in page


def test_who_may_only_look_can_do_nothing(staff, failed: QueuedTransaction):
    client = staff(VIEW)

    for path in (LIST, page_of(failed)):
        assert "Try again" not in text(client, path)
    assert try_one_again(client, failed).status_code == 403
    assert client.post(page_of(failed, "delete"), {"post": "yes"}).status_code == 403
    try_again(client, [failed])
    assert QueuedTransaction.objects.get().errors == failed.errors


def test_who_has_the_permission_can_have_it_tried_again(staff, failed: QueuedTransaction):
    client = staff(VIEW, RETRY)

    assert "Try again now" in text(client, page_of(failed))
    try_one_again(client, failed)

    assert QueuedTransaction.objects.filter(errors__isnull=True).exists()


def test_a_failed_one_is_deleted_after_a_question(staff, failed: QueuedTransaction):
    client = staff(VIEW, DELETE)

    question = client.get(page_of(failed, "delete"))
    assert question.status_code == 200
    assert QueuedTransaction.objects.exists()

    client.post(page_of(failed, "delete"), {"post": "yes"})
    assert not QueuedTransaction.objects.exists()


def test_one_that_waits_cannot_be_deleted(
    admin_client: Client, failed: QueuedTransaction, waiting: QueuedTransaction
):
    alone = admin_client.post(page_of(waiting, "delete"), {"post": "yes"})
    chosen = [failed.pk, waiting.pk]
    among_others = admin_client.post(
        LIST, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    )

    assert alone.status_code == 403
    assert "It waits, and comes in by itself: WEB-2" in among_others.content.decode()
    assert QueuedTransaction.objects.count() == 2

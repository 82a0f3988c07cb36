"""Transactions by the batch, at once or queued."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from aggregations.models import RecalculationRequest
from profiles.models import Profile, QueuedTransaction, Transaction
from profiles.queueing import forget, ingest_queued
from profiles.tasks import ingest_queued as task
from tests.factories import IdentityFactory, ProfileFactory, TransactionFactory
from tests.waiting import forget_who_waits

PATH = "/api/v3/transactions"

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory(email="ann@example.com")


def sale(profile: Profile, name: str, **fields: Any) -> dict[str, Any]:
    return {"profile_id": str(profile.id), "external_id": name, "total": 10} | fields


def names() -> set[str]:
    return set(Transaction.objects.values_list("external_id", flat=True))


@pytest.mark.parametrize("kind", ["batch", "queue"])
class TestTheList:
    def test_stands_by_itself_or_under_its_name(self, api: APIClient, profile: Profile, kind: str):
        api.post(f"{PATH}/{kind}", [sale(profile, "T-1")])
        api.post(f"{PATH}/{kind}", {"transactions": [sale(profile, "T-2")]})

        ingest_queued()
        assert names() == {"T-1", "T-2"}

    def test_has_a_thousand_rows_at_most(self, api: APIClient, profile: Profile, kind: str):
        response = api.post(f"{PATH}/{kind}", [sale(profile, f"T-{n}") for n in range(1001)])

        assert response.status_code == 422
        assert response.json()["errors"] == {"transactions": ["A list of 1 to 1000 is wanted."]}
        assert not Transaction.objects.exists()
        assert not QueuedTransaction.objects.exists()

    @pytest.mark.parametrize("data", [[], 5, "x", None, {"transactions": {}}])
    def test_is_a_list_and_not_empty(self, api: APIClient, kind: str, data: Any):
        assert api.post(f"{PATH}/{kind}", data).status_code == 422

    def test_has_no_page(self, api: APIClient, kind: str):
        assert api.get(f"{PATH}/{kind}").status_code == 405


class TestBatch:
    def test_tells_what_became_of_each_row(self, api: APIClient, profile: Profile):
        known = TransactionFactory(external_id="T-1")

        response = api.post(
            f"{PATH}/batch",
            [
                sale(profile, "T-1"),
                sale(profile, "T-2", total="much", items=[{"quantity": "x"}]),
                sale(profile, "T-3"),
                "nothing",
                sale(profile, "T-4", currency="ZZZ"),
            ],
        )

        assert response.status_code == 200
        number = ["A valid number is required."]
        assert response.json()["data"] == [
            {
                "index": 0,
                "status": "updated",
                "id": known.id,
                "external_id": "T-1",
                "errors": {},
            },
            {
                "index": 1,
                "status": "error",
                "id": None,
                "external_id": "T-2",
                "errors": {"total": number, "items.0.quantity": number},
            },
            {
                "index": 2,
                "status": "created",
                "id": Transaction.objects.get(external_id="T-3").id,
                "external_id": "T-3",
                "errors": {},
            },
            {
                "index": 3,
                "status": "error",
                "id": None,
                "external_id": None,
                "errors": {
                    "non_field_errors": ["Invalid data. Expected a dictionary, but got str."]
                },
            },
            {
                "index": 4,
                "status": "error",
                "id": None,
                "external_id": "T-4",
                "errors": {"currency": ["There is no such currency."]},
            },
        ]
        assert names() == {"T-1", "T-3"}

    def test_asks_for_what_follows_before_all_imports(self, api: APIClient, profile: Profile):
        forget_who_waits()

        api.post(f"{PATH}/batch", [sale(profile, "T-1"), sale(profile, "T-2")])

        request = RecalculationRequest.objects.get()
        assert (request.profile_id, request.lane) == (profile.id, RecalculationRequest.Lane.LIVE)

    def test_takes_a_handful_of_queries_however_large_it_is(self, api: APIClient, profile: Profile):
        counts = []
        api.get(PATH)  # which notes that the token is used
        for size in (1, 300):
            with CaptureQueriesContext(connection) as queries:
                api.post(
                    f"{PATH}/batch",
                    [
                        sale(
                            profile, f"{size}-{n}", items=[{"brand": f"B {n}"}], location_id=f"{n}x"
                        )
                        for n in range(size)
                    ],
                )
            counts.append(len(queries))

        assert Transaction.objects.count() == 301
        assert counts[0] == counts[1] <= 20


class TestQueue:
    def test_one_sale_is_accepted_and_comes_in_later(self, api: APIClient, profile: Profile):
        response = api.post(f"{PATH}/queue", sale(profile, "T-1"))

        assert response.status_code == 202
        assert response.json() == {
            "data": {"message": "Transactions queued for import.", "count": 1}
        }
        assert not Transaction.objects.exists()
        task()
        assert names() == {"T-1"}
        assert not QueuedTransaction.objects.exists()

    def test_a_worker_is_told_when_it_is_there_to_be_taken(
        self,
        api: APIClient,
        profile: Profile,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ):
        with django_capture_on_commit_callbacks() as callbacks:
            api.post(f"{PATH}/queue", [sale(profile, "T-1"), sale(profile, "T-2")])

        assert len(callbacks) == 1

    def test_a_list_with_a_bad_row_is_not_accepted(self, api: APIClient, profile: Profile):
        response = api.post(
            f"{PATH}/queue", [sale(profile, "T-1"), sale(profile, "T-2", total="much")]
        )

        assert response.status_code == 422
        assert response.json()["errors"] == {"1.total": ["A valid number is required."]}
        assert not QueuedTransaction.objects.exists()

    def test_one_bad_sale_is_told_by_its_fields(self, api: APIClient, profile: Profile):
        response = api.post(f"{PATH}/queue", sale(profile, "T-1", total="much"))

        assert list(response.json()["errors"]) == ["total"]

    def test_sales_come_in_in_their_order(self, api: APIClient, profile: Profile):
        for total in (1, 2, 3):
            api.post(f"{PATH}/queue", sale(profile, "T-1", total=total))

        task()

        assert Transaction.objects.get().total == 3

    def test_a_sale_that_does_not_say_when_was_made_when_it_was_accepted(
        self, api: APIClient, profile: Profile
    ):
        api.post(f"{PATH}/queue", sale(profile, "T-1"))
        accepted_at = QueuedTransaction.objects.get().accepted_at

        task()

        assert Transaction.objects.get().transacted_at == accepted_at

    def test_a_sale_that_cannot_come_in_stays_with_what_is_wrong(
        self, api: APIClient, profile: Profile
    ):
        unknown = {"external_id": "T-2", "profile_id": "nobody@example.com"}
        api.post(
            f"{PATH}/queue",
            [
                sale(profile, "T-1"),
                sale(profile, "T-2") | unknown | {"profile_id_handle": "email"},
                sale(profile, "T-3"),
            ],
        )

        task()

        assert names() == {"T-1", "T-3"}
        kept = QueuedTransaction.objects.get()
        assert kept.errors == {"profile_id": ["There is no such profile."]}
        assert kept.body["external_id"] == "T-2"

    def test_a_sale_that_staff_let_try_again_comes_in(self, api: APIClient, profile: Profile):
        api.post(f"{PATH}/queue", sale(profile, "T-1", currency="AUD"))
        task()
        QueuedTransaction.objects.update(body=sale(profile, "T-1"), errors=None)

        task()

        assert names() == {"T-1"}

    def test_what_waits_for_a_profile_is_forgotten_under_all_its_names(
        self, api: APIClient, profile: Profile
    ):
        IdentityFactory(profile=profile, handle="loyalty", identifier="42")
        api.post(
            f"{PATH}/queue",
            [
                sale(profile, "T-1"),
                sale(profile, "T-2", profile_id="ANN@example.com", profile_id_handle="email"),
                sale(profile, "T-3", profile_id="42", profile_id_handle="loyalty"),
                sale(profile, "T-4", profile_id="42", profile_id_handle="shop"),
                sale(ProfileFactory(), "T-5"),
            ],
        )

        forget(profile)

        left = QueuedTransaction.objects.values_list("external_id", flat=True)
        assert set(left) == {"T-4", "T-5"}

    def test_a_number_is_the_same_after_the_queue(self, api: APIClient, profile: Profile):
        meta = {"exact": 0.1, "large": 12345678901234567890, "whole": 5.0, "none": None}
        api.post(f"{PATH}/queue", sale(profile, "T-1", total=123456789012.35, meta=meta))

        task()

        row = Transaction.objects.get()
        assert (str(row.total), row.meta) == ("123456789012.35", meta)

    def test_a_backlog_does_not_stand_before_the_sales_for_which_somebody_waits(
        self, api: APIClient, profile: Profile
    ):
        for page in range(2):
            api.post(f"{PATH}/queue", [sale(profile, f"{page}-{n}") for n in range(600)])
        forget_who_waits()

        task()

        lanes = RecalculationRequest.objects.order_by("id").values_list("lane", flat=True)
        assert list(lanes) == [RecalculationRequest.Lane.BULK, RecalculationRequest.Lane.LIVE]


@pytest.mark.django_db(transaction=True)
def test_many_clients_that_post_one_sale_make_one_transaction(api: APIClient):
    profile = ProfileFactory()

    def post() -> int:
        try:
            return api.post(f"{PATH}/update-create", sale(profile, "T-1")).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as clients:
        statuses = [client.result() for client in [clients.submit(post) for _ in range(6)]]

    assert sorted(statuses) == [200] * 5 + [201]
    assert Transaction.objects.count() == 1

"""A profile that is purged leaves nothing by which somebody could be recognised."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from aggregations import outbox
from aggregations.models import RecalculationRequest
from profiles.batches import import_waiting
from profiles.ingestion import Posted
from profiles.merging import merge, purge
from profiles.models import FormerName, Profile, ProfileBatchRow, QueuedTransaction, Transaction
from profiles.queueing import accept, ingest_queued
from profiles.serializers import ProfileSerializer
from tests.admin.browser import submit
from tests.admin.conftest import page_of
from tests.factories import ProfileFactory, ProfileTierFactory, TransactionItemFactory

pytestmark = pytest.mark.django_db

WORDS = [
    "Adelheid",
    "Loveless",
    "adelheid@example.com",
    "+61400999111",
    "CARD-4711",
    "Hidden Lane",
    "Babbage & Co",
    "likes-geese",
    "RCPT-0815",
    "heidi@example.com",
    "+61400888222",
    "CARD-0042",
]
BODY = {
    "first_name": "Adelheid",
    "last_name": "Loveless",
    "email": "adelheid@example.com",
    "mobile_phone": "+61400999111",
    "company": "Babbage & Co",
    "tags": ["likes-geese"],
    "identities": [{"handle": "card", "identifier": "CARD-4711"}],
    "addresses": [{"address_line_1": "1 Hidden Lane", "iso": "AU"}],
}
# What it said of itself before
FORMER = {
    "email": "heidi@example.com",
    "mobile_phone": "+61400888222",
    "identities": [{"handle": "card", "identifier": "CARD-0042"}],
}
CHANGED = '[{"deleted": {"name": "identity", "object": "card: CARD-4711"}}]'


def tables_with(word: str) -> set[str]:
    """Return the tables of the database in the text of whose rows the word is, in any case."""
    with connection.cursor() as cursor:
        found = set()
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM {name} row WHERE strpos(lower(row::text), %s) > 0)",
                [word.lower()],
            )
            if cursor.fetchone()[0]:
                found.add(table)
        return found


def traces() -> dict[str, set[str]]:
    """Return the tables in which a word of the profile is still found, by the word."""
    return {word: found for word in WORDS if (found := tables_with(word))}


def logged(flag: int) -> int:
    """Return how many entries of the admin's log are of a kind."""
    return LogEntry.objects.filter(action_flag=flag).count()


@pytest.fixture
def profile(api: APIClient) -> Profile:
    answer = api.post("/api/v3/profiles", BODY)
    assert answer.status_code == 201, answer.content
    return Profile.objects.get(pk=answer.json()["data"]["id"])


@pytest.fixture
def renamed(api: APIClient) -> Profile:
    """A profile that was known by other names before."""
    answer = api.post("/api/v3/profiles", BODY | FORMER)
    assert answer.status_code == 201, answer.content
    profile = Profile.objects.get(pk=answer.json()["data"]["id"])
    path = f"/api/v3/profiles/{profile.pk}"
    assert api.delete(f"{path}/identities/card").status_code == 204
    assert api.put(path, BODY).status_code == 200
    return profile


def sale(**fields: Any) -> dict[str, Any]:
    by_card = {"profile_id": "CARD-4711", "profile_id_handle": "card", "total": 10}
    return by_card | {"receipt_ref": "RCPT-0815", "meta": {"to": "Adelheid Loveless"}} | fields


def queue(body: dict[str, Any]) -> None:
    accept([Posted(body, timezone.now())], external_ids=[body.get("external_id")])


def fail(**fields: Any) -> None:
    """Queue a sale that cannot come in, and let a worker find that out."""
    queue(sale(currency="NOPE", **fields))
    ingest_queued()


def purge_by_the_api(api: APIClient, profile: Profile) -> None:
    assert api.delete(f"/api/v3/profiles/{profile.pk}/purge").status_code == 204


def post_batch(api: APIClient, *profiles: Any, by: str = "email") -> None:
    body = {"match_criteria": by, "profiles": list(profiles)}
    assert api.post("/api/v3/profiles/batch", body).status_code == 202


def test_its_words_are_in_no_table(api: APIClient, renamed: Profile):
    profile = renamed
    for body in (sale(external_id="T-1"), sale(external_id="T-2", items=[{"name": "Geese"}])):
        assert api.post("/api/v3/transactions/update-create", body).status_code == 201
    post_batch(api, BODY | {"gender": "f"}, BODY | {"mobile_phone": 5})
    while import_waiting(moment=timezone.now()):
        pass
    queue(sale(external_id="T-3", currency="NOPE"))
    ingest_queued()
    assert QueuedTransaction.objects.exclude(errors=None).exists()
    outbox.recalculate_waiting(moment=timezone.now())
    # What waits: under its names, and for its transactions
    queue(sale(external_id="T-4"))
    queue(sale(profile_id=str(profile.pk).upper(), profile_id_handle=None))
    queue(sale(profile_id="ADELHEID@example.com", profile_id_handle="email"))
    queue({"external_id": "T-1", "meta": {"to": "Adelheid"}})
    queue({"id": profile.transactions.first().pk, "meta": {"to": "Adelheid"}})
    post_batch(api, BODY, {"email": "ADELHEID@EXAMPLE.COM", "last_name": "Loveless"})
    post_batch(api, {"identities": BODY["identities"], "last_name": "Loveless"}, by="card")
    queue(sale(profile_id="Heidi@example.com", profile_id_handle="email"))
    post_batch(api, FORMER | {"last_name": "Loveless"})
    assert set(traces()) == set(WORDS)

    purge_by_the_api(api, profile)

    assert traces() == {}


BY_FORMER_EMAIL = {"profile_id": "HEIDI@example.com", "profile_id_handle": "email"}
BY_FORMER_CARD = {"profile_id": "CARD-0042", "profile_id_handle": "card"}


class TestUnderAFormerName:
    """What waits, or failed, under a name that the profile gave up goes too."""

    @pytest.mark.parametrize("name", [BY_FORMER_EMAIL, BY_FORMER_CARD])
    def test_a_sale_that_failed(self, api: APIClient, renamed: Profile, name: dict[str, str]):
        fail(**name)
        assert QueuedTransaction.objects.exclude(errors=None).exists()

        purge_by_the_api(api, renamed)

        assert not QueuedTransaction.objects.exists()

    def test_a_sale_under_an_identity_that_was_changed(self, api: APIClient, profile: Profile):
        path = f"/api/v3/profiles/{profile.pk}/identities/card"
        assert api.patch(path, {"identifier": "CARD-B"}).status_code == 200
        fail()

        purge_by_the_api(api, profile)

        assert not QueuedTransaction.objects.exists()

    @pytest.mark.parametrize("name", FORMER)
    def test_a_row_of_a_batch(self, api: APIClient, renamed: Profile, name: str):
        post_batch(api, {name: FORMER[name], "last_name": "Loveless"})

        purge_by_the_api(api, renamed)

        row = ProfileBatchRow.objects.get()
        assert (row.status, row.body) == (ProfileBatchRow.Status.ERROR, None)

    @pytest.mark.parametrize("name", [BY_FORMER_EMAIL, BY_FORMER_CARD])
    def test_also_that_of_a_profile_which_was_merged_into_it(
        self, api: APIClient, renamed: Profile, name: dict[str, str]
    ):
        destination = ProfileFactory()
        merge(source_id=renamed.pk, destination_id=destination.pk, moment=timezone.now())
        fail(**name)

        purge_by_the_api(api, destination)

        assert not QueuedTransaction.objects.exists()
        assert traces() == {}

    @pytest.mark.parametrize("name", [BY_FORMER_EMAIL, BY_FORMER_CARD])
    def test_but_not_where_another_profile_has_taken_the_name(
        self, api: APIClient, renamed: Profile, name: dict[str, str]
    ):
        another = api.post("/api/v3/profiles", FORMER).json()["data"]["id"]
        queue(sale(**name))

        purge_by_the_api(api, renamed)

        ingest_queued()
        assert str(Transaction.objects.get().profile_id) == another

    @pytest.mark.parametrize("name", FORMER)
    def test_nor_a_row_of_a_batch_for_who_has_taken_it(
        self, api: APIClient, renamed: Profile, name: str
    ):
        assert api.post("/api/v3/profiles", FORMER).status_code == 201
        post_batch(api, {name: FORMER[name]})

        purge_by_the_api(api, renamed)

        assert ProfileBatchRow.objects.get().status == ProfileBatchRow.Status.WAITING

    def test_a_deleted_profile_has_taken_nothing(self, api: APIClient, renamed: Profile):
        ProfileFactory(email="heidi@example.com", profile_type="deleted")
        fail(**BY_FORMER_EMAIL)

        purge_by_the_api(api, renamed)

        assert not QueuedTransaction.objects.exists()

    def test_no_name_is_noted_any_more(self, api: APIClient, renamed: Profile):
        assert FormerName.objects.count() == 3

        purge_by_the_api(api, renamed)

        assert not FormerName.objects.exists()

    def test_a_profile_that_is_only_deleted_keeps_them(self, api: APIClient, renamed: Profile):
        assert api.delete(f"/api/v3/profiles/{renamed.pk}").status_code == 204

        assert FormerName.objects.filter(profile=renamed).count() == 3


class TestInTheAdmin:
    """What staff did before, with what was there then, says nothing of anybody either."""

    @pytest.fixture
    def staff(self) -> Client:
        client = Client()
        client.force_login(User.objects.create(username="clerk", is_staff=True, is_superuser=True))
        return client

    @pytest.fixture
    def purchase(self, api: APIClient, profile: Profile) -> Transaction:
        body = sale(external_id="T-1", items=[{"name": "RCPT-0815"}])
        assert api.post("/api/v3/transactions", body).status_code == 201
        return profile.transactions.get()

    def test_what_was_changed(self, staff: Client, profile: Profile, purchase: Transaction):
        tier = ProfileTierFactory(profile=profile)
        for row, change in (
            (profile, {"first_name": "Heidi", "identities-0-identifier": "CARD-4711-B"}),
            (profile, {"addresses-0-address_line_1": "2 Hidden Lane"}),
            (profile, {"identities-0-DELETE": "on", "addresses-0-DELETE": "on"}),
            (purchase, {"receipt_ref": "RCPT-0815-B", "items-0-name": "Loveless"}),
            (purchase.items.get(), {"sku": "RCPT-0815"}),
            (tier, {"expires_at_0": "2199-01-01", "expires_at_1": "00:00:00"}),
        ):
            assert submit(staff, page_of(row), **change).status_code == 302

        purge(profile_id=profile.pk)

        assert logged(CHANGE) == 6
        assert traces() == {}

    def test_what_was_added(self, staff: Client, profile: Profile):
        path = "/admin/profiles/transaction/add/"
        no_items = {"items-TOTAL_FORMS": "0"}
        submit(staff, path, profile=str(profile.pk), total="5", receipt_ref="RCPT-0815", **no_items)

        purge(profile_id=profile.pk)

        assert logged(ADDITION) == 1
        assert traces() == {}

    def test_what_was_deleted(self, staff: Client, profile: Profile, purchase: Transaction):
        item = TransactionItemFactory(transaction=purchase, name="Loveless")
        queue(sale(external_id="RCPT-0815", currency="NOPE"))
        ingest_queued()
        for row in (item, purchase, QueuedTransaction.objects.get()):
            staff.post(page_of(row, "delete"), {"post": "yes"})

        purge(profile_id=profile.pk)

        assert logged(DELETION) == 3
        assert traces() == {}

    def test_what_was_selected_and_deleted(
        self, staff: Client, profile: Profile, purchase: Transaction
    ):
        chosen = {"action": "delete_selected", "_selected_action": purchase.pk, "post": "yes"}
        staff.post("/admin/profiles/transaction/", chosen)

        purge(profile_id=profile.pk)

        assert logged(DELETION) == 1
        assert traces() == {}

    def test_the_log_keeps_who_did_what(self, staff: Client, profile: Profile):
        submit(staff, page_of(profile), company="Geese", **{"identities-0-identifier": "B"})

        (entry,) = LogEntry.objects.all()
        assert (entry.user.username, entry.get_edited_object()) == ("clerk", profile)
        assert entry.object_repr == f"profile {profile.pk}"
        assert entry.get_change_message() == (
            "Changed Company. Changed Identifier for identity “…”."
        )

    def test_messages_that_nobody_saw_are_not_kept(self, staff: Client, purchase: Transaction):
        for _ in range(20):
            name = "".join(uuid4().hex for _ in range(7))  # which cannot be made any shorter
            item = TransactionItemFactory(transaction=purchase, name=name)
            assert staff.post(page_of(item, "delete"), {"post": "yes"}).status_code == 302

        assert "_messages" not in staff.session

    def test_what_was_logged_before_the_log_had_keys(self, staff: Client, profile: Profile):
        for flag, message in ((CHANGE, CHANGED), (DELETION, "")):
            LogEntry.objects.create(
                user=User.objects.get(username="clerk"),
                content_type=ContentType.objects.get_for_model(profile),
                object_id=str(profile.pk),
                object_repr="Adelheid Loveless",
                action_flag=flag,
                change_message=message,
            )
        migration = import_module("profiles.migrations.0007_log_by_key")

        migration.forget_names(apps, None)

        purge(profile_id=profile.pk)
        assert traces() == {}
        assert {entry.object_repr for entry in LogEntry.objects.all()} == {f"profile {profile.pk}"}
        assert "Deleted identity “…”." in {
            entry.get_change_message() for entry in LogEntry.objects.all()
        }


def test_why_a_recalculation_failed_says_nothing_of_the_profile(profile: Profile):
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE aggregations_aggregation ADD CHECK (likely_country_iso IS NULL)"
        )
    outbox.recalculate_waiting(moment=timezone.now())
    (failed,) = RecalculationRequest.objects.exclude(error="")

    assert "aggregations_aggregation" in failed.error
    assert "AU" not in failed.error
    assert str(profile.pk) not in failed.error


def test_why_a_row_of_a_batch_failed_quotes_nothing_of_it(api: APIClient):
    taken = ProfileSerializer().fields
    nested = [
        (name, inner) for name in ("addresses", "identities") for inner in taken[name].child.fields
    ]
    wrong = ["Adelheid", ["Adelheid"], {"Adelheid": "Adelheid"}, "Adelheid" * 1000]
    post_batch(
        api,
        *(
            {"email": f"{number}@example.com"} | body
            for number, body in enumerate(
                [{name: value} for name in taken for value in wrong]
                + [{name: [{inner: value}]} for name, inner in nested for value in wrong]
            )
        ),
    )
    while import_waiting(moment=timezone.now()):
        pass

    assert ProfileBatchRow.objects.exclude(errors={}).count() > 100
    assert "profiles_profilebatchrow" not in tables_with("Adelheid")


def test_who_was_merged_into_it_goes_with_it(profile: Profile):
    older = ProfileFactory(first_name="Adelheid", last_name="Loveless")
    oldest = ProfileFactory(company="Babbage & Co")
    merge(source_id=oldest.pk, destination_id=older.pk, moment=timezone.now())
    merge(source_id=older.pk, destination_id=profile.pk, moment=timezone.now())

    purge(profile_id=profile.pk)

    assert traces() == {}


def test_a_member_of_staff_may_be_called_the_same(profile: Profile):
    User.objects.create(username="loveless", last_login=timezone.now() - timedelta(days=1))

    purge(profile_id=profile.pk)

    assert traces() == {"Loveless": {"auth_user"}}

"""Batches of profiles: how far each is, who posted it, and what became of every profile."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone as clock

from profiles.admin import batch as page
from profiles.batches import accept, import_waiting
from profiles.models import ProfileBatch, ProfileBatchRow
from tests.admin.conftest import page_of
from tests.factories import ProfileBatchFactory

LIST = "/admin/profiles/profilebatch/"
ROWS = "/admin/profiles/profilebatchrow/"
GOOD, BAD = {"email": "a@b.test"}, {"email": "wrong"}


def batch_of(*profiles: dict) -> ProfileBatch:
    user, _ = User.objects.get_or_create(username="api.web-shop")
    return accept(match_criteria="email", profiles=profiles, accepted_from=user, moment=clock.now())


@pytest.fixture
def done(db: None) -> ProfileBatch:
    """A batch of three good profiles, which are one, and a bad one."""
    batch = batch_of(GOOD, GOOD, BAD, GOOD)
    import_waiting(moment=clock.now())
    return batch


def text(client: Client, path: str, **parameters: str) -> str:
    return " ".join(client.get(path, parameters).content.decode().split())


def state(client: Client) -> list[str]:
    shown = client.get(LIST).context["cl"]
    return [shown.model_admin.state(batch) for batch in shown.result_list]


def test_a_list_tells_how_far_each_is_and_from_whom(admin_client: Client, done: ProfileBatch):
    shown = text(admin_client, LIST)

    assert "4 of 4" in shown
    assert "api.web-shop" in shown
    assert f"{ROWS}?batch__id__exact={done.pk}&amp;status__exact=error" in shown


def test_a_list_tells_the_state_of_each_the_latest_first(
    admin_client: Client, done: ProfileBatch, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("profiles.batches.AT_ONCE", 1)
    batch_of(GOOD, GOOD)
    import_waiting(moment=clock.now())
    batch_of(GOOD)
    ProfileBatchFactory(finished_at=clock.now())

    assert state(admin_client) == ["waiting", "importing", "done with errors", "done"]


def test_a_page_tells_what_became_of_how_many(admin_client: Client, done: ProfileBatch):
    shown = text(admin_client, page_of(done))

    assert "1 created, 2 updated, 1 failed, 0 waiting" in shown
    assert "1 profile failed." in shown


def test_a_page_shows_the_failed_rows_first_and_says_that_it_stops(
    admin_client: Client, done: ProfileBatch, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(page, "SHOWN", 2)

    response = admin_client.get(page_of(done))

    rows = response.context["batch_rows"]["table"]["rows"]
    assert [row[:2] for row in rows] == [[2, "error"], [0, "created"]]
    shown = " ".join(response.content.decode().split())
    assert "the first 2, what failed before the others" in shown
    assert f"{ROWS}?batch__id__exact={done.pk}" in shown


def test_a_page_that_shows_all_rows_speaks_of_no_limit(admin_client: Client, done: ProfileBatch):
    assert "what failed before the others" not in text(admin_client, page_of(done))


def test_a_row_tells_what_is_wrong_and_leads_to_its_profile(
    admin_client: Client, done: ProfileBatch
):
    created, failed = done.rows.get(index=0), done.rows.get(index=2)
    [message] = failed.errors["email"]

    for path in (page_of(done), ROWS):
        shown = text(admin_client, path)
        assert f"<strong>email:</strong> {message}" in shown
        assert f"/admin/profiles/profile/{created.profile_id}/change/" in shown
    assert message in text(admin_client, page_of(failed))


def test_the_rows_of_a_batch_are_listed_in_their_order(admin_client: Client, done: ProfileBatch):
    batch_of(GOOD)

    listed = admin_client.get(ROWS, {"batch__id__exact": str(done.pk)}).context["cl"].result_list
    failed = admin_client.get(ROWS, {"status__exact": "error"}).context["cl"].result_list

    assert [(row.batch, row.index) for row in listed] == [(done, index) for index in range(4)]
    assert [row.index for row in failed] == [2]


@pytest.mark.parametrize("path", [LIST, ROWS])
def test_they_are_found_by_the_id_of_the_batch(admin_client: Client, done, path: str):
    batch_of(GOOD)

    found = admin_client.get(path, {"q": str(done.pk)}).context["cl"]

    assert found.result_count == {LIST: 1, ROWS: 4}[path]


@pytest.mark.parametrize(("wanted", "number"), [("unfinished", 2), ("finished", 1)])
def test_they_are_filtered_by_whether_they_are_done(
    admin_client: Client, done: ProfileBatch, wanted: str, number: int
):
    batch_of(GOOD)
    batch_of(GOOD)

    assert admin_client.get(LIST, {"state": wanted}).context["cl"].result_count == number


def test_one_whose_user_is_gone_is_shown(admin_client: Client, done: ProfileBatch):
    User.objects.filter(username="api.web-shop").delete()

    assert admin_client.get(LIST).context["cl"].result_count == 1
    assert admin_client.get(page_of(done)).status_code == 200


@pytest.mark.parametrize("view", ["change", "delete"])
def test_even_a_superuser_changes_nothing(admin_client: Client, done: ProfileBatch, view: str):
    for row in (done, done.rows.first()):
        assert admin_client.post(page_of(row, view), {"post": "yes"}).status_code == 403
    assert ProfileBatchRow.objects.count() == 4

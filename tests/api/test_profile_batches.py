"""Batches of profiles: accepted at once, imported by a worker, told row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import Model
from django.db.models.signals import post_save
from django.utils import timezone
from rest_framework.test import APIClient

from omneo.api.models import ApiToken
from profiles.batches import AT_ONCE, import_waiting
from profiles.merging import purge
from profiles.models import Profile, ProfileBatch, ProfileBatchRow
from tests.concurrency import another_session
from tests.factories import IdentityFactory, ProfileFactory

PATH = "/api/v3/profiles/batch"

pytestmark = pytest.mark.django_db


def post(api: APIClient, *profiles: Any, by: str = "email") -> str:
    """Post a batch and return the path that tells of it."""
    response = api.post(PATH, {"match_criteria": by, "profiles": list(profiles)})
    assert response.status_code == 202, response.content
    return f"/api/v3/batches/{response.json()['data']['id']}"


def work() -> None:
    while import_waiting(moment=timezone.now()):
        pass


@contextmanager
def failing(
    model: type[Model], which: Callable[[Any], bool], *, error: Exception | None = None
) -> Iterator[None]:
    """Let a receiver fail when such a row is saved."""

    def fail(instance: Model, **kwargs: Any) -> None:
        if which(instance):
            raise error or ValueError("a fault of ours")

    post_save.connect(fail, sender=model)
    try:
        yield
    finally:
        post_save.disconnect(fail, sender=model)


def outcomes(api: APIClient, batch: str) -> list[str]:
    return [row["status"] for row in api.get(batch).json()["data"]["outcomes"]]


def test_a_batch_is_accepted_with_its_id(api: APIClient):
    response = api.post(PATH, {"match_criteria": "email", "profiles": [{"email": "a@b.test"}]})

    assert response.status_code == 202
    data = response.json()["data"]
    assert list(data) == ["message", "id"]
    assert data["message"] == "Profiles queued for batch import."


def test_a_batch_keeps_whose_token_it_came_with(api: APIClient):
    post(api, {"email": "a@b.test"})

    assert ProfileBatch.objects.get().accepted_from == ApiToken.objects.get().user


def test_it_tells_that_it_waits_and_when_it_is_done(api: APIClient):
    batch = post(api, {"email": "a@b.test"}, {"email": "c@d.test"})
    before = api.get(batch).json()["data"]
    work()
    after = api.get(batch).json()["data"]

    assert (before["total"], before["waiting"], before["finished_at"]) == (2, 2, None)
    assert (after["total"], after["waiting"], after["created"]) == (2, 0, 2)
    assert after["finished_at"] is not None


def test_a_profile_is_matched_by_its_email_in_any_case(api: APIClient):
    profile = ProfileFactory(email="Ada@Example.com", last_name="Lovelace")

    batch = post(api, {"email": "ada@example.COM", "first_name": "Ada"}, {"email": "a@b.test"})
    work()

    profile.refresh_from_db()
    assert outcomes(api, batch) == ["updated", "created"]
    assert (profile.first_name, profile.last_name) == ("Ada", "Lovelace")


def test_a_profile_is_matched_by_the_identity_of_the_handle(api: APIClient):
    profile = IdentityFactory(handle="card", identifier="1").profile
    IdentityFactory(profile=profile, handle="app", identifier="2")
    row = {"first_name": "Ada", "identities": [{"handle": "card", "identifier": "1"}]}

    batch = post(api, row, row | {"identities": [{"handle": "card", "identifier": "3"}]}, by="card")
    work()

    profile.refresh_from_db()
    assert outcomes(api, batch) == ["updated", "created"]
    assert profile.first_name == "Ada"
    assert profile.identities.count() == 2


def test_rows_have_their_effect_in_their_order(api: APIClient):
    batch = post(api, *({"email": "a@b.test", "first_name": str(number)} for number in range(3)))
    work()

    assert outcomes(api, batch) == ["created", "updated", "updated"]
    assert Profile.objects.get().first_name == "2"


def test_a_bad_row_tells_why_and_holds_up_no_other(api: APIClient):
    ProfileFactory(mobile_phone="+61400")

    batch = post(
        api,
        {"email": "a@b.test", "mobile_phone": "+61400"},
        {"email": "a@b.test", "addresses": [{"iso": "XX"}]},
        {"first_name": "Nobody"},
        "nothing",
        None,
        {"email": "c@d.test"},
    )
    work()

    data = api.get(batch).json()["data"]
    assert (data["created"], data["failed"]) == (1, 5)
    assert [row["errors"] and list(row["errors"]) for row in data["outcomes"]] == [
        ["mobile_phone"],
        ["addresses.0.iso"],
        ["email"],
        ["non_field_errors"],
        ["non_field_errors"],
        None,
    ]
    assert data["outcomes"][0]["errors"] == {"mobile_phone": ["The phone number exists"]}


def test_a_row_that_meets_a_fault_of_ours_fails_alone(api: APIClient):
    batch = post(
        api, *({"email": f"{name}@b.test", "first_name": name} for name in ("a", "bug", "c"))
    )
    with failing(Profile, lambda profile: profile.first_name == "bug"):
        work()

    data = api.get(batch).json()["data"]
    assert [row["status"] for row in data["outcomes"]] == ["created", "error", "created"]
    assert data["outcomes"][1]["errors"] == {"non_field_errors": ["This profile cannot be stored."]}
    assert data["finished_at"] is not None


def test_a_row_waits_for_its_next_try_where_the_fault_is_not_its_own(api: APIClient):
    batch = post(api, {"email": "a@b.test"})
    with (
        failing(Profile, lambda _: True, error=OperationalError("the server is going down")),
        pytest.raises(OperationalError),
    ):
        work()
    assert outcomes(api, batch) == ["waiting"]

    work()

    assert outcomes(api, batch) == ["created"]


@pytest.mark.parametrize(
    "identities",
    [
        None,
        [],
        [{"handle": "app", "identifier": "1"}],
        [{"handle": "card", "identifier": 1}],
        [{"handle": "card", "identifier": "1"}, {"handle": "card", "identifier": "2"}],
    ],
)
def test_a_row_that_cannot_be_matched_fails(api: APIClient, identities: Any):
    batch = post(api, {"identities": identities}, by="card")
    work()

    assert outcomes(api, batch) == ["error"]
    assert not Profile.objects.exists()


def test_a_large_batch_is_imported_in_several_steps(api: APIClient):
    batch = post(api, *({"email": f"p{number}@b.test"} for number in range(AT_ONCE + 1)))

    import_waiting(moment=timezone.now())
    halfway = api.get(batch).json()["data"]
    work()

    assert (halfway["waiting"], halfway["finished_at"]) == (1, None)
    assert api.get(batch).json()["data"]["created"] == AT_ONCE + 1


def test_what_is_done_keeps_no_personal_data(api: APIClient):
    post(api, {"email": "a@b.test"}, {"email": "wrong"})
    work()

    assert set(ProfileBatchRow.objects.values_list("body", flat=True)) == {None}


def test_a_profile_that_was_purged_meanwhile_is_not_made_again(api: APIClient):
    profile = ProfileFactory(email="a@b.test")
    batch = post(api, {"email": "A@b.test"}, {"email": "c@d.test"})

    purge(profile_id=profile.pk)
    work()

    assert outcomes(api, batch) == ["error", "created"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"profiles": [{}]}, "match_criteria"),
        ({"match_criteria": "a b", "profiles": [{}]}, "match_criteria"),
        ({"match_criteria": 5, "profiles": [{}]}, "match_criteria"),
        ({"match_criteria": "email"}, "profiles"),
        ({"match_criteria": "email", "profiles": []}, "profiles"),
        ({"match_criteria": "email", "profiles": {}}, "profiles"),
        ({"match_criteria": "email", "profiles": [{}] * 1001}, "profiles"),
    ],
)
def test_what_is_no_batch_is_refused(api: APIClient, body: dict[str, Any], field: str):
    response = api.post(PATH, body)

    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]
    assert not ProfileBatchRow.objects.exists()


@pytest.mark.parametrize("key", ["1", "nobody", "00000000-0000-0000-0000-000000000000"])
def test_one_that_is_not_there_is_not_found(api: APIClient, key: str):
    assert api.get(f"/api/v3/batches/{key}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_profile_that_somebody_else_makes_at_the_same_time_is_updated(api: APIClient):
    batch = post(api, {"email": "a@b.test", "first_name": "Ada"})
    with another_session() as other:
        other.begin()
        other.do(api.post, "/api/v3/profiles", {"email": "A@b.test", "last_name": "Lovelace"})
        with another_session() as worker:
            done = worker.start(work)
            worker.wait_until_blocked()
            other.commit()
            done.result()

    profile = Profile.objects.get()
    assert outcomes(api, batch) == ["updated"]
    assert (profile.first_name, profile.last_name) == ("Ada", "Lovelace")

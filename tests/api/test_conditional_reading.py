"""A client that holds a version of a row asks whether it is still the current one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from aggregations.calculation import recalculate
from profiles.models import Profile
from tests.factories import (
    LocationFactory,
    NormalHoursFactory,
    ProfileFactory,
    TransactionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory()


def get(api: APIClient, profile: Profile, *, held: str | None = None) -> Response:
    headers = {"If-None-Match": held} if held else {}
    return api.get(f"/api/v3/profiles/{profile.id}/aggregations", headers=headers)


def recalculated(profile: Profile) -> None:
    recalculate(profile_ids=[profile.id], moment=timezone.now())


def test_the_version_that_is_held_is_not_sent_again(api, profile):
    held = get(api, profile).headers["ETag"]

    answer = get(api, profile, held=held)

    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["ETag"] == held
    assert "Omneo-Calculated-At" in answer.headers


@pytest.mark.parametrize("form", ["W/{}", '"other", {}'])
def test_it_is_known_in_every_form_that_a_cache_may_give_it(api, profile, form):
    held = get(api, profile).headers["ETag"]

    assert get(api, profile, held=form.format(held)).status_code == 304


def test_a_recalculation_that_changes_nothing_keeps_the_version(api, profile):
    held = get(api, profile).headers["ETag"]
    recalculate(profile_ids=[profile.id], moment=timezone.now() + timedelta(seconds=5))

    assert get(api, profile, held=held).status_code == 304


def test_a_changed_value_is_another_version(api, profile):
    held = get(api, profile).headers["ETag"]
    TransactionFactory(profile=profile)
    recalculated(profile)

    answer = get(api, profile, held=held)

    assert answer.status_code == 200
    assert answer.headers["ETag"] != held


def test_a_change_of_a_nested_place_is_another_version_though_the_row_is_the_same(api, profile):
    store = LocationFactory()
    hours = NormalHoursFactory(location=store)
    TransactionFactory(profile=profile, location=store)
    recalculated(profile)
    held = get(api, profile).headers["ETag"]
    hours.delete()

    assert get(api, profile, held=held).status_code == 200


def test_a_recalculation_that_was_asked_for_is_always_answered_in_full(api, profile):
    path = f"/api/v3/profiles/{profile.id}/aggregations/calculate"
    held = api.post(path).headers["ETag"]

    assert api.post(path, headers={"If-None-Match": held}).status_code == 200


def test_only_the_client_itself_may_keep_a_body_and_asks_before_it_uses_it(api, profile):
    assert get(api, profile).headers["Cache-Control"] == "private, no-cache"

"""Statuses, as the API calls tiers, and which of them a profile holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from profiles.models import Profile, ProfileTier, Tier
from tests.factories import ProfileFactory, ProfileTierFactory, TierFactory
from tests.waiting import forget_who_waits, who_waits

PATH = "/api/v3/statuses"
GOLD = {"name": "Gold", "handle": "gold"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def tier() -> Tier:
    return TierFactory(name="Gold", handle="gold")


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory()


def held_by(profile: Profile, holding: ProfileTier | None = None) -> str:
    path = f"/api/v3/profiles/{profile.pk}/statuses"
    return f"{path}/{holding.pk}" if holding else path


class TestStatuses:
    def test_a_name_and_a_handle_are_enough(self, api):
        response = api.post(PATH, GOLD)

        assert response.status_code == 201
        assert response.json()["data"].items() >= {**GOLD, "sort_order": 0, "code": None}.items()

    @pytest.mark.parametrize("missing", ["name", "handle"])
    def test_without_them_there_is_none(self, api, missing):
        response = api.post(PATH, {key: value for key, value in GOLD.items() if key != missing})

        assert list(response.json()["errors"]) == [missing]

    def test_what_is_given_comes_back_changed_in_nothing(self, api):
        given = GOLD | {
            "sort_order": -3,
            "description": "  two\n lines ",
            "icon": "",
            "colour": "#FFD700",
            "group_handle": " group ",
            "timezone": "Australia/Perth",
            "period": 12,
            "period_type": "months",
            "absolute_expiry": "2030-06-30 08:05:09",
        }

        assert api.post(PATH, given).json()["data"].items() >= given.items()

    def test_a_time_with_an_offset_comes_back_in_utc(self, api):
        given = GOLD | {"absolute_expiry": "2030-06-30T18:05:09.9+10:00"}

        data = api.post(PATH, given).json()["data"]

        assert data["absolute_expiry"] == "2030-06-30 08:05:09"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"sort_order": "1"}, "sort_order"),
            ({"sort_order": 1.5}, "sort_order"),
            ({"sort_order": True}, "sort_order"),
            ({"sort_order": 2**31}, "sort_order"),
            ({"sort_order": 10**200}, "sort_order"),
            ({"colour": "gold"}, "colour"),
            ({"period": -1, "period_type": "days"}, "period"),
            ({"period": 1}, "period_type"),
            ({"period_type": "days"}, "period_type"),
            ({"period": 1, "period_type": "decades"}, "period_type"),
            ({"timezone": "Nowhere"}, "timezone"),
            ({"absolute_expiry": "0000-01-01 00:00:00"}, "absolute_expiry"),
            ({"absolute_expiry": "9999-12-31 23:59:59"}, "absolute_expiry"),
            ({"absolute_expiry": "2025-02-30 00:00:00"}, "absolute_expiry"),
            ({"absolute_expiry": 1751270400}, "absolute_expiry"),
            ({"terms_conditions": "x" * 20001}, "terms_conditions"),
        ],
    )
    def test_what_is_wrong_is_told(self, api, body, field):
        response = api.post(PATH, GOLD | body)

        assert response.status_code == 422
        assert list(response.json()["errors"]) == [field]
        assert not Tier.objects.exists()

    def test_a_handle_is_there_once(self, api, tier):
        assert list(api.post(PATH, GOLD).json()["errors"]) == ["handle"]

    def test_one_that_somebody_held_stays(self, api, tier):
        ProfileTierFactory(tier=tier)

        response = api.delete(f"{PATH}/{tier.pk}")

        assert response.status_code == 409
        assert response.json()["message"] == "It is in use by holdings (1)."

    def test_a_new_rank_asks_for_the_recalculation_of_its_holders(self, api, tier):
        holding = ProfileTierFactory(tier=tier)
        forget_who_waits()

        api.put(f"{PATH}/{tier.pk}", {"sort_order": 5})

        assert who_waits() == {holding.profile_id}


class TestHoldings:
    @pytest.mark.parametrize("by", ["status_id", "handle"])
    def test_a_status_is_given_by_its_id_or_its_handle(self, api, profile, tier, by):
        named = {"status_id": tier.pk, "handle": "gold"}

        response = api.post(held_by(profile), {by: named[by], "started_at": "2025-01-31"})

        data = response.json()["data"]
        assert response.status_code == 201
        assert (data["profile_id"], data["status_id"]) == (str(profile.pk), tier.pk)
        assert data["status"]["name"] == "Gold"
        assert data["started_at"] == "2025-01-31 00:00:00"

    def test_it_starts_now_and_expires_by_the_period_unless_said_otherwise(self, api, profile):
        tier = TierFactory(period=1, period_type="months")

        data = api.post(held_by(profile), {"status_id": tier.pk}).json()["data"]

        assert data["started_at"][:10] == str(timezone.now().date())
        assert data["expires_at"] is not None

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "status_id"),
            ({"status_id": 0}, "status_id"),
            ({"status_id": None}, "status_id"),
            ({"status_id": "gold"}, "status_id"),
            ({"handle": "silver"}, "handle"),
            ({"handle": "gold", "started_at": "2025-02-01", "expires_at": "2025-01-31"},
             "expires_at"),
            ({"handle": "gold", "started_at": "2025-02-01", "removed_at": "2025-01-31"},
             "removed_at"),
            ({"handle": "gold", "started_at": None}, "started_at"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_told(self, api, profile, tier, body: dict[str, Any], field):
        response = api.post(held_by(profile), body)

        assert response.status_code == 422
        assert list(response.json()["errors"]) == [field]

    def test_what_was_held_before_is_listed_too(self, api, profile):
        ProfileTierFactory(profile=profile, expires_at="2024-02-01T00:00Z")
        ProfileTierFactory()

        rows = api.get(held_by(profile)).json()["data"]

        assert [row["expires_at"] for row in rows] == ["2024-02-01 00:00:00"]

    def test_a_profile_shows_what_it_holds_at_the_moment(self, api, profile):
        now = timezone.now()
        day = timedelta(days=1)
        ProfileTierFactory(profile=profile, tier__name="held")
        ProfileTierFactory(profile=profile, tier__name="expired", expires_at=now - day)
        ProfileTierFactory(profile=profile, tier__name="removed", removed_at=now - day)
        ProfileTierFactory(profile=profile, tier__name="to come", started_at=now + day)

        data = api.get(f"/api/v3/profiles/{profile.pk}").json()["data"]

        assert [row["status"]["name"] for row in data["statuses"]] == ["held"]

    def test_it_ends_when_it_is_removed(self, api, profile):
        holding = ProfileTierFactory(profile=profile)

        data = api.put(held_by(profile, holding), {"removed_at": "2024-03-01"}).json()["data"]

        assert data["removed_at"] == "2024-03-01 00:00:00"
        assert api.get(f"/api/v3/profiles/{profile.pk}").json()["data"]["statuses"] == []

    def test_one_that_is_deleted_was_never_held(self, api, profile):
        holding = ProfileTierFactory(profile=profile)
        forget_who_waits()

        assert api.delete(held_by(profile, holding)).status_code == 204
        assert api.get(held_by(profile, holding)).status_code == 404
        assert who_waits() == {profile.pk}

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_that_of_another_profile_is_not_there(self, api, profile, method):
        elsewhere = ProfileTierFactory()

        response = getattr(api, method)(held_by(profile, elsewhere))

        assert response.status_code == 404
        assert ProfileTier.objects.filter(pk=elsewhere.pk).exists()


def test_a_list_is_sorted_by_rank(api: APIClient):
    for name, rank in [("Silver", 2), ("Gold", 1)]:
        TierFactory(name=name, sort_order=rank)

    rows = api.get(f"{PATH}?sort=sort_order").json()["data"]

    assert [row["name"] for row in rows] == ["Gold", "Silver"]

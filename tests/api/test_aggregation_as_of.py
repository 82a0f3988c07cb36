"""The aggregations of one profile as of the past: what the row would have said then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from aggregations.models import Aggregation
from profiles.models import Profile
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
    DepartmentFactory,
    LocationAddressFactory,
    LocationFactory,
    NormalHoursFactory,
    ProfileFactory,
    ProfileTierFactory,
    TransactionFactory,
    TransactionItemFactory,
    utc,
)

AT_MOST = 6
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory(joined_at=utc("2025-01-15 00:00"))


@pytest.fixture
def get(api: APIClient, profile: Profile) -> Callable[..., Response]:
    """Return the function that reads the profile as of then."""

    def get(as_of: str, *, held: str | None = None) -> Response:
        headers = {"If-None-Match": held} if held else {}
        path = f"/api/v3/profiles/{profile.id}/aggregations"
        return api.get(path, {"as_of": as_of}, headers=headers)

    return get


@pytest.fixture
def spend(get: Callable[..., Response]) -> Callable[[str], int]:
    """Return the function that tells what was spent by then."""

    def spend(as_of: str) -> int:
        response = get(as_of)
        assert response.status_code == 200, response.json()
        return response.json()["data"]["spend_all"]

    return spend


def sell(profile: Profile, at: datetime | str, *, total: int = 10) -> None:
    moment = utc(at) if isinstance(at, str) else at
    TransactionFactory(profile=profile, transacted_at=moment, total=total)


class TestWhen:
    @pytest.mark.parametrize(
        ("sold_at", "spent"),
        [
            ("2025-06-30 00:00", 10),
            ("2025-06-30 23:59:59.999999", 10),
            ("2025-07-01 00:00", 0),
        ],
    )
    def test_a_date_is_the_end_of_its_day_in_utc(self, profile, spend, sold_at, spent):
        sell(profile, sold_at)

        assert spend("2025-06-30") == spent

    @pytest.mark.parametrize(
        "written",
        [
            "2025-06-30 08:05:00",
            "2025-06-30T08:05",
            "2025-06-30T08:05:00Z",
            "2025-06-30T18:05:00+10:00",
        ],
    )
    def test_a_time_is_that_moment_and_in_utc_without_an_offset(self, profile, spend, written):
        sell(profile, "2025-06-30 08:05:00", total=1)
        sell(profile, "2025-06-30 08:05:00.000001", total=2)

        assert spend(written) == 1

    def test_a_time_counts_to_the_microsecond(self, profile, spend):
        sell(profile, "2025-06-30 08:05:00.000001")

        assert spend("2025-06-30 08:05:00.000000") == 0
        assert spend("2025-06-30 08:05:00.000001") == 10

    def test_today_is_as_far_as_it_has_come(self, profile, spend):
        now = timezone.now()
        sell(profile, now - timedelta(microseconds=1), total=1)
        sell(profile, now + HOUR, total=2)

        assert spend(now.date().isoformat()) == 1

    @pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(days=400)])
    def test_a_time_in_the_future_is_refused(self, get, ahead):
        response = get((timezone.now() + ahead).isoformat())

        assert response.status_code == 422
        [message] = response.json()["errors"]["as_of"]
        assert message.startswith("A date or time in the past is wanted")

    def test_a_day_in_the_future_is_refused(self, get):
        assert get((timezone.now() + timedelta(days=1)).date().isoformat()).status_code == 422

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "yesterday",
            "20250630",
            "2025-6-30",
            "2025-02-29",
            "2025-06-30 25:00",
            "2025-06-30T18:05:00 10:00",
            "2025-W27-1",
            "0000-01-01",
            "0001-01-01T00:00:00+14:00",
            "1899-12-31",
            "9999-12-31",
            "9999-12-31T23:59:59-14:00",
            "1751270700",
        ],
    )
    def test_what_is_no_date_or_time_of_the_calendar_is_refused(self, get, written):
        response = get(written)

        assert response.status_code == 422
        assert list(response.json()["errors"]) == ["as_of"]

    def test_the_calendar_begins_in_1900(self, spend):
        assert spend("1900-01-01") == 0


class TestTheAnswer:
    @pytest.fixture
    def regular(self, profile: Profile) -> Profile:
        """The profile with all that a row can point to."""
        store = LocationFactory()
        LocationAddressFactory(location=store, iso="AU")
        NormalHoursFactory(location=store)
        DepartmentFactory(location=store, brand=BrandFactory())
        sale = TransactionFactory(profile=profile, location=store, currency=CurrencyFactory())
        TransactionItemFactory(transaction=sale, brand=BrandFactory())
        ProfileTierFactory(profile=profile)
        return profile

    def test_it_is_the_body_of_now_where_nothing_lies_between(self, api, regular, get):
        now = api.get(f"/api/v3/profiles/{regular.id}/aggregations").json()

        as_of = get(timezone.now().isoformat()).json()

        assert as_of["data"]["store_join"]["departments"]
        assert list(as_of["data"].items()) == list(now["data"].items())

    def test_the_windows_reach_back_from_then(self, profile, get):
        sell(profile, "2024-07-01 00:00")

        data = get("2025-06-30").json()["data"]

        assert (data["spend_12m"], data["spend_12m_now"]) == (10, 10)
        assert (data["dimension_recency"], data["dimension_join"]) == ("RA", "JC")

    def test_the_headers_tell_which_moment_it_is_of(self, get):
        response = get("2025-06-30")

        assert response["Omneo-Calculated-At"] == "2025-06-30 23:59:59"
        assert response["Omneo-Pending"] == "false"
        assert response["Cache-Control"] == "private, no-cache"
        assert "Omneo-Next-Change-At" not in response
        assert "Last-Modified" not in response

    def test_the_version_that_is_held_is_not_sent_again(self, get):
        held = get("2025-06-30")["ETag"]

        assert get("2025-06-30", held=held).status_code == 304

    def test_a_sale_that_is_entered_late_is_another_version(self, profile, get):
        held = get("2025-06-30")["ETag"]
        sell(profile, "2025-06-30 12:00")

        assert get("2025-06-30", held=held).status_code == 200

    def test_a_sale_of_later_is_the_same_version(self, profile, get):
        held = get("2025-06-30")["ETag"]
        sell(profile, "2025-07-01 12:00")

        assert get("2025-06-30", held=held).status_code == 304

    def test_a_time_that_is_held_says_nothing_of_the_past(self, api, profile):
        response = api.get(
            f"/api/v3/profiles/{profile.id}/aggregations?as_of=2025-06-30",
            headers={"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"},
        )

        assert response.status_code == 200

    def test_nothing_is_stored(self, regular, get):
        before = contents()

        assert get("2025-06-30").json()["data"]["shop_count"] == 1

        assert contents() == before
        assert not Aggregation.objects.exists()

    def test_the_number_of_queries_is_that_of_an_empty_history(self, api, regular, get):
        path = f"/api/v3/profiles/{ProfileFactory().id}/aggregations?as_of=2025-06-30"
        api.get(path)  # notes that the token was used
        with CaptureQueriesContext(connection) as of_nothing:
            api.get(path)

        with CaptureQueriesContext(connection) as of_everything:
            get("2025-06-30")

        assert len(of_everything) == len(of_nothing) <= AT_MOST


def contents() -> dict[str, list[dict[str, Any]]]:
    """Return what is in the tables of all apps but the one that knows who asks."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for app in ("locations", "profiles", "aggregations")
        for model in apps.get_app_config(app).get_models()
    }


class TestWhoAndWhere:
    def test_nobody_has_no_past(self, api):
        path = "/api/v3/profiles/922fafaf-1115-2221-a330-fed333339700/aggregations"

        assert api.get(path, {"as_of": "2025-06-30"}).status_code == 404

    def test_a_deleted_profile_has_none_either(self, profile, get):
        Profile.objects.update(profile_type=Profile.Type.DELETED)

        assert get("2025-06-30").status_code == 404

    def test_it_needs_the_scope_to_read(self, client_with, profile):
        path = f"/api/v3/profiles/{profile.id}/aggregations?as_of=2025-06-30"

        assert client_with("profiles:read").get(path).status_code == 403
        assert client_with("aggregations:read").get(path).status_code == 200

    @pytest.mark.parametrize(
        "path",
        [
            "/profiles/{}/aggregations/calculate",
            "/profiles/{}?include=aggregations",
            "/profiles?include=aggregations",
            "/aggregations",
        ],
    )
    def test_everything_else_is_of_now_and_says_so(self, api, profile, path):
        joined = "&" if "?" in path else "?"

        response = api.get(f"/api/v3{path.format(profile.id)}{joined}as_of=2025-06-30")

        assert response.status_code == 422
        assert response.json()["errors"] == {"as_of": ["There is no such parameter here."]}

    def test_a_recalculation_that_is_posted_is_of_now_too(self, api, profile):
        path = f"/api/v3/profiles/{profile.id}/aggregations/calculate?as_of=2025-06-30"

        assert api.post(path).status_code == 422
        assert not Aggregation.objects.exists()

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ("as-of=2025-06-30", "as-of"),
            ("filter[spend_all]=1", "filter[spend_all]"),
            ("as_of=2025-06-30&as_of=2025-06-30", "as_of"),
        ],
    )
    def test_a_parameter_that_nobody_knows_or_comes_twice_is_refused(
        self, api, profile, query, parameter
    ):
        response = api.get(f"/api/v3/profiles/{profile.id}/aggregations?{query}")

        assert response.status_code == 422
        assert list(response.json()["errors"]) == [parameter]

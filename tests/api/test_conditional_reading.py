"""A client that holds a version of a row asks whether it is still the current one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db.models import Model
from django.utils import timezone
from django.utils.http import http_date, parse_http_date
from rest_framework.response import Response
from rest_framework.test import APIClient

from aggregations.calculation import recalculate
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
    SpecialHoursFactory,
    TransactionFactory,
    utc,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> Profile:
    return ProfileFactory()


def get(
    api: APIClient, profile: Profile, *, held: str | None = None, since: str | None = None
) -> Response:
    given = {"If-None-Match": held, "If-Modified-Since": since}
    headers = {name: value for name, value in given.items() if value is not None}
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


@pytest.mark.parametrize("form", ["W/{}", '"other", {}', "*"])
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


def test_no_version_is_another_one(api, profile):
    get(api, profile)

    assert get(api, profile, held="").status_code == 200


class TestByTime:
    """`Last-Modified` and `If-Modified-Since`, for clients that keep no tags."""

    LONG_AGO = utc("2020-01-01 00:00")
    CHANGED = utc("2025-06-30 08:05:09.987654")
    TOLD = "Mon, 30 Jun 2025 08:05:09 GMT"

    @pytest.fixture
    def parts(self, profile: Profile) -> dict[str, Model]:
        """All that the row points to, last saved long ago, as the row was."""
        store, brand, currency = LocationFactory(), BrandFactory(), CurrencyFactory()
        parts = {
            "place": store,
            "address": LocationAddressFactory(location=store),
            "normal hours": NormalHoursFactory(location=store),
            "special hours": SpecialHoursFactory(location=store),
            "department": DepartmentFactory(location=store, brand=brand),
            "department without a brand": DepartmentFactory(location=store),
            "department's brand": brand,
            "currency": currency,
            "status": ProfileTierFactory(profile=profile).tier,
        }
        TransactionFactory(profile=profile, location=store, currency=currency)
        recalculated(profile)
        for part in parts.values():
            self.save_at(part, self.LONG_AGO)
        Aggregation.objects.update(changed_at=self.LONG_AGO)
        return parts

    def save_at(self, part: Model, moment: datetime) -> None:
        type(part)._base_manager.filter(pk=part.pk).update(updated_at=moment)

    @pytest.fixture
    def changed(self, parts: dict[str, Model]) -> None:
        Aggregation.objects.update(changed_at=self.CHANGED)

    def test_it_is_told_when_the_row_changed(self, api, profile, changed):
        assert get(api, profile)["Last-Modified"] == self.TOLD

    @pytest.mark.parametrize(
        "name",
        [
            "place",
            "address",
            "normal hours",
            "special hours",
            "department",
            "department without a brand",
            "department's brand",
            "currency",
            "status",
        ],
    )
    def test_it_is_told_when_something_changed_that_the_row_shows(self, api, profile, parts, name):
        self.save_at(parts[name], self.CHANGED)

        assert get(api, profile)["Last-Modified"] == self.TOLD
        assert get(api, profile, since=http_date(self.LONG_AGO.timestamp())).status_code == 200

    def test_a_row_that_points_to_nothing_tells_it_too(self, api, profile):
        before = timezone.now().replace(microsecond=0).timestamp()

        told = parse_http_date(get(api, profile)["Last-Modified"])

        assert before <= told <= timezone.now().timestamp()

    def test_a_change_by_a_clock_that_is_ahead_is_not_in_the_future(self, api, profile, parts):
        self.save_at(parts["place"], timezone.now() + timedelta(hours=1))

        told = get(api, profile)["Last-Modified"]

        assert parse_http_date(told) <= timezone.now().timestamp()
        assert get(api, profile, since=told).status_code == 200

    @pytest.mark.parametrize(
        ("since", "status"),
        [
            (timedelta(seconds=-1), 200),
            (timedelta(), 304),
            (timedelta(days=1), 304),
        ],
        ids=["the second before", "that second", "a later day"],
    )
    def test_what_has_not_changed_since_is_not_sent_again(
        self, api, profile, changed, since, status
    ):
        asked = http_date((self.CHANGED + since).timestamp())

        answer = get(api, profile, since=asked)

        assert answer.status_code == status
        assert "ETag" in answer.headers

    @pytest.mark.parametrize("held", ['"other"', ""])
    def test_a_tag_goes_before_a_time(self, api, profile, changed, held):
        assert get(api, profile, held=held, since=self.TOLD).status_code == 200

    @pytest.mark.parametrize("since", ["", "yesterday", "2025-06-30 08:05:09", "1751270709"])
    def test_a_time_in_another_form_is_passed_over(self, api, profile, changed, since):
        assert get(api, profile, since=since).status_code == 200

    def test_taking_hours_from_a_location_moves_its_time(self, api, profile, parts):
        held = get(api, profile)["Last-Modified"]

        api.patch(f"/api/v3/locations/{parts['place'].pk}", {"normal_hours": []})

        assert get(api, profile, since=held).status_code == 200

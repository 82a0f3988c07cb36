"""The rows of all profiles, as a client that walks a segment gets them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from aggregations import segments
from aggregations.calculation import recalculate, refresh_due
from aggregations.models import Aggregation
from profiles.models import Profile
from tests.api.overtaken import overtaken
from tests.concurrency import another_session, impatient
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
    LocationAddressFactory,
    LocationFactory,
    ProfileFactory,
    ProfileTierFactory,
    TierFactory,
    TransactionFactory,
    TransactionItemFactory,
)
from tests.messages import taken

PATH = "/api/v3/aggregations"

pytestmark = pytest.mark.django_db


def calculated(profile: Profile, **values: Any) -> str:
    """Calculate a profile's row and put values into it; return the profile's key."""
    recalculate(profile_ids=[profile.pk], moment=timezone.now())
    if values:
        Aggregation.objects.filter(pk=profile.pk).update(**values)
    return str(profile.pk)


def row(**values: Any) -> str:
    """Make a row with these values; return its profile's key."""
    return calculated(ProfileFactory(), **values)


def days_ago(days: int):
    return timezone.now() - timedelta(days=days)


def listed(api: APIClient, **query: Any) -> dict[str, Any]:
    response = api.get(f"{PATH}?{urlencode(query)}")
    assert response.status_code == 200, response.content
    return response.json()


def filtered(api: APIClient, **filters: Any) -> list[str]:
    """Return the keys of the profiles that filters select."""
    page = listed(api, **{f"filter[{name}]": value for name, value in filters.items()})
    return [one["profile_id"] for one in page["data"]]


def walk(api: APIClient, **query: Any) -> list[str]:
    """Return the keys on all pages, following the links."""
    found = []
    address = f"{PATH}?{urlencode(query)}"
    while address:
        page = api.get(address).json()
        found += [one["profile_id"] for one in page["data"]]
        address = page["links"]["next"]
    return found


def assert_refused(api: APIClient, query: str, parameter: str) -> None:
    response = api.get(f"{PATH}?{query}")
    assert response.status_code == 422, response.content
    assert list(response.json()["errors"]) == [parameter]


def shopper() -> Profile:
    """A profile whose row points to places, a currency and a status."""
    location = LocationFactory()
    LocationAddressFactory(location=location)
    sale = TransactionFactory(
        location=location, currency=CurrencyFactory(), transacted_at=days_ago(3)
    )
    TransactionItemFactory(transaction=sale, brand=BrandFactory())
    ProfileTierFactory(profile=sale.profile)
    calculated(sale.profile)
    return sale.profile


class TestRows:
    def test_a_row_is_what_reading_it_by_itself_answers(self, api):
        for profile in [shopper(), shopper()]:
            alone = api.get(f"/api/v3/profiles/{profile.pk}/aggregations").json()["data"]

            (listed_row,) = listed(api, **{"filter[profile_id]": profile.pk})["data"]

            assert listed_row == alone
            assert list(listed_row) == list(alone)

    def test_a_page_costs_the_same_however_many_rows_it_has(
        self, api, django_assert_max_num_queries: DjangoAssertNumQueries
    ):
        for _ in range(5):
            shopper()
        listed(api)

        with django_assert_max_num_queries(5):  # token, what is due, count, rows, parts
            page = listed(api)

        assert len(page["data"]) == 5

    def test_a_page_by_cursor_counts_nothing(self, api, django_assert_max_num_queries):
        shopper()
        listed(api)

        with django_assert_max_num_queries(4):
            listed(api, **{"page[cursor]": ""})

    def test_a_profile_is_there_once_its_row_is_calculated(self, api):
        profile = ProfileFactory()
        assert listed(api)["data"] == []

        calculated(profile)

        assert walk(api) == [str(profile.pk)]

    def test_a_deleted_profile_is_in_no_segment(self, api):
        profile = shopper()
        Profile.objects.filter(pk=profile.pk).update(profile_type=Profile.Type.DELETED)

        assert listed(api)["meta"]["total"] == 0

    def test_a_place_that_is_gone_is_null(self, api):
        row(store_join_id=2**40)

        assert listed(api)["data"][0]["store_join"] is None

    def test_it_takes_the_scope_to_read_aggregations(self, client_with):
        assert client_with("aggregations:read").get(PATH).status_code == 200
        assert client_with("profiles:read").get(PATH).status_code == 403
        assert APIClient().get(PATH).status_code == 401

    def test_it_is_only_read(self, api):
        for method in (api.post, api.put, api.patch, api.delete):
            assert method(PATH).status_code == 405

    def test_a_slash_at_the_end_makes_no_difference(self, api):
        assert api.get(f"{PATH}/").status_code == 200


class TestTheClock:
    def test_what_it_has_overtaken_is_true_in_the_selection(self, api):
        profile = overtaken()
        assert Aggregation.objects.get().dimension_recency == "RS"

        assert filtered(api, dimension_recency="RS") == []
        assert filtered(api, dimension_recency="RI", spend_12m_now=0) == [profile]

    def test_what_it_has_overtaken_is_true_in_the_answer(self, api):
        overtaken()

        (listed_row,) = listed(api)["data"]

        assert listed_row["dimension_recency"] == "RI"
        assert listed_row["spend_12m_now"] == 0

    def test_a_list_stores_nothing(self, api):
        overtaken()
        before = Aggregation.objects.values().get()

        listed(api)

        assert Aggregation.objects.values().get() == before

    @pytest.mark.django_db(transaction=True)
    def test_a_list_waits_for_nobody_who_has_a_row_in_hand(self, api):
        profile = overtaken()
        with another_session() as session:
            session.begin()
            session.do(recalculate, profile_ids=[profile], moment=days_ago(200))

            with impatient():
                assert filtered(api, dimension_recency="RI") == [profile]

    def test_far_behind_it_a_list_says_to_try_again_until_workers_have_caught_up(
        self, api, monkeypatch
    ):
        monkeypatch.setattr("aggregations.overtaken.MOST", 2)
        profiles = [overtaken() for _ in range(3)]

        refused = api.get(PATH)

        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert "message" in refused.json()
        refresh_due(moment=timezone.now())
        assert filtered(api, dimension_recency="RI") == sorted(profiles)

    @pytest.mark.django_db(transaction=True)
    def test_far_behind_it_workers_are_told(self, api, monkeypatch):
        monkeypatch.setattr("aggregations.overtaken.MOST", 0)
        overtaken()
        taken()

        api.get(PATH)

        assert taken() == ["aggregations.refresh_due"]


class TestFilters:
    @pytest.mark.parametrize(
        ("lookup", "value", "found"),
        [
            ("", "20", "b"),
            ("__in", "10,30.50", "ac"),
            ("__gt", "20", "c"),
            ("__gte", "20", "bc"),
            ("__lt", "20", "a"),
            ("__lte", "20.00", "ab"),
        ],
    )
    def test_an_amount_is_compared(self, api, lookup, value, found):
        keys = {row(spend_all=10): "a", row(spend_all=20): "b", row(spend_all="30.5"): "c"}

        selected = filtered(api, **{f"spend_all{lookup}": value})

        assert sorted(keys[key] for key in selected) == list(found)

    @pytest.mark.parametrize(
        ("name", "low", "high"),
        [
            ("shop_count", 1, 5),
            ("shop_days", 1, 5),
            ("average_shop_days", 1, 5),
            ("likely_country_score", 1, 5),
            ("discount_avg", 1, 5),
            ("at_risk_date", "2025-01-01", "2025-06-30"),
            ("second_shop_date", "2025-01-01", "2025-06-30"),
            ("spend_last_date", "2025-01-01 00:00:00+00", "2025-06-30 00:00:00+00"),
        ],
    )
    def test_numbers_dates_and_times_are_compared(self, api, name, low, high):
        lower = row(**{name: low})
        row(**{name: high})

        assert filtered(api, **{f"{name}__lt": str(high).removesuffix("+00")}) == [lower]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("dimension_frequency", "FH"),
            ("dimension_recency", "RC"),
            ("dimension_join", "J3"),
            ("channel", "CM"),
            ("likely_country", "Australia"),
            ("likely_country_iso", "AU"),
            ("likely_state_iso", "AU-VIC"),
            ("likely_region", "Oceania, South"),
        ],
    )
    def test_codes_and_names_are_found(self, api, name, value):
        key = row(**{name: value})
        row()

        assert filtered(api, **{name: value}) == [key]

    def test_one_of_some_codes_is_found(self, api):
        keys = {row(likely_country_iso="AU"), row(likely_country_iso="NZ")}
        row(likely_country_iso="US")

        assert set(filtered(api, likely_country_iso__in="AU,NZ")) == keys

    def test_what_has_no_value_is_found(self, api):
        without, with_one = row(), row(at_risk_date="2025-01-01")

        assert filtered(api, at_risk_date__isnull="true") == [without]
        assert filtered(api, at_risk_date__isnull="false") == [with_one]

    @pytest.mark.parametrize(
        "name",
        [
            "store_join",
            "most_transacted_location",
            "most_spend_location",
            "most_spend_12m_location",
            "latest_transacted_location",
        ],
    )
    def test_a_place_is_found_by_its_id(self, api, name):
        here, there = LocationFactory(), LocationFactory()
        key = row(**{f"{name}_id": here.pk})
        row(**{f"{name}_id": there.pk})
        row()

        assert filtered(api, **{name: here.pk}) == [key]
        assert len(filtered(api, **{f"{name}__in": f"{here.pk},{there.pk}"})) == 2
        assert len(filtered(api, **{f"{name}__isnull": "true"})) == 1

    @pytest.mark.parametrize("name", ["purchased_brands", "transacted_locations"])
    def test_names_are_found_among_others(self, api, name):
        both, one = row(**{name: ["Acme", "Zest, Inc"]}), row(**{name: ["Acme"]})
        row()

        assert filtered(api, **{name: "Zest, Inc"}) == [both]
        assert set(filtered(api, **{f"{name}__contains": "Acme"})) == {both, one}
        assert filtered(api, **{f"{name}__contains": "Acme,Other"}) == []
        assert set(filtered(api, **{f"{name}__overlap": "Acme,Other"})) == {both, one}

    def test_the_latest_currency_is_found_by_its_code(self, api):
        currency = CurrencyFactory()
        key = row(latest_shop_currency_id=currency.pk)
        row()

        assert filtered(api, latest_shop_currency=currency.from_code) == [key]
        assert filtered(api, latest_shop_currency__in=f"ZZZ,{currency.from_code}") == [key]
        assert filtered(api, latest_shop_currency__isnull="false") == [key]

    def test_the_best_status_is_found_by_its_handle(self, api):
        key = row(top_historic_status_id=TierFactory(handle="gold").pk)
        row(top_historic_status_id=TierFactory(handle="silver").pk)

        assert filtered(api, top_historic_status="gold") == [key]
        assert filtered(api, top_historic_status__in="gold,bronze") == [key]

    def test_several_filters_all_hold(self, api):
        key = row(shop_count=3, channel="CM")
        row(shop_count=3)
        row(channel="CM")

        assert filtered(api, shop_count=3, channel="CM") == [key]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("nothing", "1"),
            ("changed_at__gt", "2025-01-01"),
            ("spend_all__isnull", "true"),
            ("channel__gt", "CM"),
            ("store_join__gt", "1"),
            ("spend_all", "NaN"),
            ("spend_all", "1e5"),
            ("spend_all", "1_000"),
            ("spend_all", "٣"),
            ("shop_count", "1.5"),
            ("at_risk_date__lt", "6/30/2025"),
            ("at_risk_date__lt", "2025-02-30"),
            ("at_risk_date__lt", "0000-01-01"),
            ("at_risk_date__lt", "2025-06-30 08:00:00"),
            ("spend_last_date__gt", "yesterday"),
            ("profile_id", "1"),
            ("purchased_brands__contains", "Acme,,"),
            ("status", ""),
        ],
    )
    def test_what_cannot_be_selected_by_is_refused(self, api, name, value):
        assert_refused(api, f"filter[{name}]={value}", f"filter[{name}]")

    @pytest.mark.parametrize("name", ["shop_count", "spend_all", "likely_country_score"])
    def test_a_number_that_no_row_could_have_selects_none(self, api, name):
        row()

        assert filtered(api, **{f"{name}__gte": 10**18}) == []


class TestStatuses:
    @pytest.fixture
    def gold(self):
        return TierFactory(handle="gold")

    def holder(self, tier, **times: Any) -> str:
        return calculated(ProfileTierFactory(tier=tier, **times).profile)

    def test_who_holds_it_now_is_found(self, api, gold):
        now = self.holder(gold, started_at=days_ago(9), expires_at=days_ago(-9))
        endless = self.holder(gold, started_at=days_ago(9))
        self.holder(gold, started_at=days_ago(9), expires_at=days_ago(1))
        self.holder(gold, started_at=days_ago(9), removed_at=days_ago(1))
        self.holder(gold, started_at=days_ago(-9))
        self.holder(TierFactory(handle="silver"), started_at=days_ago(9))
        row()

        assert set(filtered(api, status="gold")) == {now, endless}

    def test_who_ever_held_it_is_found(self, api, gold):
        expired = self.holder(gold, started_at=days_ago(9), expires_at=days_ago(1))
        removed = self.holder(gold, started_at=days_ago(9), removed_at=days_ago(1))
        self.holder(TierFactory(handle="silver"), started_at=days_ago(9))

        assert set(filtered(api, status_ever="gold")) == {expired, removed}

    def test_one_of_some_is_enough(self, api, gold):
        silver = TierFactory(handle="silver")
        both = self.holder(gold)
        calculated(ProfileTierFactory(tier=silver, profile_id=both).profile)

        assert filtered(api, status__in="gold,silver") == [both]
        assert filtered(api, status_ever__in="silver,bronze") == [both]


class TestOrder:
    @pytest.mark.parametrize("sort", ["spend_last_date", "-spend_last_date", "channel,-spend_all"])
    @pytest.mark.parametrize("size", [1, 2, 3])
    def test_a_walk_by_cursor_sees_every_row_once_in_the_order_of_a_page(self, api, sort, size):
        for count in range(3):
            row(spend_last_date=f"2025-01-0{count + 1} 00:00:00+00", spend_all=count)
            row(channel="CM", spend_all=1)
        in_one_go = walk(api, sort=sort)

        assert len(set(in_one_go)) == 6
        assert walk(api, sort=sort, **{"page[cursor]": "", "page[size]": size}) == in_one_go

    def test_rows_come_in_the_order_of_their_profiles_keys(self, api):
        keys = sorted(row() for _ in range(4))

        assert walk(api) == walk(api, sort="profile_id") == keys
        assert walk(api, sort="-profile_id") == keys[::-1]

    def test_the_best_customers_come_first(self, api):
        keys = [row(spend_all=amount) for amount in (300, 200, 100)]

        assert walk(api, sort="-spend_all") == keys

    def test_every_filter_of_a_value_can_be_sorted_by(self, api):
        row()

        for name in segments.SegmentViewSet.ordering_fields:
            listed(api, sort=name)

    @pytest.mark.parametrize("name", ["purchased_brands", "store_join", "changed_at", "nothing"])
    def test_what_it_cannot_be_sorted_by_is_refused(self, api, name):
        assert_refused(api, f"sort={name}", "sort")


class TestIndexes:
    """Each lets a list be walked in an order from anywhere, without sorting it."""

    @pytest.mark.parametrize(
        ("index", "query"),
        [
            ("aggregations_aggregation_pkey", ""),
            ("aggregation_spend_all", "sort=-spend_all"),
            ("aggregation_spend_all", "sort=-spend_all&filter[spend_all__lte]=1000"),
            ("aggregation_last_date", "sort=-spend_last_date"),
            (
                "aggregation_last_date",
                "sort=-spend_last_date&filter[spend_last_date__isnull]=false",
            ),
            ("aggregation_at_risk", "sort=at_risk_date"),
            ("aggregation_at_risk", "sort=at_risk_date&filter[at_risk_date__lt]=2025-01-01"),
        ],
    )
    def test_a_page_of_a_walk_is_read_by_its_index(self, index, query):
        plan = plan_of(query)

        assert index in plan
        assert "Sort" not in plan


def plan_of(query: str) -> str:
    """Return how a page is read where the table is too large to be read as a whole."""
    view = segments.SegmentViewSet(action="list")
    view.request = Request(APIRequestFactory().get(f"{PATH}?{query}"))
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    return view.filter_queryset(view.get_queryset())[:16].explain()

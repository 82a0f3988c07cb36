"""What every list does alike: pages, sorting, filters. Brands stand for all of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from locations.models import Brand
from tests.factories import BrandFactory, LocationFactory, ProfileFactory, RegionFactory, utc

PATH = "/api/v3/brands"

pytestmark = pytest.mark.django_db


def listed(api: APIClient, query: str = "", *, path: str = PATH) -> dict[str, Any]:
    response = api.get(f"{path}?{query}")
    assert response.status_code == 200, response.content
    return response.json()


def names(api: APIClient, query: str = "", *, path: str = PATH) -> list[str]:
    return [row["name"] for row in listed(api, query, path=path)["data"]]


def assert_refused(api: APIClient, query: str, parameter: str, *, path: str = PATH) -> None:
    response = api.get(f"{path}?{query}")
    assert response.status_code == 422, response.content
    assert list(response.json()["errors"]) == [parameter]


def walk(api: APIClient, query: str, *, path: str = PATH) -> list[str]:
    """Return the names on all pages, following the links."""
    found = []
    address = f"{path}?{query}"
    while address:
        page = api.get(address).json()
        found += [row["name"] for row in page["data"]]
        address = page["links"]["next"]
    return found


@pytest.fixture
def brands() -> list[Brand]:
    return [BrandFactory(name=name, handle=name) for name in "abcde"]


class TestPages:
    def test_a_page_has_fifteen_rows_unless_said_otherwise(self, api):
        for _ in range(16):
            BrandFactory()

        assert len(names(api)) == 15

    def test_rows_come_in_the_order_of_their_keys(self, api, brands):
        assert names(api) == list("abcde")

    def test_a_page_tells_where_it_stands(self, api, brands):
        assert listed(api, "page[size]=2&page[number]=2")["meta"] == {
            "current_page": 2,
            "from": 3,
            "last_page": 3,
            "path": f"http://testserver{PATH}",
            "per_page": 2,
            "to": 4,
            "total": 5,
        }

    def test_the_links_lead_to_the_other_pages(self, api, brands):
        links = listed(api, "page[size]=2&page[number]=2")["links"]

        assert {
            name: [row["name"] for row in api.get(link).json()["data"]]
            for name, link in links.items()
        } == {"first": ["a", "b"], "last": ["e"], "prev": ["a", "b"], "next": ["e"]}

    def test_the_ends_of_a_list_have_no_link_beyond(self, api, brands):
        links = listed(api)["links"]

        assert links["prev"] is links["next"] is None

    def test_the_links_keep_the_rest_of_the_query(self, api, brands):
        assert walk(api, "page[size]=2&sort=-name&filter[name__in]=a,c,d,e") == list("edca")

    def test_an_empty_list_is_a_page_too(self, api):
        page = listed(api)

        assert page["data"] == []
        assert page["meta"]["from"] is page["meta"]["to"] is None
        assert (page["meta"]["total"], page["meta"]["last_page"]) == (0, 1)

    def test_behind_the_last_page_there_is_nothing(self, api, brands):
        page = listed(api, "page[number]=2147483648")

        assert page["data"] == []
        assert page["links"]["prev"].endswith("page%5Bnumber%5D=1")

    @pytest.mark.parametrize("parameter", ["page[size]", "page[number]"])
    @pytest.mark.parametrize(
        "value", ["0", "-1", "x", "", "1.5", "1e3", "%2B1", "٣", "9" * 30, "2147483649"]
    )
    def test_a_page_that_cannot_be_is_refused(self, api, parameter, value):
        assert_refused(api, f"{parameter}={value}", parameter)

    def test_a_page_has_two_hundred_rows_at_most(self, api):
        assert listed(api, "page[size]=200")["meta"]["per_page"] == 200
        assert_refused(api, "page[size]=201", "page[size]")

    def test_a_slash_at_the_end_makes_no_difference(self, api, brands):
        assert names(api, path=f"{PATH}/") == list("abcde")


class TestCursors:
    def test_a_walk_by_cursor_sees_every_row_once(self, api, brands):
        assert walk(api, "page[cursor]=&page[size]=2") == list("abcde")

    @pytest.mark.parametrize("sort", ["name", "-name", "-created_at,name"])
    def test_it_goes_in_any_order(self, api, brands, sort):
        in_one_go = names(api, f"sort={sort}")

        assert walk(api, f"page[cursor]=&page[size]=2&sort={sort}") == in_one_go

    @pytest.mark.parametrize("sort", ["external_id", "-external_id"])
    @pytest.mark.parametrize("size", [1, 2, 3])
    def test_rows_without_a_value_are_walked_where_they_are_sorted(self, api, sort, size):
        for name, external_id in [("a", None), ("b", "2"), ("c", None), ("d", "1"), ("e", "3")]:
            LocationFactory(name=name, external_id=external_id)
        path = "/api/v3/locations"
        in_one_go = names(api, f"sort={sort}", path=path)

        found = walk(api, f"page[cursor]=&page[size]={size}&sort={sort}", path=path)

        assert found == in_one_go

    def test_rows_that_are_alike_in_what_they_are_sorted_by_are_all_seen(self, api):
        for number in range(5):
            BrandFactory(name="same", handle=f"h{number}")

        assert len(walk(api, "page[cursor]=&page[size]=2&sort=-name")) == 5

    def test_a_row_that_comes_in_between_moves_no_other(self, api, brands):
        page = listed(api, "page[cursor]=&page[size]=2&sort=-name")
        BrandFactory(name="z", handle="z")

        after = api.get(page["links"]["next"]).json()

        assert [row["name"] for row in after["data"]] == ["c", "b"]

    def test_it_counts_nothing(self, api, brands, django_assert_num_queries):
        cursor = listed(api, "page[cursor]=&page[size]=2")["meta"]["next_cursor"]

        with django_assert_num_queries(2):  # the token, the rows
            api.get(f"{PATH}?page[cursor]={cursor}&page[size]=2")

    def test_the_last_page_has_no_next(self, api, brands):
        page = listed(api, "page[cursor]=&page[size]=5")

        assert page["links"]["next"] is page["meta"]["next_cursor"] is None

    @pytest.mark.parametrize(
        "cursor",
        ["x", "%00", "AAAA", "W10", "bnVsbA", "W1siaWQiXSxbImEiXV0", "W1siaWQiXSxbIlx1ZDgwMCJdXQ"],
    )
    def test_a_cursor_that_nobody_gave_is_refused(self, api, cursor):
        assert_refused(api, f"page[cursor]={cursor}", "page[cursor]")

    def test_a_cursor_of_another_order_is_refused(self, api, brands):
        cursor = listed(api, "page[cursor]=&page[size]=2")["meta"]["next_cursor"]

        assert_refused(api, f"page[cursor]={cursor}&sort=name", "page[cursor]")

    def test_a_cursor_and_a_number_exclude_each_other(self, api):
        assert_refused(api, "page[cursor]=&page[number]=1", "page[number]")


class TestSorting:
    def test_the_first_name_counts_first(self, api):
        for name, handle in [("b", "1"), ("a", "2"), ("a", "3")]:
            BrandFactory(name=name, handle=handle)

        rows = listed(api, "sort=name,-handle")["data"]

        assert [row["handle"] for row in rows] == ["3", "2", "1"]

    @pytest.mark.parametrize("value", ["", "nothing", "-", "--name", "name,", "meta", "name,name"])
    def test_what_it_cannot_be_sorted_by_is_refused(self, api, value):
        assert_refused(api, f"sort={value}", "sort")


class TestFilters:
    def test_a_value_selects_what_has_it(self, api, brands):
        assert names(api, "filter[name]=c") == ["c"]

    def test_a_list_by_comma_selects_what_has_one_of_them(self, api, brands):
        assert names(api, "filter[name__in]=a,e") == ["a", "e"]

    def test_several_filters_all_hold(self, api, brands):
        assert names(api, "filter[name__in]=a,e&filter[handle]=e") == ["e"]

    def test_what_has_no_value_can_be_selected(self, api, brands):
        BrandFactory(name="x", external_id="X")

        assert names(api, "filter[external_id__isnull]=false") == ["x"]
        assert names(api, "filter[external_id__isnull]=true") == list("abcde")

    def test_a_part_of_a_text_is_found_in_any_case(self, api):
        BrandFactory(name="Acme Tools")

        assert names(api, "filter[name__icontains]=ME%20to") == ["Acme Tools"]

    @pytest.mark.parametrize(
        "moment", ["2025-06-30 08:00:00", "2025-06-30T18:00:00%2B10:00", "2025-06-30T08:00:00Z"]
    )
    def test_times_are_compared_in_utc(self, api, moment):
        for name, written in [("before", "07:59:59"), ("at", "08:00"), ("after", "08:00:01")]:
            brand = BrandFactory(name=name)
            Brand.objects.filter(pk=brand.pk).update(created_at=utc(f"2025-06-30 {written}"))

        assert names(api, f"filter[created_at__gte]={moment}") == ["at", "after"]

    def test_a_date_is_its_midnight_in_utc(self, api):
        BrandFactory(name="now")
        tomorrow = (timezone.now() + timedelta(days=1)).date()

        assert names(api, f"filter[created_at__lt]={tomorrow}") == ["now"]
        assert names(api, f"filter[created_at__gte]={tomorrow}") == []

    @pytest.mark.parametrize(
        "name", ["nothing", "name__nothing", "name__", "__name", "meta", "pk", "locations"]
    )
    def test_a_filter_that_is_not_there_is_refused(self, api, name):
        assert_refused(api, f"filter[{name}]=1", f"filter[{name}]")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("id", "x"),
            ("id", "1.5"),
            ("id", "9" * 30),
            ("id__in", "1,,2"),
            ("id__in", "1,x"),
            ("id", "60.0"),
            ("id", "1_0"),
            ("id__in", "1,%20"),
            ("name", ""),
            ("name", "%20"),
            ("name", "%1F"),
            ("name", "%00"),
            ("name__in", ","),
            ("name__in", "a,%09"),
            ("external_id__isnull", "maybe"),
            ("external_id__isnull", ""),
            ("created_at__gte", "yesterday"),
            ("created_at__gte", "2025-13-01"),
            ("created_at__gte", "0000-01-01"),
            ("created_at__gte", "0001-01-01T00:00:00%2B14:00"),
            ("created_at__gte", "9999-12-31T23:59:59-14:00"),
            ("created_at__gte", "2025-W01-1"),
            ("created_at__gte", "1751270400"),
        ],
    )
    def test_a_value_that_cannot_be_read_is_refused(self, api, name, value):
        assert_refused(api, f"filter[{name}]={value}", f"filter[{name}]")

    def test_a_list_of_values_has_an_end(self, api):
        assert_refused(api, f"filter[id__in]={'1,' * 1000}1", "filter[id__in]")

    @pytest.mark.parametrize(
        "parameter", ["nothing", "filter", "filter[name][x]", "page", "page[x]", "Sort", "include"]
    )
    def test_a_parameter_that_nobody_knows_is_refused(self, api, parameter):
        assert_refused(api, f"{parameter}=1", parameter)

    @pytest.mark.parametrize("parameter", ["filter[name]", "sort", "page[size]"])
    def test_a_parameter_that_is_there_twice_is_refused(self, api, parameter):
        assert_refused(api, f"{parameter}=id&{parameter}=id", parameter)

    def test_a_row_has_no_parameters_of_lists(self, api, brands):
        assert_refused(api, "sort=name", "sort", path=f"{PATH}/{brands[0].pk}")

    def test_a_write_has_no_parameters_of_lists(self, api):
        assert api.post(f"{PATH}?filter[name]=a", {}).status_code == 422


@pytest.mark.parametrize(
    ("path", "factory"),
    [
        ("brands", BrandFactory),
        ("locations", LocationFactory),
        ("profiles", ProfileFactory),
        ("regions", RegionFactory),
    ],
)
def test_a_list_costs_the_same_however_many_rows_it_has(
    api: APIClient, path: str, factory: Any, django_assert_max_num_queries: DjangoAssertNumQueries
):
    for _ in range(20):
        factory()
    api.get(f"/api/v3/{path}")

    with django_assert_max_num_queries(6):
        response = api.get(f"/api/v3/{path}?page[size]=20")

    assert len(response.json()["data"]) == 20

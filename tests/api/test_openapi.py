"""The API describes itself: completely, without a token, by its own files."""

from __future__ import annotations

import calendar
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from rest_framework.test import APIClient

from omneo.api.models import RESOURCES, SCOPES
from omneo.api.schema_fields import DATE, MOMENT_TAKEN
from omneo.resources.moments import parse_moment

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The description, as anybody gets it."""
    response = APIClient().get("/api/v3/openapi.json")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    return response.json()


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in described["paths"].items()
        for method, operation in item.items()
        if method in METHODS and path != "/health"
    ]


def parameters(described: dict[str, Any], path: str) -> dict[str, Any]:
    return {each["name"]: each for each in described["paths"][path]["get"]["parameters"]}


def pointers(part: Any) -> set[str]:
    match part:
        case {"$ref": str(target)}:
            return {target}
        case dict():
            return set().union(*map(pointers, part.values()))
        case list():
            return set().union(*map(pointers, part))
    return set()


class TestTheDescription:
    def test_it_is_openapi_3_1_and_valid_without_a_warning(self, tmp_path: Path):
        file = tmp_path / "openapi.json"

        call_command(
            "spectacular",
            format="openapi-json",
            file=str(file),
            validate=True,
            fail_on_warn=True,
        )

        assert json.loads(file.read_text())["openapi"].startswith("3.1")

    def test_what_is_served_is_the_file_in_the_repository(self, described):
        file = Path(__file__).parents[2] / "docs" / "openapi.json"

        assert json.loads(file.read_text()) == described, "run `make openapi`"

    def test_it_points_to_nothing_that_is_not_there(self, described):
        for pointer in pointers(described):
            place = described
            for part in pointer.removeprefix("#/").split("/"):
                assert part in place, pointer
                place = place[part]

    def test_every_resource_is_there(self, described):
        assert {f"/{resource}" for resource in RESOURCES} < set(described["paths"])

    def test_no_path_has_a_slash_at_its_end(self, described):
        assert not [path for path in described["paths"] if path.endswith("/")]

    def test_every_operation_has_a_resource_of_scopes_and_a_summary(self, described):
        for path, method, operation in operations(described):
            assert operation["tags"][0] in RESOURCES, (method, path)
            assert operation["summary"], (method, path)

    def test_every_operation_wants_a_token_with_a_scope(self, described):
        assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
        for path, method, operation in operations(described):
            (scope,) = operation["security"][0]["bearer"]
            assert scope in SCOPES, (method, path)

    def test_a_search_that_is_posted_needs_the_scope_to_read(self, described):
        search = described["paths"]["/profiles/search-id"]["post"]

        assert search["security"] == [{"bearer": ["profiles:read"]}]

    def test_every_operation_has_its_own_name(self, described):
        names = [operation["operationId"] for *_, operation in operations(described)]

        assert len(set(names)) == len(names)


class TestAnswers:
    def test_one_object_comes_under_data(self, described):
        content = described["paths"]["/brands/{id}"]["get"]["responses"]["200"]["content"]

        assert content["application/json"]["schema"] == {
            "type": "object",
            "required": ["data"],
            "properties": {"data": {"$ref": "#/components/schemas/Brand"}},
        }

    def test_a_list_comes_with_links_and_meta(self, described):
        page = described["components"]["schemas"]["PaginatedBrandList"]

        assert page["required"] == ["data", "links", "meta"]

    def test_an_error_has_one_form(self, described):
        for response in described["components"]["responses"].values():
            schema = response["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Error"}

    def test_every_operation_may_be_refused(self, described):
        for path, method, operation in operations(described):
            assert {"401", "403", "405", "422", "429"} < set(operation["responses"]), (method, path)

    def test_a_body_may_be_unreadable(self, described):
        for path, method, operation in operations(described):
            if "requestBody" in operation:
                assert {"400", "413", "415"} < set(operation["responses"]), (method, path)

    def test_a_throttled_client_is_told_when_to_ask_again(self, described):
        headers = described["components"]["responses"]["TooManyRequests"]["headers"]

        assert headers["Retry-After"]["schema"] == {"type": "integer", "minimum": 0}

    def test_a_selection_can_be_streamed(self, described):
        content = described["paths"]["/aggregations"]["get"]["responses"]["200"]["content"]

        assert set(content) == {"application/json", "text/csv", "application/x-ndjson"}

    def test_a_selection_that_is_far_behind_tells_when_to_ask_again(self, described):
        answers = described["paths"]["/aggregations"]["get"]["responses"]
        behind = described["components"]["responses"]["FarBehind"]

        assert answers["503"] == {"$ref": "#/components/responses/FarBehind"}
        assert "Retry-After" in behind["headers"]

    def test_every_error_has_an_example(self, described):
        for name, response in described["components"]["responses"].items():
            assert response["content"]["application/json"]["example"]["message"], name

    def test_profiles_have_their_aggregations_where_they_are_asked_for(self, described):
        schemas = described["components"]["schemas"]
        asked, plain = schemas["ProfileWithAggregations"], schemas["Profile"]

        assert asked["properties"].keys() - plain["properties"] == {"aggregations"}
        assert asked["required"] == plain["required"]
        for path in ("/profiles", "/profiles/{id}"):
            answer = json.dumps(described["paths"][path]["get"]["responses"]["200"])
            assert "ProfileWithAggregations" in answer

    def test_what_was_made_links_to_what_can_be_done_with_it(self, described):
        path = "/profiles/{profile}/addresses"
        links = described["paths"][path]["post"]["responses"]["201"]["links"]
        row = described["paths"][path + "/{id}"]

        assert links.keys() == {operation["operationId"] for operation in row.values()}
        assert links[row["get"]["operationId"]]["parameters"] == {
            "id": "$response.body#/data/id",
            "profile": "$request.path.profile",
        }

    def test_nothing_is_described_in_words_about_code(self, described):
        for name, schema in described["components"]["schemas"].items():
            assert "Meta." not in schema.get("description", ""), name
            assert "validating" not in schema.get("description", ""), name

    def test_aggregations_tell_how_fresh_they_are(self, described):
        read = described["paths"]["/profiles/{profile}/aggregations"]["get"]["responses"]

        assert {"ETag", "Omneo-Calculated-At", "Omneo-Pending"} < set(read["200"]["headers"])
        assert "304" in read


class TestParameters:
    def test_filters_have_their_names_in_brackets(self, described):
        assert "filter[spend_all__gte]" in parameters(described, "/aggregations")

    def test_a_list_of_values_is_one_parameter_by_comma(self, described):
        chosen = parameters(described, "/brands")["filter[id__in]"]

        assert chosen["schema"]["items"] == {"$ref": "#/components/schemas/FilterInteger"}
        assert (chosen["style"], chosen["explode"]) == ("form", False)

    def test_a_list_can_be_paged_and_sorted(self, described):
        names = {"page[number]", "page[size]", "page[cursor]", "sort"}

        assert names < set(parameters(described, "/brands"))

    def test_only_the_row_of_a_profile_can_be_asked_for_as_of_the_past(self, described):
        assert [
            (path, method)
            for path, method, operation in operations(described)
            for parameter in operation.get("parameters", [])
            if parameter["name"] == "as_of"
        ] == [("/profiles/{profile}/aggregations", "get")]

    def test_one_row_has_neither_filters_nor_pages(self, described):
        assert set(parameters(described, "/brands/{id}")) == {"id"}

    def test_a_list_can_be_sorted_by_names_that_it_has(self, described):
        sort = parameters(described, "/brands")["sort"]["schema"]

        assert {"name", "-name"} < set(sort["items"]["enum"])
        assert sort["uniqueItems"]


class TestBodies:
    @pytest.mark.parametrize(
        ("path", "method"),
        [
            ("/profiles", "post"),
            ("/profiles/batch", "post"),
            ("/transactions", "post"),
            ("/transactions/update-create", "post"),
        ],
    )
    def test_the_main_ones_have_an_example(self, path: str, method: str, described):
        body = described["paths"][path][method]["requestBody"]["content"]["application/json"]

        assert body["examples"]

    def test_an_update_needs_no_field(self, described):
        for method in ("put", "patch"):
            body = described["paths"]["/brands/{id}"][method]["requestBody"]["content"]
            name = body["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
            assert "required" not in described["components"]["schemas"][name]

    def test_a_price_has_two_decimals(self, described):
        total = described["components"]["schemas"]["TransactionBodyRequest"]["properties"]["total"]

        assert total["multipleOf"] == 0.01

    def test_a_sale_of_a_profile_takes_its_profile_from_the_path(self, described):
        body = described["components"]["schemas"]["ProfileTransactionBodyRequest"]

        assert body["required"] == ["total"]
        assert "profile_id" not in body["properties"]

    def test_a_holding_names_its_status_in_one_of_two_ways(self, described):
        body = described["components"]["schemas"]["HoldingRequest"]

        assert body["oneOf"] == [{"required": ["status_id"]}, {"required": ["handle"]}]


class TestTimes:
    """What is described as a date or a moment is what can be read as one."""

    def test_every_day_of_the_calendar_is_a_date_and_no_other(self):
        days = {
            f"{year}-{month:02}-{day:02}": calendar.monthrange(year, month)[1] >= day
            for year in (1900, 1999, 2000, 2023, 2024, 2100, 2199)
            for month in range(1, 13)
            for day in range(1, 33)
        }

        for text, is_there in days.items():
            assert bool(re.search(DATE["pattern"], text)) == is_there, text

    @pytest.mark.parametrize(
        "text",
        [
            "1899-12-31",
            "2200-01-01",
            "2025-13-01",
            "2025-00-10",
            "2025-06-30 24:00",
            "2025-06-30 23:60",
            "2025-06-30 23:59:60",
            "2025-06-30 08:05+24:00",
            "2025-06-30 08",
            "2025-06-30  08:05",
            "30.6.2025",
        ],
    )
    def test_what_is_no_moment_is_not_described_as_one(self, text: str):
        assert not re.search(MOMENT_TAKEN["pattern"], text)
        with pytest.raises(ValueError, match="is wanted"):
            parse_moment(text)

    @pytest.mark.parametrize(
        "text",
        [
            "2025-06-30",
            "2025-06-30 08:05",
            "2025-06-30t23:59:59z",
            "2025-06-30T18:05:00.123456789+10:00",
            "2025-06-30 18:05:00,5-0930",
        ],
    )
    def test_what_is_a_moment_is_described_as_one(self, text: str):
        assert re.search(MOMENT_TAKEN["pattern"], text)
        parse_moment(text)


def test_the_description_is_only_to_be_read():
    client = APIClient(enforce_csrf_checks=True)

    answer = client.post("/api/v3/openapi.json")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert answer.json() == {"message": 'Method "POST" not allowed.'}


class TestThePage:
    def test_it_needs_no_token(self):
        assert APIClient().get("/api/v3/docs").status_code == 200

    def test_it_asks_no_foreign_host_for_anything(self):
        page = APIClient().get("/api/v3/docs").content.decode()

        assert not re.findall(r"(?:https?:)?//[a-z]", page)

    def test_the_files_that_it_asks_for_are_our_own(self):
        page = APIClient().get("/api/v3/docs").content.decode()
        files = re.findall(r'(?:src|href)="/static/([^"]+)"', page)

        assert len(files) >= 3
        for file in files:
            assert finders.find(file), file

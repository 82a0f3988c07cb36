"""How bodies are read and what is refused in any of them. Brands stand for all resources."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.response import Response
from rest_framework.test import APIClient

from locations.models import Brand
from tests.factories import BrandFactory

PATH = "/api/v3/brands"

pytestmark = pytest.mark.django_db


def post(api: APIClient, body: str | bytes, content_type: str = "application/json") -> Response:
    return api.generic("POST", PATH, body, content_type)


def brand(**values: Any) -> dict[str, Any]:
    return {"name": "Acme", "handle": "acme", **values}


def nested(depth: int) -> str:
    return '{"name": "Acme", "handle": "acme", "meta": %s}' % ("[" * depth + "]" * depth)


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "{}}",
        '{"name": NaN}',
        '{"name": Infinity}',
        '{"name": -Infinity}',
        '{"meta": [1e400]}',
        '{"meta": [-1e400]}',
        '{"meta": [' + "9" * 301 + "]}",
        '{"meta": [' + "9" * 5000 + "]}",
        '{"name": "a", "name": "b"}',
        '{"meta": {"a": {"b": 1, "b": 1}}}',
        '{"name": "\\u0000"}',
        '{"name": "\\u001b"}',
        '{"name": "\\b"}',
        '{"name": "\x7f"}',
        '{"name": "\x85"}',
        '{"name": "\ud800"}'.encode("utf-8", "surrogatepass"),
        '{"name": "\\ud800"}',
        '{"meta": {"\\udfff": 1}}',
        b'{"name": "\xff"}',
        b"\xef\xbb\xbf{}",
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 100_000,
        nested(32),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_body_that_has_no_one_meaning_is_a_bad_request(api: APIClient, body: str | bytes):
    response = post(api, body)

    assert response.status_code == 400
    assert list(response.json()) == ["message"]
    assert not Brand.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "5", '"Acme"', "null", "true", "[{}]"])
def test_a_body_that_is_not_an_object_does_not_validate(api: APIClient, body: str):
    assert post(api, body).status_code == 422


def test_nesting_that_a_reader_can_follow_is_taken(api: APIClient):
    assert post(api, nested(31)).status_code == 201


@pytest.mark.parametrize(
    "text", ["two\nlines\tand a tab\r\n", "  blanks  ", "🦘", "e\u0301", "\u202e", "", " "]
)
def test_a_text_comes_back_as_it_went(api: APIClient, text: str):
    response = api.post(PATH, brand(description=text))

    assert response.status_code == 201
    assert response.json()["data"]["description"] == text


def test_an_escaped_character_is_the_character(api: APIClient):
    response = post(api, '{"name": "\\ud83e\\udd98\\u00e9", "handle": "acme"}')

    assert response.json()["data"]["name"] == "🦘é"


@pytest.mark.parametrize(
    "meta",
    [
        {"price": 12.5, "count": 3, "done": True, "none": None, "list": [], "text": ""},
        [1, "two", {"three": 3.25}],
        {"large": 10**30, "small": 1e-7, "exact": 0.1},
        {},
        [],
    ],
)
def test_what_a_client_stores_comes_back_as_it_went(api: APIClient, meta: Any):
    response = api.post(PATH, brand(meta=meta))

    assert response.json()["data"]["meta"] == meta


def test_a_number_keeps_every_digit_that_it_was_written_with(api: APIClient):
    body = '{"from": "AUD", "to": "USD", "rate": 1234567890.12345678}'

    response = api.generic("POST", "/api/v3/currencies", body, "application/json")

    assert b'"rate":1234567890.12345678,' in response.content


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 5),
        ("name", True),
        ("name", ["Acme"]),
        ("name", {"a": 1}),
        ("name", None),
        ("name", ""),
        ("name", "x" * 256),
        ("handle", "two words"),
        ("handle", "ä"),
        ("external_id", 5),
        ("external_id", "x" * 256),
        ("description", "x" * 5001),
        ("url", "acme"),
        ("url", "javascript:alert(1)"),
        ("url", "https://" + "x" * 600 + ".test"),
        ("meta", "text"),
        ("meta", 5),
        ("meta", None),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_by_its_field(api: APIClient, field: str, value: Any):
    response = api.post(PATH, brand(**{field: value}))

    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]
    assert not Brand.objects.exists()


def test_a_text_of_the_wrong_form_is_told_which_form_is_wanted(api: APIClient):
    response = api.post(PATH, brand(url="acme"))

    assert response.json()["errors"] == {"url": ["Enter a valid URL."]}


def test_a_code_that_is_empty_is_none(api: APIClient):
    response = api.post(PATH, brand(external_id="", url=""))

    assert response.json()["data"]["external_id"] is None
    assert response.json()["data"]["url"] is None


def test_what_the_server_sets_is_not_taken(api: APIClient):
    response = api.post(PATH, brand(id=99, created_at="2001-01-01 00:00:00"))

    assert response.json()["data"]["id"] != 99
    assert not response.json()["data"]["created_at"].startswith("2001")


def test_a_body_has_a_largest_size(api: APIClient, settings: Settings):
    body = json.dumps(brand())
    settings.API_MAX_BODY_BYTES = len(body)
    assert post(api, body).status_code == 201

    response = post(api, body + " ")

    assert response.status_code == 413
    assert response.json() == {"message": f"The body is larger than {len(body)} bytes."}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data"],
)
def test_only_json_is_read(api: APIClient, content_type: str):
    assert post(api, "name=Acme", content_type).status_code == 415


def test_json_may_name_its_encoding(api: APIClient):
    body = json.dumps(brand())

    assert post(api, body, "application/json; charset=utf-8").status_code == 201


class TestWriting:
    def test_what_is_new_is_answered_with_its_place(self, api):
        response = api.post(PATH, brand(url="https://acme.test/"))

        assert response.status_code == 201
        assert response["Location"] == f"http://testserver{PATH}/{response.json()['data']['id']}"
        assert api.get(response["Location"]).json() == response.json()

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_an_update_changes_what_is_given_and_nothing_else(self, api, method):
        row = BrandFactory(name="Acme", description="Tools")

        response = getattr(api, method)(f"{PATH}/{row.pk}", {"name": "Apex"})

        assert response.status_code == 200
        assert response.json()["data"]["name"] == "Apex"
        assert response.json()["data"]["description"] == "Tools"

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_an_update_of_nothing_changes_nothing(self, api, method):
        row = BrandFactory(name="Acme")

        assert getattr(api, method)(f"{PATH}/{row.pk}", {}).json()["data"]["name"] == "Acme"

    def test_what_is_given_as_null_goes(self, api):
        row = BrandFactory(description="Tools")

        response = api.put(f"{PATH}/{row.pk}", {"description": None})

        assert response.json()["data"]["description"] is None

    def test_an_answer_can_be_sent_back(self, api):
        row = api.post(PATH, brand(meta={"a": 1})).json()["data"]

        again = api.put(f"{PATH}/{row['id']}", row).json()["data"]

        assert {**again, "updated_at": None} == {**row, "updated_at": None}

    def test_deleting_answers_with_nothing(self, api):
        row = BrandFactory()

        response = api.delete(f"{PATH}/{row.pk}")

        assert (response.status_code, response.content) == (204, b"")
        assert api.get(f"{PATH}/{row.pk}").status_code == 404

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    @pytest.mark.parametrize("key", ["0", "1", "x", "-1", "1.0", "+1", "1_0", "٣", "9" * 30, "%00"])
    def test_what_is_not_there_is_not_found(self, api, method, key):
        response = getattr(api, method)(f"{PATH}/{key}", {} if method != "get" else None)

        assert response.status_code == 404
        assert list(response.json()) == ["message"]

    def test_what_is_unique_is_told_by_its_field(self, api):
        BrandFactory(handle="acme")

        response = api.post(PATH, brand())

        assert response.status_code == 422
        assert response.json()["errors"] == {"handle": ["That exists already."]}

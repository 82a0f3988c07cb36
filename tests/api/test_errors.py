"""What a client is told when something is wrong: always JSON, always in one form."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

import omneo.urls
from tests.factories import ProfileFactory

UNKNOWN = f"/api/v3/profiles/{uuid4()}/aggregations"


def assert_told(response: Response, status: int, message: str) -> None:
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response.json() == {"message": message}


@pytest.mark.parametrize("path", [UNKNOWN, f"{UNKNOWN}/calculate"], ids=["read", "calculate"])
def test_an_unknown_profile_is_not_found(api: APIClient, path: str):
    assert_told(api.get(path), 404, "There is no such profile.")


@pytest.mark.parametrize(
    "malformed",
    [
        "1",
        "nobody",
        "922fafaf-1115-2221-a33-fed3333397",
        "922fafaf11152221a330fed333339700",
        "{922fafaf-1115-2221-a330-fed333339700}",
        "urn:uuid:922fafaf-1115-2221-a330-fed333339700",
        "922fafaf-1115-2221-a330-fed333339700%0A",
        "%00",
        "%FF",
        "%20",
        "'; DROP TABLE profiles_profile; --",
    ],
)
@pytest.mark.parametrize("action", ["", "/calculate"], ids=["read", "calculate"])
def test_a_malformed_id_is_not_found(api: APIClient, malformed: str, action: str):
    response = api.get(f"/api/v3/profiles/{malformed}/aggregations{action}")

    assert_told(response, 404, "There is no such profile.")


@pytest.mark.django_db
def test_who_has_no_token_does_not_learn_which_ids_are_malformed():
    response = APIClient().get("/api/v3/profiles/nobody/aggregations")

    assert_told(response, 401, "Unauthenticated.")


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/v3", "/api/v3/", "/api/v3/nothing", "/api/v9/x.html", "/api/v3/a%0Ab"],
)
@pytest.mark.parametrize("debug", [False, True])
def test_an_unknown_path_is_not_found(path: str, debug: bool, settings: Settings):
    settings.DEBUG = debug

    assert_told(APIClient().get(path), 404, "Not found.")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "head", "options", "trace"])
def test_an_unknown_path_is_not_found_by_any_method(method: str):
    assert getattr(Client(), method)("/api/v3/nothing").status_code == 404


def test_what_is_not_found_outside_the_api_is_a_page():
    assert Client().get("/nothing")["Content-Type"].startswith("text/html")


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["", "/calculate"], ids=["read", "calculate"])
def test_a_slash_at_the_end_makes_no_difference(api: APIClient, action: str):
    response = api.get(f"/api/v3/profiles/{ProfileFactory().id}/aggregations{action}/")

    assert response.status_code == 200


def test_a_slash_at_the_end_makes_no_difference_to_a_post(api: APIClient):
    response = api.post(f"/api/v3/profiles/{ProfileFactory().id}/aggregations/calculate/")

    assert response.status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_method_that_is_not_there_is_told_with_those_that_are(
    method: str, client_with: Callable[..., APIClient]
):
    client = client_with("aggregations:read")

    response = client.generic(method, UNKNOWN)

    assert_told(response, 405, f'Method "{method}" not allowed.')
    assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_a_method_that_is_not_there_is_told_whatever_the_parameters(api: APIClient):
    response = api.post("/api/v3/identities?nonsense=1")

    assert_told(response, 405, 'Method "POST" not allowed.')


def test_a_form_that_is_not_there_cannot_be_asked_for(api: APIClient):
    response = api.get(UNKNOWN, headers={"Accept": "application/pdf"})

    assert_told(response, 406, "Could not satisfy the request Accept header.")


def test_a_query_cannot_ask_for_another_form(api: APIClient):
    response = api.get(f"/api/v3/profiles/{ProfileFactory().id}/aggregations?format=html")

    assert response.status_code == 422
    assert response.json()["errors"] == {"format": ["There is no such parameter here."]}


@pytest.mark.django_db
def test_a_failure_of_the_server_tells_nothing_about_it(create_token: Callable[..., str]):
    client = APIClient(
        raise_request_exception=False, headers={"Authorization": f"Bearer {create_token()}"}
    )
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE aggregations_freshness RENAME TO gone")

    assert_told(client.get(UNKNOWN), 500, "Server error.")


def test_a_host_that_is_not_ours_is_a_bad_request():
    assert_told(Client(headers={"Host": "evil.test"}).get(UNKNOWN), 400, "Bad request.")


class Impatient(BaseThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        return "often" not in request.query_params

    def wait(self) -> float:
        return 7


class ItemSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=3)
    tags = serializers.ListField(child=serializers.CharField(max_length=3), required=False)


class OrderSerializer(serializers.Serializer):
    total = serializers.DecimalField(max_digits=20, decimal_places=2)
    items = ItemSerializer(many=True)

    def validate(self, attrs: dict) -> dict:
        if attrs["total"] < 0:
            raise serializers.ValidationError("An order is not a refund.")
        return attrs


class OrderView(APIView):
    """Any view that takes a body."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = [Impatient]

    def post(self, request: Request) -> Response:
        order = OrderSerializer(data=request.data)
        order.is_valid(raise_exception=True)
        return Response(order.data, status=201)


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("The secret of the house.")


urlpatterns = [path("orders", OrderView.as_view()), path("broken", broken)]
handler500 = omneo.urls.handler500
of_orders = pytest.mark.urls(__name__)


@of_orders
def test_a_body_that_is_right_is_taken():
    response = APIClient().post("/orders", {"total": 1, "items": [{"name": "tea"}]})

    assert response.status_code == 201
    assert response.json() == {"data": {"total": 1, "items": [{"name": "tea"}]}}


@of_orders
def test_a_body_that_does_not_validate_is_told_by_field():
    response = APIClient().post("/orders", {"total": "much", "items": [{"name": "tea"}]})

    assert response.status_code == 422
    assert response.json() == {
        "message": "The given data was invalid.",
        "errors": {"total": ["A valid number is required."]},
    }


@of_orders
def test_what_is_wrong_inside_a_list_is_told_by_its_place():
    items = [{"name": "tea"}, {"name": "coffee", "tags": ["hot", "black"]}]

    response = APIClient().post("/orders", {"total": 1, "items": items})

    too_long = ["Ensure this field has no more than 3 characters."]
    assert response.json()["errors"] == {"items.1.name": too_long, "items.1.tags.1": too_long}


@of_orders
def test_what_is_wrong_with_no_field_in_particular_is_told_too():
    response = APIClient().post("/orders", {"total": -1, "items": []})

    assert response.status_code == 422
    assert response.json()["errors"] == {"non_field_errors": ["An order is not a refund."]}


@of_orders
def test_a_body_that_cannot_be_read_is_a_bad_request():
    response = APIClient().generic("POST", "/orders", "{", "application/json")

    assert response.status_code == 400
    assert response.json()["message"].startswith("JSON parse error")


@of_orders
def test_a_body_that_is_not_json_is_of_an_unsupported_type():
    response = APIClient().generic("POST", "/orders", "total=1", "text/csv")

    assert_told(response, 415, 'Unsupported media type "text/csv" in request.')


@of_orders
def test_who_asks_too_often_is_told_when_to_come_again():
    response = APIClient().post("/orders?often", {})

    message = "Request was throttled. Expected available in 7 seconds."
    assert_told(response, 429, message)
    assert response["Retry-After"] == "7"


@of_orders
def test_a_failure_of_the_server_outside_the_api_is_a_page():
    response = Client(raise_request_exception=False).get("/broken")

    assert response.status_code == 500
    assert response["Content-Type"].startswith("text/html")

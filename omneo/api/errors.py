"""What went wrong, in one form: `{"message": "...", "errors": {"field": ["..."]}}`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import status
from rest_framework.exceptions import MethodNotAllowed, NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from omneo.resources.conflicts import explain
from omneo.resources.json import to_json
from omneo.resources.messages import messages_by_field

ROOT = "/api/"


def api_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception of a view; None for an unexpected one, which then is a 500.

    What the database refuses is told by field where it is the client's affair; the view's
    `conflicts` has the words (`omneo.resources.conflicts`).
    """
    if isinstance(error, DatabaseError):
        error = explain(error, getattr(context["view"], "conflicts", None)) or error
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        response.status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
        response.data = {
            "message": "The given data was invalid.",
            "errors": dict(messages_by_field(error.detail)),
        }
    elif response.status_code == status.HTTP_401_UNAUTHORIZED:
        # Why a token is refused does not concern somebody who holds no valid one.
        response.data = {"message": "Unauthenticated."}
    else:
        response.data = {"message": response.data["detail"]}
    return response


class NoSuchPath(APIView):
    """What stands at every path of the API that nothing else stands at."""

    authentication_classes = []
    permission_classes = []

    def initial(self, *args: Any, **kwargs: Any) -> None:
        raise NotFound


def only_to_be_read(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a view outside the framework: other methods than GET and HEAD are a 405."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return view(request, *args, **kwargs)
        refusal = MethodNotAllowed(request.method)
        return _told(str(refusal.detail), refusal.status_code, headers={"Allow": "GET, HEAD"})

    # A form of another site is refused as the method that it is, not for its missing token.
    return csrf_exempt(answer)


def _told(message: str, status_code: int, **more: Any) -> HttpResponse:
    return HttpResponse(
        to_json({"message": message}), status=status_code, content_type="application/json", **more
    )


def _handler(page: Callable[..., HttpResponse], message: str) -> Callable[..., HttpResponse]:
    """Return a handler of what goes wrong outside the views: JSON in the API, else the page."""

    def handle(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = page(request, *args, **kwargs)
        if not request.path.startswith(ROOT):
            return response
        return _told(message, response.status_code)

    return handle


bad_request = _handler(defaults.bad_request, "Bad request.")
not_found = _handler(defaults.page_not_found, "Not found.")
server_error = _handler(defaults.server_error, "Server error.")

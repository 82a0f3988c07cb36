"""Paths of resources. A slash at the end makes no difference anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import URLPattern, re_path
from rest_framework.viewsets import ViewSetMixin

LIST = {"get": "list", "post": "create"}
ONE = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}


def resource_paths(path: str, view: type[ViewSetMixin]) -> list[URLPattern]:
    """Return the path of a list and the path of one of its rows, with the view's methods.

    `path` may have groups, such as `profiles/(?P<profile>[^/]+)/addresses`.
    """
    return [
        *_path(path, view, LIST, detail=False),
        *_path(rf"{path}/(?P<{view.lookup_url_kwarg or view.lookup_field}>[^/]+)", view, ONE),
    ]


def action_path(
    path: str, view: type[ViewSetMixin], actions: Mapping[str, str], *, detail: bool = True
) -> URLPattern:
    """Return the path of other methods of a viewset: `{"post": "merge"}`."""
    return re_path(rf"^{path}/?\Z", view.as_view(dict(actions), detail=detail))


def _path(path: str, view: Any, actions: Mapping[str, str], *, detail: bool = True) -> list:
    there = {method: name for method, name in actions.items() if hasattr(view, name)}
    return [action_path(path, view, there, detail=detail)] if there else []

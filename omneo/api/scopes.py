"""What a token may do: each resource has a scope to read it and one to write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # the views' module loads this one
    from rest_framework.views import APIView


class ScopePermission(BasePermission):
    """Let in whose token has the scope of the view's `resource`: `aggregations:read`.

    The methods in the view's `safe_methods` need the scope to read, all others the one to write.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.auth is None:
            return False
        if request.method not in view.allowed_methods:
            return True  # so that it is answered with 405, whatever the token may do
        safe_methods = getattr(view, "safe_methods", SAFE_METHODS)
        scope = f"{view.resource}:{'read' if request.method in safe_methods else 'write'}"
        self.message = f"The token lacks the scope {scope}."
        return scope in request.auth.scopes

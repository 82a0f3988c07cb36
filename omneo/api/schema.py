"""How the API describes itself in OpenAPI 3.1: what every operation has, said once.

The settings name the class and the hook. A view adds what only it knows by `extend_schema`.
"""

from __future__ import annotations

import copy
import inspect
from functools import cache
from typing import Any

import uritemplate
from django.db import models
from django.http import HttpRequest, HttpResponse
from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import append_meta
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from omneo.api import schema_fields, schema_filters  # noqa: F401  they register themselves
from omneo.api.errors import only_to_be_read
from omneo.api.schema_errors import ERRORS, HEALTH, errors_of
from omneo.resources.fields import DecimalField, TextField
from omneo.resources.json import to_json

JSON = "application/json"
VERBS = {
    "list": "List",
    "create": "Create",
    "retrieve": "Read",
    "update": "Update",
    "destroy": "Delete",
}
# Fields whose description is whole without the framework's additions
DESCRIBED = (TextField, DecimalField)
TEXT = {"type": "string", "minLength": 1}
UUID = {"type": "string", "format": "uuid"}
KEY = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
LOCATION = {
    "description": "Where it can be read.",
    "schema": {"type": "string", "format": "uri"},
}


@only_to_be_read
def document(request: HttpRequest) -> HttpResponse:
    """Answer with the description of the API. Needs no token."""
    return HttpResponse(_document(), content_type="application/json")


@cache
def _document() -> bytes:
    return to_json(SchemaGenerator().get_schema(request=None, public=True))


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "omneo.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: openapi.AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token of the API."}

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        right = "write" if auto_schema.writes else "read"
        return {self.name: [f"{auto_schema.view.resource}:{right}"]}


class AutoSchema(openapi.AutoSchema):
    """An operation with the envelope, the errors and the names that all of them have."""

    @property
    def action(self) -> str:
        return getattr(self.view, "action", None) or self.method.lower()

    @property
    def writes(self) -> bool:
        return self.method not in getattr(self.view, "safe_methods", SAFE_METHODS)

    def get_tags(self) -> list[str]:
        return [self.view.resource]

    def get_summary(self) -> str:
        words = self._tokenize_path()[-1].replace("-", " ")
        return f"{VERBS[self.action]} {words}" if self.action in VERBS else words.capitalize()

    def get_filter_backends(self) -> list[Any]:
        return self.view.filter_backends if self.action == "list" else []

    def get_request_serializer(self) -> Any:
        """Return the body. An update, by PUT too, needs those fields alone that change."""
        serializer = super().get_request_serializer()
        if self.action == "update" and isinstance(serializer, serializers.Serializer):
            serializer = copy.copy(serializer)
            serializer.partial = True
        return serializer

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        body = super()._get_request_body(direction)
        if body and isinstance(self.get_request_serializer(), dict):
            body["required"] = True  # the framework knows it of serializers alone
        return body

    def _get_paginator(self) -> Any:
        return super()._get_paginator() if self.action == "list" else None

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        return [
            {"name": name, "in": "path", "required": True, "schema": self._key(name)}
            for name in variables
        ]

    def _key(self, name: str) -> dict[str, Any]:
        if name == "profile":
            return UUID
        if name != "id":
            return TEXT
        key = self.view.queryset.model._meta.pk
        return UUID if isinstance(key, models.UUIDField) else KEY

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        """Map a body. An answer has all of its keys, but for those that are to be asked for."""
        schema = super()._map_basic_serializer(serializer, direction)
        if not type(serializer).__doc__:
            schema.pop("description", None)  # that of a base, which speaks of code
        if direction == "response" and schema.get("properties"):
            shown_if_asked = getattr(serializer, "shown_if_asked", ())
            schema["required"] = sorted(schema["properties"].keys() - shown_if_asked)
        elif direction == "request":
            depends = "update_depends" if serializer.partial else "depends"
            schema |= getattr(serializer, depends, {})
        return schema

    def _map_serializer_field(self, field: Any, direction: str, *args: Any) -> Any:
        schema = super()._map_serializer_field(field, direction, *args)
        if isinstance(field, serializers.ListSerializer) and field.max_length:
            schema["maxItems"] = field.max_length
        if direction == "response" and isinstance(field, serializers.ChoiceField):
            column = getattr(field.parent.Meta.model, field.source)
            # What is shown may be more than what is taken: a profile becomes deleted elsewhere.
            shown = {"type": "string", "enum": [value for value, _ in column.field.choices]}
            return append_meta(shown, {"nullable": True} if field.allow_null else {})
        return schema

    def _get_serializer_field_meta(self, field: Any, direction: str) -> dict[str, Any]:
        meta = super()._get_serializer_field_meta(field, direction)
        if isinstance(field, DESCRIBED):
            meta.pop("minLength", None)
        return meta

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        if not isinstance(field, DESCRIBED):
            super()._insert_field_validators(field, schema)

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        has_body = self.method in ("POST", "PUT", "PATCH")
        own = super()._get_response_bodies(direction)
        return {
            **own,
            **errors_of(
                has_body=has_body and self.get_request_serializer() is not None,
                may_be_missing="404" in own or bool(uritemplate.variables(self.path)),
                may_be_behind="503" in own,
                writes=self.writes,
            ),
        }

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: list[str] | None = None,
        direction: str = "response",
    ) -> dict[str, Any]:
        if status_code >= "400":
            media_types = [JSON]
        response = super()._get_response_for_code(serializer, status_code, media_types, direction)
        for media_type, media in response.get("content", {}).items():
            if media_type != JSON:
                media["schema"] = {"type": "string", "description": self._form(media_type)}
            elif self.action != "list" and status_code < "300":
                media["schema"] = {
                    "type": "object",
                    "required": ["data"],
                    "properties": {"data": media["schema"]},
                }
                for example in media.get("examples", {}).values():
                    example["value"] = {"data": example["value"]}
        if status_code == "201":
            response["headers"] = {"Location": LOCATION}
        response["description"] = response["description"] or "As asked for."
        return response

    def _form(self, media_type: str) -> str:
        """Return what the view's renderer says of a form of answer that is not JSON."""
        renderers = {one.media_type: one for one in self.view.renderer_classes}
        return inspect.getdoc(renderers[media_type])


def without_slashes(endpoints: list[tuple], **_: Any) -> list[tuple]:
    """Take the slash that a path may have at its end off all paths."""
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints]


def add_what_is_common(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what the operations point to, and the one path that is no resource's."""
    result["components"]["responses"] = ERRORS
    result["components"]["schemas"] |= schema_filters.VALUES
    result["components"]["schemas"]["Error"] = {
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": {"type": "string"},
            "errors": {
                "type": "object",
                "description": "What is wrong, by the field or the query parameter.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
        },
    }
    result["paths"]["/health"] = HEALTH
    return result

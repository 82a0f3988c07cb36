"""How the fields of `omneo.resources.fields` are described: what they take, and what they show."""

from __future__ import annotations

from typing import Any

from django.core import validators
from django.db import models
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework.fields import MaxLengthValidator

DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
DATE = {"type": "string", "pattern": DATE_PATTERN, "examples": ["2025-06-30"]}
MOMENT_SHOWN = {
    "type": "string",
    "description": "In UTC.",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$",
    "examples": ["2025-06-30 08:05:00"],
}
MOMENT_TAKEN = {
    "type": "string",
    "description": "In UTC where it has no offset.",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([ Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?$",
    "examples": ["2025-06-30 08:05:00", "2025-06-30T18:05:00+10:00"],
}
NOTHING = {"type": "string", "maxLength": 0}
OBJECT = {"type": "object", "additionalProperties": {}}
LIST = {"type": "array", "items": {}}


class _Described(OpenApiSerializerFieldExtension):
    """A field with one schema for what it shows and one for what it takes."""

    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return dict(self.shown() if direction == "response" else self.taken())

    def shown(self) -> dict[str, Any]:
        raise NotImplementedError

    def taken(self) -> dict[str, Any]:
        return self.shown()


class Text(OpenApiSerializerFieldExtension):
    """A text. An empty one may say that there is none; then it is taken whatever the form."""

    target_class = "omneo.resources.fields.TextField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        if direction == "response":
            return {"type": "string"}
        field = self.target
        schema = {"type": "string"}
        for validator in field.validators:
            match validator:
                case validators.EmailValidator():
                    schema["format"] = "email"
                case validators.URLValidator():
                    schema["format"] = "uri"
                case validators.RegexValidator():
                    pattern = validator.regex.pattern.replace(r"\Z", "$").replace(r"\A", "^")
                    schema["pattern"] = pattern
                case MaxLengthValidator() | validators.MaxLengthValidator():
                    schema["maxLength"] = validator.limit_value
        takes_blank = field.allow_blank or (field.allow_null and not field.keeps_blank)
        if not takes_blank:
            return {**schema, "minLength": 1}
        has_form = "format" in schema or "pattern" in schema
        return {"anyOf": [schema, NOTHING]} if has_form else schema


class Moment(_Described):
    target_class = "omneo.resources.fields.MomentField"

    def shown(self) -> dict[str, Any]:
        return MOMENT_SHOWN

    def taken(self) -> dict[str, Any]:
        return MOMENT_TAKEN


class Date(_Described):
    target_class = "omneo.resources.fields.DateField"

    def shown(self) -> dict[str, Any]:
        return DATE


class TimeOfDay(_Described):
    target_class = "omneo.resources.fields.TimeOfDayField"

    def shown(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$", "examples": ["08:05"]}

    def taken(self) -> dict[str, Any]:
        return {"type": "string", "examples": ["08:05"]}


class Number(_Described):
    """A number with its digits and decimals; JSON Schema has a word for its bounds alone."""

    target_class = "omneo.resources.fields.DecimalField"

    def shown(self) -> dict[str, Any]:
        return {"type": "number"}

    def taken(self) -> dict[str, Any]:
        bound = 10 ** (self.target.max_digits - self.target.decimal_places)
        about = f"With at most {self.target.decimal_places} decimals."
        return {
            "type": "number",
            "exclusiveMinimum": -bound,
            "exclusiveMaximum": bound,
            "description": about,
        }


class Key(_Described):
    target_class = "omneo.resources.fields.KeyField"

    def shown(self) -> dict[str, Any]:
        field = self.target
        if field.queryset is None:
            key = field.parent.Meta.model._meta.get_field(field.source).target_field
        else:
            key = field.queryset.model._meta.pk
        is_uuid = isinstance(key, models.UUIDField)
        return {"type": "string", "format": "uuid"} if is_uuid else {"type": "integer"}


class Object(_Described):
    target_class = "omneo.resources.fields.ObjectField"

    def shown(self) -> dict[str, Any]:
        return OBJECT

    def taken(self) -> dict[str, Any]:
        return {"anyOf": [OBJECT, {"type": "array", "maxItems": 0}]}


class ListOrObject(_Described):
    target_class = "omneo.resources.fields.ListOrObjectField"

    def shown(self) -> dict[str, Any]:
        return {"anyOf": [OBJECT, LIST]}


class KeyOrName(_Described):
    target_class = "profiles.serializers.transaction.KeyOrNameField"
    priority = 1

    def shown(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 255}]}


class BrandName(_Described):
    """A brand's name or handle, or an object with one of them."""

    target_class = "profiles.serializers.transaction.BrandNameField"
    priority = 1

    def shown(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "maxLength": 255}, OBJECT]}

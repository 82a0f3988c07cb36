"""How the fields of `omneo.resources.fields` are described: what they take, and what they show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core import validators
from django.db import models
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework.fields import MaxLengthValidator

# Every day from 1900 to 2199, and none that no calendar has
_YEAR = "(19|20|21)"
_LEAP_YEAR = f"({_YEAR}(0[48]|[2468][048]|[13579][26])|2000)"
_DAY = (
    "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8])"
)
_DATE = f"({_YEAR}[0-9]{{2}}-({_DAY})|{_LEAP_YEAR}-02-29)"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
_SECOND = ":[0-5][0-9]"
_OFFSET = "([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])"
DATE_PATTERN = f"^{_DATE}$"
DATE = {"type": "string", "pattern": DATE_PATTERN, "examples": ["2025-06-30"]}
MOMENT_SHOWN = {
    "type": "string",
    "description": "In UTC.",
    "pattern": f"^{_DATE} {_TIME}{_SECOND}$",
    "examples": ["2025-06-30 08:05:00"],
}
MOMENT_TAKEN = {
    "type": "string",
    "description": "In UTC where it has no offset.",
    "pattern": f"^{_DATE}([ Tt]{_TIME}({_SECOND}([.,][0-9]{{1,9}})?)?{_OFFSET}?)?$",
    "examples": ["2025-06-30 08:05:00", "2025-06-30T18:05:00+10:00"],
}
TIME_OF_DAY_TAKEN = {
    "type": "string",
    "pattern": f"^{_TIME}({_SECOND})?$",
    "examples": ["08:05"],
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
        return {"type": "string", "pattern": f"^{_TIME}$", "examples": ["08:05"]}

    def taken(self) -> dict[str, Any]:
        return TIME_OF_DAY_TAKEN


class Number(_Described):
    """A number with its digits and decimals."""

    target_class = "omneo.resources.fields.DecimalField"

    def shown(self) -> dict[str, Any]:
        return {"type": "number"}

    def taken(self) -> dict[str, Any]:
        field = self.target
        step = Decimal(1).scaleb(-field.decimal_places)
        bound = 10 ** (field.max_digits - field.decimal_places)
        schema = {"type": "number", "multipleOf": float(step)}
        if field.min_value is None:
            schema["exclusiveMinimum"] = -bound
        else:
            schema["minimum"] = float(field.min_value)
        if field.max_value is None:
            schema["exclusiveMaximum"] = bound
        else:
            schema["maximum"] = float(field.max_value)
        return {**schema, "description": f"With at most {field.decimal_places} decimals."}


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
        name = {"type": ["string", "null"], "maxLength": 255}
        named = {**OBJECT, "properties": {"name": name, "handle": name}}
        return {"anyOf": [{"type": "string", "maxLength": 255}, named]}

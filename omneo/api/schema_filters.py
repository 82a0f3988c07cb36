"""How filters of lists are described: by their names in brackets, with what a value may be."""

from __future__ import annotations

from copy import copy
from typing import Any

import django_filters
from django.db import models
from drf_spectacular.extensions import OpenApiFilterExtension

from omneo.api.schema_fields import DATE_PATTERN, MOMENT_TAKEN
from omneo.resources.filters import (
    LONGEST_LIST,
    LONGEST_NUMBER,
    NUMBER,
    SPACES,
    BooleanFilter,
    DateFilter,
    IntegerFilter,
    MomentFilter,
    NumberFilter,
)


def _of_more_than_spaces(unwanted: str) -> str:
    """Return the pattern of a text that no database refuses, with something in it to look for."""
    anything = rf"[^\u0000{unwanted}]*"
    return rf"^{anything}[^\u0000{unwanted}{SPACES}]{anything}$"


# What values are, by the names that hundreds of parameters point to
VALUES = {
    "FilterBoolean": {"type": "string", "enum": ["true", "false", "1", "0"]},
    "FilterDate": {"type": "string", "pattern": DATE_PATTERN},
    "FilterInteger": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "FilterMoment": MOMENT_TAKEN,
    "FilterNumber": {
        "type": "string",
        "pattern": f"^{NUMBER.pattern}$",
        "maxLength": LONGEST_NUMBER,
        "examples": ["1000", "-12.5"],
    },
    "FilterText": {"type": "string", "minLength": 1, "pattern": _of_more_than_spaces("")},
    # As lists are written by comma, a text with one cannot be in a list.
    "FilterTextOfList": {"type": "string", "minLength": 1, "pattern": _of_more_than_spaces(",")},
    "FilterUuid": {"type": "string", "format": "uuid"},
}


class BracketFilterExtension(OpenApiFilterExtension):
    target_class = "omneo.api.filtering.BracketFilterBackend"
    priority = 1  # before the framework's, for the class that this one builds on

    def get_schema_operation_parameters(self, auto_schema: Any, *_: Any) -> list[dict[str, Any]]:
        view = auto_schema.view
        filters = self.target.get_filterset_class(view, view.queryset).base_filters
        return [_parameter(name, one, view.queryset.model) for name, one in filters.items()]


def _parameter(name: str, one: django_filters.Filter, model: type[models.Model]) -> dict[str, Any]:
    one = copy(one)
    one.model = model  # for its label
    parameter = {"name": f"filter[{name}]", "in": "query", "schema": _value(one)}
    if about := str(one.label or ""):
        parameter["description"] = f"{about}."
    if isinstance(one, django_filters.BaseCSVFilter):
        item = _value(one)
        if item == _named("FilterText"):
            item = _named("FilterTextOfList")
        values = {"type": "array", "items": item, "minItems": 1, "maxItems": LONGEST_LIST}
        parameter |= {"schema": values, "style": "form", "explode": False}
    return parameter


def _value(one: django_filters.Filter) -> dict[str, Any]:
    match one:
        case BooleanFilter():
            return _named("FilterBoolean")
        case IntegerFilter():
            return _named("FilterInteger")
        case NumberFilter() | django_filters.NumberFilter():
            return _named("FilterNumber")
        case DateFilter():
            return _named("FilterDate")
        case MomentFilter():
            return _named("FilterMoment")
        case django_filters.UUIDFilter():
            return _named("FilterUuid")
        case django_filters.ChoiceFilter():
            return {"type": "string", "enum": [value for value, _ in one.extra["choices"]]}
        case django_filters.CharFilter():
            return _named("FilterText")
    raise TypeError(f"{type(one).__name__} is described nowhere.")


def _named(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}

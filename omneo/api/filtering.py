"""Filters and sorting of lists: `filter[name__lookup]=value`, `sort=-name,id`.

Named in the settings, so that every list has them. A view says which there are: by
`filterset_fields` or `filterset_class` (see `omneo.resources.filters`), and by `ordering_fields`,
the names that `sort` takes: a list, or a mapping to the columns where these are called otherwise.
`ordering` is the order when nobody asks for one, the key where left out. The key always comes last,
so that the order is one.

A filter, look-up or name that is not there and a value that cannot be read are a 422 each.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from omneo.resources.filters import ResourceFilterSet

FILTER = re.compile(r"filter\[([^\[\]]+)\]")
SORT = "sort"


class BracketFilterBackend(DjangoFilterBackend):
    """django-filter with the names of its filters in brackets, and nothing passed over."""

    filterset_base = ResourceFilterSet

    def filter_queryset(self, request: Request, queryset: QuerySet, view: Any) -> QuerySet:
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise ValidationError(
                {f"filter[{name}]": messages for name, messages in filterset.errors.items()}
            )
        return filterset.qs

    def get_filterset_class(self, view: Any, queryset: QuerySet | None = None) -> Any:
        return super().get_filterset_class(view, queryset) or ResourceFilterSet

    def get_filterset_kwargs(
        self, request: Request, queryset: QuerySet, view: Any
    ) -> dict[str, Any]:
        return {
            **super().get_filterset_kwargs(request, queryset, view),
            "data": {
                named[1]: value
                for parameter, value in request.query_params.items()
                if (named := FILTER.fullmatch(parameter))
            },
        }


class SortBackend(BaseFilterBackend):
    """The order that `sort` asks for: names by comma, with a minus for the highest first."""

    def filter_queryset(self, request: Request, queryset: QuerySet, view: Any) -> QuerySet:
        asked = request.query_params.get(SORT)
        order = list(getattr(view, "ordering", ())) if asked is None else self._columns(asked, view)
        if not {"pk", queryset.model._meta.pk.name} & {name.lstrip("-") for name in order}:
            order.append("pk")
        return queryset.order_by(*order)

    def _columns(self, asked: str, view: Any) -> list[str]:
        known = getattr(view, "ordering_fields", ())
        names = asked.split(",")
        bare = [name.removeprefix("-") for name in names]
        unknown = [name for name in bare if name not in known]
        if unknown:
            can = f"It can be sorted by {', '.join(known)}." if known else "It cannot be sorted."
            raise ValidationError({SORT: [f"Not by “{unknown[0]}”. {can}"]})
        if len(set(bare)) < len(bare):
            raise ValidationError({SORT: ["A name is there twice."]})
        columns = known if isinstance(known, dict) else {name: name for name in known}
        return [
            f"-{columns[one]}" if name.startswith("-") else columns[one]
            for name, one in zip(names, bare, strict=True)
        ]

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = list(getattr(view, "ordering_fields", ()))
        if not names:
            return []
        orders = {"enum": [*names, *(f"-{name}" for name in names)], "type": "string"}
        return [
            {
                "name": SORT,
                "in": "query",
                "required": False,
                "description": "Names by comma, with a minus for the highest first, each once.",
                "schema": {"type": "array", "items": orders, "minItems": 1, "uniqueItems": True},
                "style": "form",
                "explode": False,
            }
        ]

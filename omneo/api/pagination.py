"""Pages of a list: by number, or by cursor for who walks to the end.

`page[size]` is 15 where left out and 200 at most. `page[number]` counts the rows each time and
skips those of the pages before; `page[cursor]=` (empty at first, then the one of `links.next`) does
neither, so that the millionth row costs what the first does. A list of any view has both, in any
order that it can be sorted in.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError as BadValue
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from omneo.api.envelope import Envelope

NUMBER, SIZE, CURSOR = "page[number]", "page[size]", "page[cursor]"
DEFAULT_SIZE, LARGEST_SIZE = 15, 200
LARGEST_NUMBER = 2**31


class Pagination(BasePagination):
    """The pagination of every list. What answers with pages needs no other."""

    def paginate_queryset(
        self, queryset: QuerySet, request: Request, view: Any = None
    ) -> list[Model]:
        self.request = request
        self.size = self._whole_number(SIZE, default=DEFAULT_SIZE, largest=LARGEST_SIZE)
        self.by_cursor = CURSOR in request.query_params
        if self.by_cursor:
            if NUMBER in request.query_params:
                raise ValidationError({NUMBER: [f"Not together with {CURSOR}."]})
            return self._behind_cursor(queryset, request.query_params[CURSOR])
        self.number = self._whole_number(NUMBER, default=1, largest=LARGEST_NUMBER)
        self.total = queryset.count()
        first = (self.number - 1) * self.size
        self.rows = list(queryset[first : first + self.size]) if first < self.total else []
        return self.rows

    def get_paginated_response(self, data: list[Any]) -> Response:
        by_cursor = self.by_cursor
        return Response(self._cursor_page(data) if by_cursor else self._numbered_page(data))

    def _numbered_page(self, data: list[Any]) -> Envelope:
        last = max(-(-self.total // self.size), 1)
        first_row = (self.number - 1) * self.size + 1
        return Envelope(
            data=data,
            links={
                "first": self._link(NUMBER, 1),
                "last": self._link(NUMBER, last),
                "prev": self._link(NUMBER, min(self.number - 1, last)) if self.number > 1 else None,
                "next": self._link(NUMBER, self.number + 1) if self.number < last else None,
            },
            meta={
                "current_page": self.number,
                "from": first_row if data else None,
                "last_page": last,
                "path": self._path(),
                "per_page": self.size,
                "to": first_row + len(data) - 1 if data else None,
                "total": self.total,
            },
        )

    def _cursor_page(self, data: list[Any]) -> Envelope:
        return Envelope(
            data=data,
            links={
                "first": self._link(CURSOR, ""),
                "last": None,
                "prev": None,
                "next": None if self.next is None else self._link(CURSOR, self.next),
            },
            meta={"next_cursor": self.next, "path": self._path(), "per_page": self.size},
        )

    def _behind_cursor(self, queryset: QuerySet, cursor: str) -> list[Model]:
        order = Order(queryset)
        wanted = self.size + 1
        rows: list[Model] = []
        for stretch in order.behind(order.read(cursor)) if cursor else [queryset]:
            rows += stretch[: wanted - len(rows)]
            if len(rows) == wanted:
                break
        rows, more = rows[: self.size], len(rows) > self.size
        self.next = order.cursor(rows[-1]) if more else None
        return rows

    def _whole_number(self, name: str, *, default: int, largest: int) -> int:
        text = self.request.query_params.get(name)
        if text is None:
            return default
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(largest))
        if not is_number or not 1 <= int(text) <= largest:
            raise ValidationError({name: [f"A whole number from 1 to {largest} is wanted."]})
        return int(text)

    def _link(self, name: str, value: int | str) -> str:
        return replace_query_param(self.request.build_absolute_uri(), name, value)

    def _path(self) -> str:
        return self.request.build_absolute_uri(self.request.path)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE, "default": DEFAULT_SIZE}
        number = {"type": "integer", "minimum": 1, "maximum": LARGEST_NUMBER, "default": 1}
        text = {"type": "string", "pattern": "^[A-Za-z0-9_-]*$"}
        told = [
            (NUMBER, "Which page, by its number.", number),
            (SIZE, "How many rows a page has.", size),
            (CURSOR, "Instead of a number: empty at first, then that of `links.next`.", text),
        ]
        return [
            {"name": name, "in": "query", "required": False, "description": about, "schema": schema}
            for name, about, schema in told
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        count = {"type": "integer"}
        place = {"type": ["integer", "null"]}
        return {
            "type": "object",
            "required": ["data", "links", "meta"],
            "properties": {
                "data": schema,
                "links": {
                    "type": "object",
                    "required": ["first", "last", "prev", "next"],
                    "properties": dict.fromkeys(["first", "last", "prev", "next"], link),
                },
                "meta": {
                    "type": "object",
                    "required": ["path", "per_page"],
                    "properties": {
                        "current_page": count,
                        "from": place,
                        "last_page": count,
                        "next_cursor": {"type": ["string", "null"]},
                        "path": {"type": "string", "format": "uri"},
                        "per_page": count,
                        "to": place,
                        "total": count,
                    },
                },
            },
        }


class Key(NamedTuple):
    """A column of the order."""

    name: str
    field: Field
    nullable: bool
    descending: bool


class Order:
    """The order of a list whose last key is unique, and the places in it."""

    def __init__(self, queryset: QuerySet) -> None:
        self.queryset = queryset
        self.keys = [
            Key(name.removeprefix("-"), *self._column(name.removeprefix("-")), name.startswith("-"))
            for name in queryset.query.order_by
        ]

    def cursor(self, row: Model) -> str:
        """Return the cursor that stands behind the row."""
        place = [[*map(self._sign, self.keys)], [self._value(row, key) for key in self.keys]]
        text = json.dumps(place, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def read(self, cursor: str) -> list[Any]:
        """Return the values of the row that the cursor stands behind."""
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            signs, values = json.loads(text)
            json.dumps(values, ensure_ascii=False).encode()  # refuses halves of characters
            if signs != [*map(self._sign, self.keys)]:
                raise ValidationError({CURSOR: ["It belongs to another order of the list."]})
            return [
                None if value is None else key.field.to_python(value)
                for key, value in zip(self.keys, values, strict=True)
            ]
        except (binascii.Error, TypeError, ValueError, RecursionError, BadValue) as error:
            raise ValidationError({CURSOR: ["It is none that this list has given."]}) from error

    def behind(self, values: Sequence[Any]) -> Iterator[QuerySet]:
        """Yield what is behind a row with these values, as lists that follow each other.

        First what differs in the last key alone, at last what differs in the first. Each is one
        range of an index on the keys, however many rows are alike in some: an OR of them is not.
        """
        for depth in reversed(range(len(self.keys))):
            same = Q()
            for key, value in zip(self.keys[:depth], values, strict=False):
                same &= Q(**{f"{key.name}__isnull": True} if value is None else {key.name: value})
            for later in self._later(self.keys[depth], values[depth]):
                yield self.queryset.filter(same & later)

    @staticmethod
    def _later(key: Key, value: Any) -> list[Q]:
        """Return the conditions of what comes later. As PostgreSQL has it, null is the highest."""
        is_null = Q(**{f"{key.name}__isnull": True})
        if value is None:
            return [~is_null] if key.descending else []
        if key.descending:
            return [Q(**{f"{key.name}__lt": value})]
        return [Q(**{f"{key.name}__gt": value}), *([is_null] if key.nullable else [])]

    def _column(self, name: str) -> tuple[Field, bool]:
        """Return the field that a name leads to, and whether there may be nothing."""
        annotation = self.queryset.query.annotations.get(name)
        if annotation is not None:
            return annotation.output_field, True
        model, nullable = self.queryset.model, False
        for part in name.split("__"):
            field = model._meta.pk if part == "pk" else model._meta.get_field(part)
            nullable = nullable or field.null
            model = field.related_model or model
        return field, nullable

    @staticmethod
    def _sign(key: Key) -> str:
        return f"-{key.name}" if key.descending else key.name

    @staticmethod
    def _value(row: Model, key: Key) -> Any:
        value: Any = row
        for part in key.name.split("__"):
            value = None if value is None else getattr(value, part)
        return value if value is None or isinstance(value, bool | int) else str(value)

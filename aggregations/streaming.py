"""A whole selection of rows as a stream: CSV or NDJSON, in memory that does not grow with it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from rest_framework.renderers import BaseRenderer

from aggregations.models import Aggregation
from aggregations.overtaken import all_overtaken, brought_forward, overtaken_of
from aggregations.parts import CURRENCY, PLACES, STATUS, Parts
from aggregations.serializers import AggregationSerializer
from omneo.resources.json import to_json
from omneo.resources.moments import timestamp

ROWS_A_CHUNK = 1000
COLUMNS = [field.attname for field in Aggregation._meta.concrete_fields]
SERIALIZER = AggregationSerializer()

# What a spreadsheet takes for a formula where a cell begins with it, the full-width forms too
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


class StreamRenderer(BaseRenderer):
    """A form of answer in which a selection has no pages.

    `broken`: the line that ends a stream which fails. The answer has long begun then, and servers
    end it as if nothing were wrong, so that the line must say it: it is none of a row.
    """

    broken: bytes

    def stream(self, selected: QuerySet[Aggregation], *, moment: datetime) -> Iterator[bytes]:
        """Yield the selection in its order, a chunk of rows at a time, as `chunks` has them."""
        raise NotImplementedError


class LinesRenderer(StreamRenderer):
    """NDJSON: one row a line, each with the body of the row read by itself."""

    media_type = "application/x-ndjson"
    format = "ndjson"
    charset = None
    broken = b'{"message":"Server error. Rows are missing."}\n'

    def stream(self, selected: QuerySet[Aggregation], *, moment: datetime) -> Iterator[bytes]:
        for rows in chunks(selected, moment=moment):
            yield b"".join(to_json(SERIALIZER.to_representation(row)) + b"\n" for row in rows)


class CsvRenderer(StreamRenderer):
    """CSV as RFC 4180 has it: a header, one row a line, a place and a status by id and name."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"
    broken = b"Server error. Rows are missing.\r\n"

    def stream(self, selected: QuerySet[Aggregation], *, moment: datetime) -> Iterator[bytes]:
        lines = _Lines()
        writer = csv.writer(lines)
        writer.writerow(_header())
        for rows in chunks(selected, moment=moment):
            writer.writerows(map(_cells, rows))
            yield lines.taken()
        yield lines.taken()


def chunks(selected: QuerySet[Aggregation], *, moment: datetime) -> Iterator[list[dict[str, Any]]]:
    """Yield the selected rows with what they point to, in their order, so many at a time.

    Which rows, and in which order, is decided at once and kept by the database: each is there
    once, whatever changes meanwhile. Values are those of the moment when a row's turn comes, and a
    row that by then does not fit the selection any more is left out. No transaction stays open
    while a client takes its time. What the clock has overtaken by the moment is true. Raises
    FarBehind.
    """
    parts = Parts()
    keys = selected.values_list("pk", flat=True).iterator(chunk_size=ROWS_A_CHUNK)
    with brought_forward(all_overtaken(moment=moment), moment=moment):
        chunk = list(islice(keys, ROWS_A_CHUNK))
    while chunk:
        of_chunk = selected.order_by().filter(pk__in=chunk).values(*COLUMNS)
        with brought_forward(overtaken_of(chunk, moment=moment), moment=moment):
            rows = {row["profile_id"]: row for row in of_chunk}
        yield parts.join([rows[key] for key in chunk if key in rows])
        chunk = list(islice(keys, ROWS_A_CHUNK))


class _Lines:
    """What a CSV writer writes to."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        self._lines.append(line)

    def taken(self) -> bytes:
        taken = "".join(self._lines).encode()
        self._lines.clear()
        return taken


def _header() -> list[str]:
    header = []
    for name in AggregationSerializer.Meta.fields:
        by_name = name in PLACES or name == STATUS
        header += [f"{name}_id", f"{name}_name"] if by_name else [name]
    return header


def _cells(row: dict[str, Any]) -> list[str]:
    cells = []
    for name in AggregationSerializer.Meta.fields:
        value = row[name]
        if name in PLACES or name == STATUS:
            cells += ["", ""] if value is None else [str(value["id"]), _cell(value["name"])]
        elif name == CURRENCY:
            cells.append("" if value is None else _cell(value["from_code"]))
        else:
            cells.append(_cell(value))
    return cells


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value


def _names(value: list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cell(value: Any) -> str:
    return "" if value is None else WRITTEN.get(type(value), str)(value)


# How values are written whose own text is not it
WRITTEN = {str: _text, datetime: timestamp, date: date.isoformat, list: _names}

"""How documents are written as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson

LARGEST_NATIVE_INTEGER = 2**63 - 1


def to_json(document: Any) -> bytes:
    """Return the document as JSON. Numbers keep every digit, however long they are."""
    try:
        return orjson.dumps(document, default=_number)
    except orjson.JSONEncodeError:
        return orjson.dumps(_with_long_integers_spelled_out(document), default=_number)


def _number(value: Any) -> orjson.Fragment:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value)} has no form in JSON.")
    digits = f"{value:f}"
    return orjson.Fragment(digits.rstrip("0").rstrip(".") if "." in digits else digits)


def _with_long_integers_spelled_out(value: Any) -> Any:
    match value:
        case dict():
            return {key: _with_long_integers_spelled_out(item) for key, item in value.items()}
        case list() | tuple():
            return [_with_long_integers_spelled_out(item) for item in value]
        case int() if abs(value) > LARGEST_NATIVE_INTEGER:
            return orjson.Fragment(str(value))
    return value

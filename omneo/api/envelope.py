"""How answers are written: JSON, with what was asked for under `data`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from rest_framework.renderers import JSONRenderer

LARGEST_NATIVE_INTEGER = 2**63 - 1


class Envelope(dict[str, Any]):
    """An answer that says all of itself: `data` and what goes with it, such as `links`."""


class EnvelopeRenderer(JSONRenderer):
    """`{"data": ...}`. Errors and envelopes have a form of their own and stay as they are."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        is_error = renderer_context is not None and renderer_context["response"].exception
        return to_json(data if is_error or isinstance(data, Envelope) else {"data": data})


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

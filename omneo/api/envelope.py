"""How answers are written: JSON, with what was asked for under `data`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer

from omneo.resources.json import to_json


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

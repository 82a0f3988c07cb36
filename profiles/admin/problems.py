"""What is wrong with a body, as the API tells it by field, for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

WITHOUT_FIELD = "non_field_errors"

Errors = Mapping[str, Sequence[str]]


def as_line(errors: Errors | None) -> str:
    """Return all that is wrong as one line, empty where nothing is."""
    return "; ".join(f"{field} {text}".strip() for field, text in _by_field(errors))


def as_list(errors: Errors | None) -> SafeString:
    """Return what is wrong, a line for each field, empty where nothing is."""
    return format_html_join("", "<div><strong>{}</strong> {}</div>", _by_field(errors))


def _by_field(errors: Errors | None) -> list[tuple[str, str]]:
    return [
        ("" if field == WITHOUT_FIELD else f"{field}:", " ".join(texts))
        for field, texts in (errors or {}).items()
    ]

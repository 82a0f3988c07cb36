"""What is wrong with a body, by field: those of the first item's name are `items.0.name`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework.settings import api_settings


def messages_by_field(detail: Any, field: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield the errors of nested fields as flat ones.

    What is wrong with an object as a whole is told by the name of the object.
    """
    whole = api_settings.NON_FIELD_ERRORS_KEY
    match detail:
        case dict():
            inner = detail.items()
        case [dict(), *_]:
            inner = enumerate(detail)
        case _:
            messages = detail if isinstance(detail, list) else [detail]
            yield field or whole, [str(message) for message in messages]
            return
    for key, errors in inner:
        names = [field, "" if key == whole else str(key)]
        yield from messages_by_field(errors, ".".join(name for name in names if name))

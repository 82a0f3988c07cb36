"""How bodies are read: JSON, strictly, and nothing else.

What has no one meaning is refused with 400 before anybody sees it: NaN and infinities, numbers
that no column or client could hold, a key that is given twice, characters that no text has.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NoReturn

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

DEEPEST = 32  # objects and lists inside each other; the renderer stops at 254
LONGEST_INTEGER = 300  # digits
ALLOWED_CONTROLS = "\t\n\r"
# What may be a control character or half of a character in the text of a body
SUSPICIOUS = re.compile(r"\\[bfu]|[\x7f-\x9f]")


class TooLarge(APIException):
    """413: the body is larger than the server takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes.")


class WrittenFloat(float):
    """A number with its digits as they were written: a price has more of them than a float."""

    def __new__(cls, written: str) -> WrittenFloat:
        number = super().__new__(cls, written)
        if not isfinite(number):
            raise ValueError(f"The number {written[:40]} is out of range.")
        number.written = written
        return number

    def __str__(self) -> str:
        return self.written


class StrictJSONParser(BaseParser):
    """A JSON document of limited size and depth."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.API_MAX_BODY_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(limit)
        return parse_json(body)


def parse_json(body: bytes) -> Any:
    """Return the document. Raises ParseError with what is wrong with it."""
    try:
        text = body.decode()
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_float=WrittenFloat,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise ParseError("JSON parse error - it is not UTF-8.") from error
    except RecursionError as error:
        raise ParseError(f"JSON parse error - it is nested deeper than {DEEPEST}.") from error
    except ValueError as error:
        raise ParseError(f"JSON parse error - {error}") from error
    _refuse_depth(document)
    if SUSPICIOUS.search(text):
        _refuse_controls(document)
    return document


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"The key {json.dumps(twice[:40])} is there twice.")
    return members


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON.")


def _integer(written: str) -> int:
    if len(written) > LONGEST_INTEGER:
        raise ValueError(f"A number has more than {LONGEST_INTEGER} digits.")
    return int(written)


def _refuse_depth(document: Any) -> None:
    level = [[document]]
    for _ in range(DEEPEST + 1):
        level = [
            member
            for container in level
            for member in (container.values() if type(container) is dict else container)
            if type(member) in (dict, list)
        ]
        if not level:
            return
    raise ParseError(f"JSON parse error - it is nested deeper than {DEEPEST}.")


def _refuse_controls(value: Any) -> None:
    match value:
        case str():
            for character in value:
                category = unicodedata.category(character)
                if category == "Cs" or (category == "Cc" and character not in ALLOWED_CONTROLS):
                    raise ParseError(
                        f"JSON parse error - a text has the character U+{ord(character):04X}."
                    )
        case dict():
            for key, member in value.items():
                _refuse_controls(key)
                _refuse_controls(member)
        case list():
            for member in value:
                _refuse_controls(member)

"""Fields that take a value of their own JSON type alone, and change nothing in it.

A text is a text, a number a number and a boolean a boolean: `"5"` is no number, `1` is no yes, and
a text comes back with every blank that it came with.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Context, Decimal
from typing import Any, NoReturn
from uuid import UUID

from django.db import models
from django.db.models import QuerySet
from rest_framework import serializers

from omneo.db import EARLIEST, LATEST
from omneo.resources.moments import parse_moment, timestamp

HYPHENATED_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
TIME_OF_DAY = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
EVERY_DIGIT = Context(prec=1100)


class TextField(serializers.CharField):
    """A text, as it was given. Where `keeps_blank` is off, an empty one says that there is none."""

    default_error_messages = {"not_a_text": "A text is wanted."}

    def __init__(self, *, keeps_blank: bool = True, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})
        self.keeps_blank = keeps_blank

    def run_validation(self, data: Any = serializers.empty) -> str | None:
        if data == "" and self.allow_null and not self.keeps_blank:
            return None
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_a_text")
        return super().to_internal_value(data)


class EmailField(TextField, serializers.EmailField):
    """An email address."""


class SlugField(TextField, serializers.SlugField):
    """Letters, digits, hyphens and underscores."""


class UrlField(TextField, serializers.URLField):
    """An http(s) address."""


class ChoiceField(serializers.ChoiceField):
    """One of some texts. What is wrong is told without what was given, which may be anything."""

    default_error_messages = {"invalid_choice": "One of these is wanted: {choices}."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choice_strings_to_values:
            self.fail("invalid_choice", choices=", ".join(self.choice_strings_to_values))
        return self.choice_strings_to_values[data]


class IntegerField(serializers.IntegerField):
    """A whole number."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            return int(data)
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class DecimalField(serializers.DecimalField):
    """A number with a fixed number of decimals, as it was written: no digit is lost."""

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, int | float | Decimal) or isinstance(data, bool):
            self.fail("invalid")
        written = str(data)
        if len(written) > self.MAX_STRING_LENGTH:
            self.fail("max_string_length")
        return super().to_internal_value(Decimal(written).normalize(EVERY_DIGIT))

    def to_representation(self, value: Any) -> Decimal:
        return value if isinstance(value, Decimal) else Decimal(str(value))


class BooleanField(serializers.BooleanField):
    """True or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class MomentField(serializers.DateTimeField):
    """A moment, written without the framework's formatting: there are dozens in a place."""

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str):
            self._refuse("A text is wanted.")
        try:
            return parse_moment(data)
        except ValueError as error:
            self._refuse(str(error))

    def to_representation(self, value: datetime | str) -> str:
        return timestamp(datetime.fromisoformat(value) if isinstance(value, str) else value)

    def _refuse(self, message: str) -> NoReturn:
        raise serializers.ValidationError(message, code="invalid")


class DateField(serializers.DateField):
    """A date, `2025-06-30`."""

    default_error_messages = {"invalid": "A date such as 2025-06-30 is wanted."}

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str) or len(data) != len("2025-06-30"):
            self.fail("invalid")
        day = super().to_internal_value(data)
        if not EARLIEST.date() <= day < LATEST.date():
            raise serializers.ValidationError("A date between 1900 and 2199 is wanted.")
        return day


class TimeOfDayField(serializers.TimeField):
    """`08:05`."""

    default_error_messages = {"invalid": "A time of day such as 08:05 is wanted."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"input_formats": ["%H:%M", "%H:%M:%S"], **options})

    def to_internal_value(self, data: Any) -> time:
        if not isinstance(data, str) or not TIME_OF_DAY.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)

    def to_representation(self, value: time | str) -> str:
        return super().to_representation(
            time.fromisoformat(value) if isinstance(value, str) else value
        )


class UuidField(serializers.UUIDField):
    """A UUID with its hyphens."""

    default_error_messages = {"invalid": "A UUID with its hyphens is wanted."}

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not HYPHENATED_UUID.fullmatch(data):
            self.fail("invalid")
        return UUID(data)


class KeyField(serializers.Field):
    """The key of another row, which must be there. Reads and writes the column of the key."""

    default_error_messages = {"does_not_exist": "There is no such {kind}."}

    def __init__(self, *, queryset: QuerySet | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.queryset = queryset

    def to_internal_value(self, data: Any) -> Any:
        model = self.queryset.model
        form = UuidField() if isinstance(model._meta.pk, models.UUIDField) else IntegerField()
        key = form.run_validation(data)
        if not self.queryset.filter(pk=key).exists():
            self.fail("does_not_exist", kind=model._meta.verbose_name)
        return key

    def to_representation(self, value: Any) -> Any:
        return value


class ObjectField(serializers.JSONField):
    """A JSON object. An empty list is one without members, as some languages write it."""

    default_error_messages = {"invalid": "An object is wanted."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if data == []:
            return {}
        if not isinstance(data, dict):
            self.fail("invalid")
        return data


class ListOrObjectField(serializers.JSONField):
    """A JSON list or object."""

    default_error_messages = {"invalid": "A list or an object is wanted."}

    def to_internal_value(self, data: Any) -> list | dict[str, Any]:
        if not isinstance(data, list | dict):
            self.fail("invalid")
        return data


class TagsField(serializers.ListField):
    """Names, each once, in their order."""

    def __init__(self, **options: Any) -> None:
        options = {"child": TextField(max_length=100), "max_length": 1000, **options}
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))

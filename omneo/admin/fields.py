"""Form fields for the columns that Django's admin would show as raw text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminTextInputWidget,
)

from omneo.db import timezones


class JsonField(forms.JSONField):
    """JSON that a column of the database takes, shown indented.

    Left empty it is the column's default. A column that starts as an object stays one.
    """

    widget = UnfoldAdminExpandableTextareaWidget

    def __init__(self, *, column: models.JSONField, **options: Any) -> None:
        self.column = column
        super().__init__(**options)

    def prepare_value(self, value: Any) -> str:
        if isinstance(value, forms.fields.InvalidJSONInput):
            return value
        return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)

    def bound_data(self, data: Any, initial: Any) -> Any:
        # Shown again as it was typed, since what it says may be what no page can hold.
        return None if data is None else forms.fields.InvalidJSONInput(data)

    def to_python(self, value: Any) -> Any:
        try:
            value = super().to_python(value)
        except RecursionError as error:
            raise ValidationError("It is nested too deeply.") from error
        if value is None:
            return self.column.get_default()
        if self.column.default is dict and not isinstance(value, dict):
            raise ValidationError('Write an object, such as {"size": "M"}.')
        _refuse_what_postgresql_refuses(value)
        return value


def _refuse_what_postgresql_refuses(value: Any) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError as error:
        raise ValidationError("A number or character in it is not valid JSON.") from error
    if "\\u0000" in text:
        raise ValidationError("The character U+0000 cannot be stored.")


class NamesWidget(UnfoldAdminSelect2MultipleWidget):
    """A chip for each name; what is typed becomes one."""

    def __init__(self, suggestions: Sequence[str] = ()) -> None:
        self.suggestions = suggestions
        super().__init__(attrs={"data-tags": "true", "data-token-separators": '[","]'})
        # With its other class it would ask the server for choices.
        self.attrs["class"] = "unfold-admin-autocomplete"

    def optgroups(self, name: str, value: list[str], attrs: dict | None = None) -> list:
        self.choices = [(text, text) for text in dict.fromkeys([*value, *self.suggestions])]
        return super().optgroups(name, value, attrs)


class NamesField(forms.MultipleChoiceField):
    """A list of names that are typed freely. Blank ones and repetitions fall away."""

    def to_python(self, value: Any) -> list[str]:
        stripped = (name.strip() for name in super().to_python(value))
        return list(dict.fromkeys(name for name in stripped if name))

    def valid_value(self, value: str) -> bool:
        return "\x00" not in value


class TimezoneWidget(UnfoldAdminTextInputWidget):
    """A text input that offers the names of the time zones."""

    def __init__(self) -> None:
        super().__init__(attrs={"list": "timezones", "placeholder": "Australia/Melbourne"})

    def render(self, *args: Any, **options: Any) -> SafeString:
        return super().render(*args, **options) + _timezone_list()


@cache
def _timezone_list() -> SafeString:
    names = sorted(timezones())
    options = format_html_join("", '<option value="{}">', ((name,) for name in names))
    return format_html('<datalist id="timezones">{}</datalist>', options)


class KnownAutocompleteSelect(AutocompleteSelect):
    """An autocomplete that need not look up the row it shows, because the form has it already.

    Without it a page of many inline rows makes a query for each of them.
    """

    known: models.Model | None = None

    def optgroups(self, name: str, value: list[str], attrs: dict | None = None) -> list:
        if self.known is None or value != [str(self.known.pk)]:
            try:
                return super().optgroups(name, value, attrs)
            except (ValidationError, ValueError):
                # What is shown again was refused because it is no key at all.
                return super().optgroups(name, [], attrs)
        blank = [] if self.is_required else [("", "")]
        select = forms.Select(choices=[*blank, (self.known.pk, str(self.known))])
        return select.optgroups(name, value, attrs)

"""Filters of lists: `filter[name]=value`, `filter[name__lookup]=value`, lists by comma.

A view names its filters with the look-ups that make sense:

    filterset_fields = {"id": CHOICE, "name": TEXT, "created_at": ORDER, "is_published": EXACT}

or has a `filterset_class` on `ResourceFilterSet` where a filter is more than a column; its names
are those between the brackets. A filter that is not named, a look-up that is not, an empty value
and one that cannot be read are each a 422 (`omneo.api.filtering`).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django_filters.rest_framework import FilterSet
from rest_framework import serializers

from omneo.resources.fields import DateField
from omneo.resources.moments import parse_moment

EXACT = ["exact"]
CHOICE = ["exact", "in"]
NULLABLE_CHOICE = ["exact", "in", "isnull"]
TEXT = ["exact", "in", "icontains", "istartswith", "isnull"]
ORDER = ["exact", "gt", "gte", "lt", "lte", "isnull"]
LONGEST_NUMBER = 40
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
WHOLE_NUMBER = re.compile(r"-?[0-9]+")
LONGEST_LIST = 1000
# What is spaces for Python or for JavaScript: either may be a client's idea of them.
SPACES = r"\s\u001c-\u001f\u0085\ufeff"
SAYS_SOMETHING = re.compile(f"[^{SPACES}]")


class BooleanFormField(forms.Field):
    """`true` or `false`; 1 and 0 mean the same."""

    VALUES = {"true": True, "1": True, "false": False, "0": False}

    def clean(self, value: str | None) -> bool | None:
        if value in self.empty_values:
            return None
        if value not in self.VALUES:
            raise ValidationError("Either true or false is wanted.")
        return self.VALUES[value]


class NumberFormField(forms.DecimalField):
    """A number of a sane length, in digits: an exponent could make it anything."""

    def to_python(self, value: str | None) -> Any:
        if value and (len(value) > LONGEST_NUMBER or not NUMBER.fullmatch(value)):
            raise ValidationError(self.error_messages["invalid"])
        return super().to_python(value)


class IntegerFormField(forms.IntegerField):
    """A whole number that a column can hold, in digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": -(2**63), "max_value": 2**63 - 1, **options})

    def to_python(self, value: str | None) -> Any:
        if value and not WHOLE_NUMBER.fullmatch(value):
            raise ValidationError(self.error_messages["invalid"])
        return super().to_python(value)


class MomentFormField(forms.Field):
    """A moment, as bodies have it; a date is its midnight in UTC."""

    def clean(self, value: str | None) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return parse_moment(value)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class DateFormField(forms.Field):
    """A date, as bodies have it."""

    def clean(self, value: str | None) -> Any:
        if value in self.empty_values:
            return None
        try:
            return DateField().run_validation(value)
        except serializers.ValidationError as error:
            raise ValidationError([str(message) for message in error.detail]) from error


class BooleanFilter(django_filters.Filter):
    field_class = BooleanFormField


class NumberFilter(django_filters.Filter):
    field_class = NumberFormField


class IntegerFilter(django_filters.Filter):
    field_class = IntegerFormField


class DateFilter(django_filters.Filter):
    field_class = DateFormField


class MomentFilter(django_filters.Filter):
    field_class = MomentFormField


class TagsFilter(django_filters.BaseInFilter, django_filters.CharFilter):
    """All of some names, separated by comma."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "lookup_expr": "contains"})


class ResourceFilterSet(FilterSet):
    """Filters whose values are read strictly. The keys of `data` are the names of filters."""

    FILTER_DEFAULTS = {
        **FilterSet.FILTER_DEFAULTS,
        ArrayField: {"filter_class": TagsFilter},
        models.AutoField: {"filter_class": IntegerFilter},
        models.BigAutoField: {"filter_class": IntegerFilter},
        models.BigIntegerField: {"filter_class": IntegerFilter},
        models.BooleanField: {"filter_class": BooleanFilter},
        models.DateField: {"filter_class": DateFilter},
        models.DateTimeField: {"filter_class": MomentFilter},
        models.DecimalField: {"filter_class": NumberFilter},
        models.IntegerField: {"filter_class": IntegerFilter},
        models.PositiveIntegerField: {"filter_class": IntegerFilter},
        models.PositiveSmallIntegerField: {"filter_class": IntegerFilter},
        models.SmallIntegerField: {"filter_class": IntegerFilter},
    }

    @classmethod
    def filter_for_lookup(cls, field: models.Field, lookup_type: str) -> Any:
        if lookup_type == "isnull":
            return BooleanFilter, {}
        if isinstance(field, models.ForeignKey):
            # The key as it is, without a query that looks whether there is such a row.
            return cls.filter_for_lookup(field.target_field, lookup_type)
        return super().filter_for_lookup(field, lookup_type)

    def is_valid(self) -> bool:
        """Tell whether each name is that of a filter and has a value that can be read."""
        super().is_valid()
        for name, value in self.data.items():
            if name not in self.filters:
                self.errors[name] = ["There is no such filter."]
            elif not SAYS_SOMETHING.search(value):
                self.errors[name] = [
                    "A value is wanted. What has none is found by __isnull, where there is one."
                ]
            elif isinstance(self.filters[name], django_filters.BaseCSVFilter):
                parts = value.split(",")
                if not all(map(SAYS_SOMETHING.search, parts)) or len(parts) > LONGEST_LIST:
                    self.errors[name] = [f"1 to {LONGEST_LIST} values are wanted, none empty."]
        return not self.errors

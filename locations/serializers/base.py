"""How a row is written, whether it comes as an instance or as the JSON of a statement."""

from __future__ import annotations

from datetime import UTC, datetime, time

from django.db import models
from rest_framework import serializers


def timestamp(moment: datetime) -> str:
    """Return how the API writes a moment: `2025-06-30 08:05:00`, in UTC."""
    return moment.astimezone(UTC).isoformat(" ", "seconds")[:19]


class TimestampField(serializers.DateTimeField):
    """A moment, written without the framework's formatting: there are dozens in a place."""

    def to_representation(self, value: datetime | str) -> str:
        return timestamp(datetime.fromisoformat(value) if isinstance(value, str) else value)


class TimeOfDayField(serializers.TimeField):
    """`08:05`."""

    def to_representation(self, value: time | str) -> str:
        return super().to_representation(
            time.fromisoformat(value) if isinstance(value, str) else value
        )


class RowSerializer(serializers.ModelSerializer):
    """A row as the API shows it, with the keys of `Meta.fields` in their order."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: TimestampField,
        models.TimeField: TimeOfDayField,
    }

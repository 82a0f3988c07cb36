"""Profiles with their aggregations: the profiles' own view, and `include=aggregations`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from aggregations.reading import current_of
from aggregations.serializers import AggregationSerializer
from profiles.views.profile import ProfileViewSet as PlainProfileViewSet

AGGREGATIONS = "aggregations"
SERIALIZER = AggregationSerializer()


class ProfileViewSet(PlainProfileViewSet):
    __doc__ = PlainProfileViewSet.__doc__

    includes = frozenset({AGGREGATIONS})

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        if AGGREGATIONS in self.included:
            self._include(response.data["data"])
        return response

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().retrieve(request, *args, **kwargs)
        if AGGREGATIONS in self.included:
            self._include([response.data])
        return response

    def _include(self, profiles: list[dict[str, Any]]) -> None:
        moment = timezone.now()
        keys = [UUID(profile["id"]) for profile in profiles]
        readings = current_of(profile_ids=keys, moment=moment)
        for profile, key in zip(profiles, keys, strict=True):
            reading = readings.get(key)  # None for one that was purged a moment ago
            profile[AGGREGATIONS] = reading and SERIALIZER.to_representation(reading.row)

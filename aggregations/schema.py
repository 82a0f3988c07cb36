"""What the API's description says of aggregations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)

from aggregations.serializers import AggregationSerializer
from profiles.serializers import ProfileSerializer


def _header(name: str, about: str) -> OpenApiParameter:
    return OpenApiParameter(
        name, str, OpenApiParameter.HEADER, response=[200, 304], description=about
    )


FRESHNESS = [
    _header("ETag", "The version of the row, for `If-None-Match`."),
    OpenApiParameter(
        "Last-Modified",
        str,
        OpenApiParameter.HEADER,
        response=[200],
        description="When the row last changed, or a place, currency or status that it shows.",
    ),
    _header("Omneo-Calculated-At", "When the values were calculated, in UTC."),
    _header("Omneo-Next-Change-At", "When the clock alone will change a value; may be missing."),
    _header("Omneo-Pending", "`true` while a recalculation waits, or may wait."),
]
HELD = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` of the version held."
)
SINCE = OpenApiParameter(
    "If-Modified-Since",
    str,
    OpenApiParameter.HEADER,
    description="The `Last-Modified` of the version held; passed over beside `If-None-Match`, "
    "which is exact where a time counts whole seconds.",
)
AS_OF = OpenApiParameter(
    "as_of",
    {"$ref": "#/components/schemas/FilterMoment"},
    examples=[
        OpenApiExample("The end of a day", "2025-06-30"),
        OpenApiExample("A time", "2025-06-30T18:05:00+10:00"),
    ],
    description="What the row would have said then, a date or time in the past: calculated, not "
    "stored. A date is the end of its day in UTC, and that of today is now; a time without an "
    "offset is in UTC. Transactions count that were made by then, tiers that were held by then, "
    "and referrals whose profile had joined by then. All that has no time of its own is as it is "
    "now: changes and voids of a transaction, addresses, the joined and the preferred location, "
    "names. `Omneo-Calculated-At` is that moment; there is no `Last-Modified` and no "
    "`Omneo-Next-Change-At`.",
)
READ = {200: AggregationSerializer, 304: OpenApiResponse(description="That version is the newest.")}
INCLUDE = OpenApiParameter(
    "include",
    {"type": "string", "enum": ["aggregations"]},
    description="`aggregations` adds the key of that name, with what a profile's aggregations are.",
)


class ProfileWithAggregationsSerializer(ProfileSerializer):
    """A profile, with its aggregations where they were asked for."""

    shown_if_asked = ("aggregations",)

    aggregations = AggregationSerializer(
        allow_null=True, read_only=True, help_text="Null for one that was purged a moment ago."
    )

    class Meta(ProfileSerializer.Meta):
        fields = [*ProfileSerializer.Meta.fields, "aggregations"]


class AggregationViewExtension(OpenApiViewExtension):
    target_class = "aggregations.views.AggregationView"

    def view_replacement(self) -> Any:
        return extend_schema_view(
            get=extend_schema(
                summary="Read the aggregations of a profile",
                parameters=[AS_OF, HELD, SINCE, *FRESHNESS],
                responses=READ,
            )
        )(self.target)


class CalculateViewExtension(OpenApiViewExtension):
    target_class = "aggregations.views.CalculateView"

    def view_replacement(self) -> Any:
        summary = "Recalculate the aggregations of a profile"
        return extend_schema_view(
            get=extend_schema(
                summary=summary, parameters=[HELD, SINCE, *FRESHNESS], responses=READ
            ),
            post=extend_schema(
                summary=summary, parameters=FRESHNESS, request=None, responses=AggregationSerializer
            ),
        )(self.target)


class ProfileViewExtension(OpenApiViewExtension):
    target_class = "aggregations.including.ProfileViewSet"

    def view_replacement(self) -> Any:
        shown = ProfileWithAggregationsSerializer
        return extend_schema_view(
            list=extend_schema(parameters=[INCLUDE], responses=shown(many=True)),
            retrieve=extend_schema(parameters=[INCLUDE], responses=shown),
        )(self.target)


class SegmentViewExtension(OpenApiViewExtension):
    target_class = "aggregations.segments.SegmentViewSet"

    def view_replacement(self) -> Any:
        return extend_schema_view(
            list=extend_schema(
                summary="List aggregations, by page or as a stream",
                responses={200: AggregationSerializer(many=True), 503: None},
            )
        )(self.target)

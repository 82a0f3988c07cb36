"""The plain way to show a row: nested `ModelSerializer`s over the models, field by field."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aggregations.models import Aggregation
from aggregations.serializers import AggregationSerializer as Ours
from locations.models import Department, Location, LocationAddress, NormalHours, SpecialHours
from locations.models.brand import Brand
from locations.serializers.address import ADDRESS_FIELDS
from locations.serializers.location import (
    BrandNameSerializer,
    DepartmentSerializer,
    LocationSerializer,
    NormalHoursSerializer,
    SpecialHoursSerializer,
)
from profiles.models import Currency, Tier
from profiles.serializers import CurrencySerializer, StatusSerializer

PLACES = [
    "store_join",
    "most_transacted_location",
    "most_spend_location",
    "most_spend_12m_location",
    "latest_transacted_location",
]


class AddressSerializer(serializers.ModelSerializer):
    is_default = serializers.ReadOnlyField(default=True)
    profile_id = serializers.ReadOnlyField(default=None)

    class Meta:
        model = LocationAddress
        fields = ADDRESS_FIELDS


class HoursSerializer(serializers.ModelSerializer):
    class Meta:
        model = NormalHours
        fields = NormalHoursSerializer.Meta.fields


class SpecialSerializer(serializers.ModelSerializer):
    class Meta:
        model = SpecialHours
        fields = SpecialHoursSerializer.Meta.fields


class NameSerializer(serializers.ModelSerializer):
    class Meta:
        model = Brand
        fields = BrandNameSerializer.Meta.fields


class PartSerializer(serializers.ModelSerializer):
    brand = NameSerializer()

    class Meta:
        model = Department
        fields = DepartmentSerializer.Meta.fields


class PlaceSerializer(serializers.ModelSerializer):
    address = AddressSerializer()
    normal_hours = HoursSerializer(many=True)
    special_hours = SpecialSerializer(many=True)
    departments = PartSerializer(many=True)

    class Meta:
        model = Location
        fields = [name for name in LocationSerializer.Meta.fields if name != "region_id"]


class RateSerializer(serializers.ModelSerializer):
    class Meta:
        model = Currency
        fields = CurrencySerializer.Meta.fields
        extra_kwargs = CurrencySerializer.Meta.extra_kwargs


class RankSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tier
        fields = StatusSerializer.Meta.fields


class AggregationSerializer(serializers.ModelSerializer):
    store_join = PlaceSerializer()
    most_transacted_location = PlaceSerializer()
    most_spend_location = PlaceSerializer()
    most_spend_12m_location = PlaceSerializer()
    latest_transacted_location = PlaceSerializer()
    latest_shop_currency = RateSerializer()
    top_historic_status = RankSerializer()

    class Meta:
        model = Aggregation
        fields = Ours.Meta.fields


class PlainView(APIView):
    """As most would write it first: what the serializers touch is fetched when they do."""

    resource = "aggregations"
    queryset = Aggregation.objects.all()

    def get(self, request: Request, profile: UUID) -> Response:
        row = get_object_or_404(self.queryset.all(), pk=profile)
        return Response(AggregationSerializer(row).data)


class JoinedView(PlainView):
    """As a careful one would: all that is touched is fetched beforehand."""

    queryset = Aggregation.objects.select_related(
        *(f"{place}__address" for place in PLACES), "latest_shop_currency", "top_historic_status"
    ).prefetch_related(
        *(
            f"{place}__{parts}"
            for place in PLACES
            for parts in ("normal_hours", "special_hours", "departments__brand")
        )
    )


urlpatterns = [
    path("rivals/plain/<uuid:profile>", PlainView.as_view()),
    path("rivals/joined/<uuid:profile>", JoinedView.as_view()),
]

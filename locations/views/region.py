"""Regions, by the API."""

from __future__ import annotations

from django.db.models import Prefetch

from locations.filters import RegionFilterSet
from locations.models import Region, RegionMember
from locations.serializers import RegionSerializer
from omneo.resources.views import ResourceViewSet

COUNTRIES = RegionMember.objects.exclude(iso__contains="-").order_by("iso")


class RegionViewSet(ResourceViewSet):
    """Regions: a retailer's own groups of countries."""

    resource = "regions"
    queryset = Region.objects.prefetch_related(
        Prefetch("members", queryset=COUNTRIES, to_attr="countries")
    )
    serializer_class = RegionSerializer
    filterset_class = RegionFilterSet
    ordering_fields = ["id", "name", "handle", "created_at", "updated_at"]
    conflicts = {
        "locations_regionmember_iso_key": ("countries", "A country is in another region already.")
    }

"""Brands, by the API."""

from __future__ import annotations

from locations.filters import BRAND_FILTERS
from locations.models import Brand
from locations.serializers import BrandSerializer
from omneo.resources.views import ResourceViewSet


class BrandViewSet(ResourceViewSet):
    """Brands: who makes what is sold."""

    resource = "brands"
    queryset = Brand.objects.all()
    serializer_class = BrandSerializer
    filterset_fields = BRAND_FILTERS
    ordering_fields = ["id", "name", "handle", "created_at", "updated_at"]

"""Brands as the API shows and takes them."""

from __future__ import annotations

from locations.models import Brand
from omneo.resources.serializers import RowSerializer


class BrandSerializer(RowSerializer):
    class Meta:
        model = Brand
        fields = [
            "id",
            "name",
            "handle",
            "external_id",
            "external_code",
            "description",
            "short_description",
            "url",
            "image_url",
            "internal_note",
            "meta",
            "created_at",
            "updated_at",
        ]

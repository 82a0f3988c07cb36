"""Tiers as the API shows and takes them, where they are called statuses."""

from __future__ import annotations

from omneo.resources.serializers import RowSerializer
from profiles.models import Tier


class StatusSerializer(RowSerializer):
    class Meta:
        model = Tier
        fields = [
            "id",
            "name",
            "handle",
            "sort_order",
            "description",
            "short_description",
            "long_description",
            "terms_conditions",
            "icon",
            "image_url",
            "earn_instructions",
            "colour",
            "primary_colour",
            "secondary_colour",
            "text_colour",
            "code",
            "internal_notes",
            "group_name",
            "group_handle",
            "timezone",
            "period",
            "period_type",
            "absolute_expiry",
            "created_at",
            "updated_at",
        ]

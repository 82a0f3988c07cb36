"""Tiers as the API shows and takes them, where they are called statuses."""

from __future__ import annotations

from omneo.resources.serializers import RowSerializer
from profiles.models import Tier

NO_PERIOD = {"period": {"type": "null"}, "period_type": {"type": "null"}}
A_PERIOD = {"period": {"type": "integer"}, "period_type": {"type": "string"}}


class StatusSerializer(RowSerializer):
    """A status, which profiles hold. A period needs its unit, and a unit its period."""

    depends = {
        "anyOf": [
            {"properties": NO_PERIOD},
            {"properties": A_PERIOD, "required": list(A_PERIOD)},
        ]
    }

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

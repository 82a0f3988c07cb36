"""The tiers that a profile held and holds, as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from omneo.resources.fields import KeyField, SlugField
from omneo.resources.serializers import RowSerializer
from profiles.models import ProfileTier, Tier
from profiles.serializers.tier import StatusSerializer


class HoldingSerializer(RowSerializer):
    """A profile's holding of a status, which is named by `status_id` or by its `handle`."""

    depends = {"oneOf": [{"required": ["status_id"]}, {"required": ["handle"]}]}
    update_depends = {"not": {"required": ["status_id", "handle"]}}

    status_id = KeyField(source="tier_id", queryset=Tier.objects.all(), required=False)
    handle = SlugField(write_only=True, required=False, max_length=255)
    status = StatusSerializer(source="tier", read_only=True)

    class Meta:
        model = ProfileTier
        fields = [
            "id",
            "profile_id",
            "status_id",
            "handle",
            "status",
            "started_at",
            "expires_at",
            "removed_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["profile_id"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        handle = attrs.pop("handle", None)
        if handle is not None:
            if "tier_id" in attrs:
                raise serializers.ValidationError({"handle": "Not together with status_id."})
            tier = Tier.objects.filter(handle=handle).first()
            if tier is None:
                raise serializers.ValidationError({"handle": "There is no such status."})
            attrs["tier_id"] = tier.pk
        elif self.instance is None and "tier_id" not in attrs:
            raise serializers.ValidationError({"status_id": "This field is required."})
        return super().validate(attrs)

"""Addresses of profiles as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from locations.serializers import ADDRESS_FIELDS
from omneo.resources.fields import IntegerField
from omneo.resources.serializers import NestedRowSerializer
from profiles.models import ProfileAddress


class ProfileAddressSerializer(NestedRowSerializer):
    """An address that a profile stored. The one that becomes the default is the only one."""

    id = IntegerField(required=False)

    class Meta:
        model = ProfileAddress
        fields = ADDRESS_FIELDS
        read_only_fields = ["profile_id"]

    def _save(self, instance: ProfileAddress, values: dict[str, Any]) -> ProfileAddress:
        if values.get("is_default"):
            profile = values.get("profile") or instance.profile
            others = profile.addresses.exclude(pk=instance.pk)
            others.filter(is_default=True).update(is_default=False)
        return super()._save(instance, values)

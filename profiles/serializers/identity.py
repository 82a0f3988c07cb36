"""Identities as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from omneo.resources.fields import IntegerField
from omneo.resources.serializers import NestedRowSerializer
from profiles.models import Identity


class IdentitySerializer(NestedRowSerializer):
    """The name of a profile in another system. Of each system, one at most is the primary one."""

    id = IntegerField(required=False)

    class Meta:
        model = Identity
        fields = [
            "id",
            "profile_id",
            "handle",
            "identifier",
            "is_primary",
            "is_active",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["profile_id"]

    def _stored(self, data: Any) -> Identity | None:
        profile = self.parent.parent.instance
        if profile is not None and isinstance(data, dict) and data.get("id") is None:
            name = (data.get("handle"), data.get("identifier"))
            for identity in profile.identities.all():
                if (identity.handle, identity.identifier) == name:
                    return identity
        return super()._stored(data)

    def _save(self, instance: Identity, values: dict[str, Any]) -> Identity:
        if values.get("is_primary"):
            profile = values.get("profile") or instance.profile
            handle = values.get("handle", instance.handle)
            others = profile.identities.filter(handle=handle, is_primary=True)
            others.exclude(pk=instance.pk).update(is_primary=False)
        return super()._save(instance, values)

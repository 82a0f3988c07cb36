"""Addresses as the API shows and takes them."""

from __future__ import annotations

from rest_framework import serializers

from locations.models import LocationAddress
from omneo.resources.serializers import NestedRowSerializer

ADDRESS_FIELDS = [
    "id",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "company",
    "latitude",
    "longitude",
    "city",
    "postcode",
    "state",
    "country",
    "notes",
    "external_id",
    "is_default",
    "created_at",
    "updated_at",
    "meta",
    "name",
    "type",
    "phone",
    "iso",
    "iso_state",
    "profile_id",
    "custom_fields",
]


class LocationAddressSerializer(NestedRowSerializer):
    """The address of a location: the only one that it has, and nobody's else."""

    is_default = serializers.BooleanField(read_only=True, default=True)
    profile_id = serializers.UUIDField(read_only=True, allow_null=True, default=None)

    class Meta:
        model = LocationAddress
        fields = ADDRESS_FIELDS

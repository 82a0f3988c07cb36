"""Locations as the API shows them, with all their parts."""

from __future__ import annotations

from locations.models import Brand, Department, Location, NormalHours, SpecialHours
from locations.serializers.address import LocationAddressSerializer
from locations.serializers.base import RowSerializer


class NormalHoursSerializer(RowSerializer):
    class Meta:
        model = NormalHours
        fields = [
            "id",
            "location_id",
            "day_of_week",
            "open_at",
            "close_at",
            "created_at",
            "updated_at",
        ]


class SpecialHoursSerializer(RowSerializer):
    class Meta:
        model = SpecialHours
        fields = [
            "id",
            "location_id",
            "name",
            "is_repeating",
            "open_at",
            "close_at",
            "start_at",
            "end_at",
            "created_at",
            "updated_at",
        ]


class BrandNameSerializer(RowSerializer):
    """A brand as its department names it."""

    class Meta:
        model = Brand
        fields = ["name", "handle"]


class DepartmentSerializer(RowSerializer):
    brand = BrandNameSerializer()

    class Meta:
        model = Department
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
            "brand_id",
            "location_id",
            "brand",
            "created_at",
            "updated_at",
        ]


class LocationSerializer(RowSerializer):
    address = LocationAddressSerializer()
    normal_hours = NormalHoursSerializer(many=True)
    special_hours = SpecialHoursSerializer(many=True)
    departments = DepartmentSerializer(many=True)

    class Meta:
        model = Location
        fields = [
            "id",
            "type",
            "name",
            "handle",
            "description",
            "phone",
            "email",
            "timezone",
            "external_id",
            "external_code",
            "is_published",
            "is_permanently_closed",
            "address",
            "normal_hours",
            "special_hours",
            "tags",
            "custom_fields",
            "icon",
            "country_iso_3",
            "image_url",
            "created_at",
            "updated_at",
            "departments",
        ]

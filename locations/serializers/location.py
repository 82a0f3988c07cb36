"""Locations as the API shows and takes them, with all their parts."""

from __future__ import annotations

from locations.models import Brand, Department, Location, NormalHours, SpecialHours
from locations.serializers.address import LocationAddressSerializer
from omneo.resources.fields import IntegerField
from omneo.resources.serializers import NestedRowSerializer, RowSerializer


class NormalHoursSerializer(NestedRowSerializer):
    id = IntegerField(required=False)

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
        read_only_fields = ["location_id"]


class SpecialHoursSerializer(NestedRowSerializer):
    id = IntegerField(required=False)

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
        read_only_fields = ["location_id"]


class BrandNameSerializer(RowSerializer):
    """A brand as its department names it."""

    class Meta:
        model = Brand
        fields = ["name", "handle"]


class DepartmentSerializer(NestedRowSerializer):
    id = IntegerField(required=False)
    brand = BrandNameSerializer(read_only=True, allow_null=True)

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
        read_only_fields = ["location_id"]


class LocationSerializer(RowSerializer):
    """A location. `region_id` is taken and not shown: the keys are those of the contract."""

    rows = ("address", "normal_hours", "special_hours", "departments")

    address = LocationAddressSerializer(required=False, allow_null=True)
    normal_hours = NormalHoursSerializer(many=True, required=False, max_length=100)
    special_hours = SpecialHoursSerializer(many=True, required=False, max_length=1000)
    departments = DepartmentSerializer(many=True, required=False, max_length=1000)

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
            "region_id",
        ]
        extra_kwargs = {"region_id": {"write_only": True}}

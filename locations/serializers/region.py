"""Regions as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from locations.models import Country, Region, RegionMember
from omneo.resources.fields import TextField
from omneo.resources.serializers import RowSerializer

LARGEST_REGION = 300  # there are fewer countries


class RegionCountrySerializer(serializers.Serializer):
    """A country of a region: `{"iso_2": "AU"}`."""

    iso_2 = TextField(source="iso", max_length=2)

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        # It is wanted in an update too, where the framework takes all fields for optional.
        if "iso" not in attrs:
            raise serializers.ValidationError({"iso_2": self.error_messages["required"]})
        return attrs


class RegionSerializer(RowSerializer):
    """A region and its countries. States, which only the admin gives a region, stay as they are."""

    countries = RegionCountrySerializer(many=True, required=False, max_length=LARGEST_REGION)

    class Meta:
        model = Region
        fields = ["id", "name", "handle", "is_default", "countries", "created_at", "updated_at"]

    def validate_countries(self, given: list[dict[str, str]]) -> list[str]:
        isos = list(dict.fromkeys(country["iso"] for country in given))
        known = set(Country.objects.filter(pk__in=isos).values_list("pk", flat=True))
        if unknown := [iso for iso in isos if iso not in known]:
            raise serializers.ValidationError(f"{unknown[0]} is not an ISO 3166-1 country.")
        return isos

    def create(self, values: dict[str, Any]) -> Region:
        return self.update(Region(), values)

    def update(self, instance: Region, values: dict[str, Any]) -> Region:
        isos = values.pop("countries", None)
        region = super().update(instance, values)
        if isos is not None:
            self._set_countries(region, isos)
        return region

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        super().validate({name: attrs[name] for name in attrs if name != "countries"})
        return attrs

    @staticmethod
    def _set_countries(region: Region, isos: list[str]) -> None:
        members = {member.iso: member for member in region.members.exclude(iso__contains="-")}
        for iso, member in members.items():
            if iso not in isos:
                member.delete()
        for iso in isos:
            if iso not in members:
                RegionMember(region=region, iso=iso).save()

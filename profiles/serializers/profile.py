"""Profiles as the API shows and takes them."""

from __future__ import annotations

from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from omneo.resources.fields import KeyField
from omneo.resources.serializers import RowSerializer
from profiles.living import LIVING
from profiles.models import Profile
from profiles.serializers.address import ProfileAddressSerializer
from profiles.serializers.currency import CurrencyCodeField
from profiles.serializers.holding import HoldingSerializer
from profiles.serializers.identity import IdentitySerializer

MOST_ROWS = 100
LEAP_YEAR = 2000
TYPES = [value for value in Profile.Type.values if value != Profile.Type.DELETED]


EXAMPLE = OpenApiExample(
    "A customer of a web shop",
    request_only=True,
    value={
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "ada@example.com",
        "joined_at": "2025-06-30 08:05:00",
        "tags": ["newsletter"],
        "addresses": [{"city": "Melbourne", "iso": "AU", "is_default": True}],
        "identities": [{"handle": "web", "identifier": "C-1001"}],
    },
)


@extend_schema_serializer(examples=[EXAMPLE])
class ProfileSerializer(RowSerializer):
    """A profile. Addresses that are given replace the stored ones; identities are added to them.

    `statuses` are those that it holds at the moment.
    """

    rows = ("addresses", "identities")
    keeps_rows = ("identities",)

    currency = CurrencyCodeField(required=False, allow_null=True)
    referred_by = KeyField(
        source="referred_by_id", queryset=LIVING, required=False, allow_null=True
    )
    addresses = ProfileAddressSerializer(many=True, required=False, max_length=MOST_ROWS)
    identities = IdentitySerializer(many=True, required=False, max_length=MOST_ROWS)
    statuses = HoldingSerializer(source="current_tiers", many=True, read_only=True)

    class Meta:
        model = Profile
        fields = [
            "id",
            "profile_type",
            "title",
            "first_name",
            "last_name",
            "email",
            "gender",
            "mobile_phone",
            "mobile_phone_country",
            "joined_at",
            "joined_location_id",
            "preferred_location_id",
            "birth_day",
            "birth_month",
            "birth_year",
            "company",
            "occupation",
            "avatar_url",
            "currency",
            "referred_by",
            "tags",
            "addresses",
            "identities",
            "statuses",
            "meta",
            "created_at",
            "updated_at",
        ]
        extra_kwargs = {"profile_type": {"choices": TYPES}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        self._refuse_days_that_are_not(attrs)
        return super().validate(attrs)

    def _refuse_days_that_are_not(self, attrs: dict[str, Any]) -> None:
        day, month, year = (
            attrs.get(name, getattr(self.instance, name, None))
            for name in ("birth_day", "birth_month", "birth_year")
        )
        if day and month:
            try:
                date(year or LEAP_YEAR, month, day)
            except ValueError as error:
                raise serializers.ValidationError(
                    {"birth_day": "There is no such day in that month."}
                ) from error

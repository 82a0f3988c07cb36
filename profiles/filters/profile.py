"""What profiles and what belongs to them can be filtered by."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.db.models.functions import Lower

from omneo.resources.filters import (
    CHOICE,
    EXACT,
    NULLABLE_CHOICE,
    ORDER,
    TEXT,
    BooleanFilter,
    IntegerFilter,
    ResourceFilterSet,
)
from profiles.models import Currency, Identity, Profile, ProfileAddress, ProfileTier

TIMES = {"created_at": ORDER, "updated_at": ORDER}
STATUS_FILTERS = {
    "id": CHOICE,
    "name": TEXT,
    "handle": CHOICE,
    "code": NULLABLE_CHOICE,
    "group_handle": NULLABLE_CHOICE,
    "sort_order": ORDER,
    **TIMES,
}


class EmailFilter(django_filters.CharFilter):
    """An email address, in any case."""

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        if not value:
            return qs
        return qs.alias(lower_email=Lower("email")).filter(lower_email=value.lower())


class ProfileFilterSet(ResourceFilterSet):
    email = EmailFilter()
    email__isnull = BooleanFilter(field_name="email", lookup_expr="isnull")
    currency = django_filters.CharFilter(field_name="currency__from_code")
    referred_by = django_filters.UUIDFilter(field_name="referred_by_id")
    referred_by__isnull = BooleanFilter(field_name="referred_by_id", lookup_expr="isnull")

    class Meta:
        model = Profile
        fields = {
            "id": CHOICE,
            "profile_type": CHOICE,
            "first_name": TEXT,
            "last_name": TEXT,
            "gender": NULLABLE_CHOICE,
            "mobile_phone": NULLABLE_CHOICE,
            "mobile_phone_country": NULLABLE_CHOICE,
            "joined_at": ORDER,
            "joined_location_id": NULLABLE_CHOICE,
            "preferred_location_id": NULLABLE_CHOICE,
            "birth_day": ORDER,
            "birth_month": ORDER,
            "birth_year": ORDER,
            "company": NULLABLE_CHOICE,
            "tags": ["contains"],
            **TIMES,
        }


# `from` is a word of Python's, so that the class is made by a call.
CurrencyFilterSet = type(ResourceFilterSet)(
    "CurrencyFilterSet",
    (ResourceFilterSet,),
    {
        "__doc__": "Filters by the codes and the rate.",
        "__module__": __name__,
        "from": django_filters.CharFilter(field_name="from_code"),
        "to": django_filters.CharFilter(field_name="to_code"),
        "Meta": type(
            "Meta",
            (),
            {
                "model": Currency,
                "fields": {"id": CHOICE, "rate": ORDER, "is_system": EXACT, **TIMES},
            },
        ),
    },
)


class IdentityFilterSet(ResourceFilterSet):
    class Meta:
        model = Identity
        fields = {
            "id": CHOICE,
            "profile_id": CHOICE,
            "handle": CHOICE,
            "identifier": CHOICE,
            "is_primary": EXACT,
            "is_active": EXACT,
            **TIMES,
        }


class ProfileAddressFilterSet(ResourceFilterSet):
    class Meta:
        model = ProfileAddress
        fields = {
            "id": CHOICE,
            "type": NULLABLE_CHOICE,
            "iso": NULLABLE_CHOICE,
            "iso_state": NULLABLE_CHOICE,
            "external_id": NULLABLE_CHOICE,
            "is_default": EXACT,
            **TIMES,
        }


class HoldingFilterSet(ResourceFilterSet):
    status_id = IntegerFilter(field_name="tier_id")
    handle = django_filters.CharFilter(field_name="tier__handle")

    class Meta:
        model = ProfileTier
        fields = {
            "id": CHOICE,
            "started_at": ORDER,
            "expires_at": ORDER,
            "removed_at": ORDER,
            **TIMES,
        }

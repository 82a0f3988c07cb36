"""Which filters the lists of places have."""

from __future__ import annotations

import django_filters

from locations.models import Location, Region
from omneo.resources.filters import (
    CHOICE,
    EXACT,
    NULLABLE_CHOICE,
    ORDER,
    TEXT,
    ResourceFilterSet,
)

TIMES = {"created_at": ORDER, "updated_at": ORDER}
BRAND_FILTERS = {
    "id": CHOICE,
    "name": TEXT,
    "handle": CHOICE,
    "external_id": NULLABLE_CHOICE,
    "external_code": NULLABLE_CHOICE,
    **TIMES,
}


class LocationFilterSet(ResourceFilterSet):
    country = django_filters.CharFilter(field_name="address__iso")
    state = django_filters.CharFilter(field_name="address__iso_state")

    class Meta:
        model = Location
        fields = {
            "id": CHOICE,
            "type": NULLABLE_CHOICE,
            "name": TEXT,
            "handle": NULLABLE_CHOICE,
            "external_id": NULLABLE_CHOICE,
            "external_code": NULLABLE_CHOICE,
            "timezone": NULLABLE_CHOICE,
            "country_iso_3": NULLABLE_CHOICE,
            "region_id": NULLABLE_CHOICE,
            "is_published": EXACT,
            "is_permanently_closed": EXACT,
            "tags": ["contains"],
            **TIMES,
        }


class RegionFilterSet(ResourceFilterSet):
    country = django_filters.CharFilter(field_name="members__iso")

    class Meta:
        model = Region
        fields = {
            "id": CHOICE,
            "name": TEXT,
            "handle": CHOICE,
            "is_default": ["exact", "isnull"],
            **TIMES,
        }

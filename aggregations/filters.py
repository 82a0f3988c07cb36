"""What segments can be made of: filters of the rows of aggregations."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from aggregations.models import Aggregation
from omneo.resources.filters import (
    CHOICE,
    NULLABLE_CHOICE,
    ORDER,
    ResourceFilterSet,
)
from profiles.models import ProfileTier

NULLABLE_NUMBER = [*ORDER, "in"]
NUMBER = [lookup for lookup in NULLABLE_NUMBER if lookup != "isnull"]
NULLABLE_TIME = ORDER

# Every field that is one value, in the order of the contract, with the look-ups that make sense.
SCALARS = {
    "profile_id": CHOICE,
    "shop_days": NULLABLE_NUMBER,
    "spend_12m": NUMBER,
    "spend_12m_now": NUMBER,
    "spend_all": NUMBER,
    "spend_atv_12m": NULLABLE_NUMBER,
    "spend_atv_all": NULLABLE_NUMBER,
    "discount_avg": NULLABLE_NUMBER,
    "spend_first_date": NULLABLE_TIME,
    "spend_last_date": NULLABLE_TIME,
    "dimension_frequency": CHOICE,
    "dimension_recency": CHOICE,
    "dimension_join": CHOICE,
    "channel": NULLABLE_CHOICE,
    "shop_count": NUMBER,
    "total_referred": NUMBER,
    "likely_country": NULLABLE_CHOICE,
    "likely_country_score": NULLABLE_NUMBER,
    "total_shop_days": NUMBER,
    "first_shop_days": NULLABLE_NUMBER,
    "second_shop_days": NULLABLE_NUMBER,
    "latest_shop_days": NULLABLE_NUMBER,
    "average_shop_days": NULLABLE_NUMBER,
    "second_shop_date": NULLABLE_TIME,
    "previous_shop_date": NULLABLE_TIME,
    "at_risk_date": NULLABLE_TIME,
    "latest_shop_spend": NULLABLE_NUMBER,
    "likely_country_iso": NULLABLE_CHOICE,
    "likely_country_iso_score": NULLABLE_NUMBER,
    "likely_state_iso": NULLABLE_CHOICE,
    "likely_state_iso_score": NULLABLE_NUMBER,
    "likely_region": NULLABLE_CHOICE,
    "likely_region_score": NULLABLE_NUMBER,
}
# By the id of the place
LOCATIONS = {
    "store_join": NULLABLE_CHOICE,
    "most_transacted_location": NULLABLE_CHOICE,
    "most_spend_location": NULLABLE_CHOICE,
    "most_spend_12m_location": NULLABLE_CHOICE,
    "latest_transacted_location": NULLABLE_CHOICE,
}
# All of some names, by comma
NAMES = {"purchased_brands": ["contains"], "transacted_locations": ["contains"]}


class ContainedNameFilter(django_filters.CharFilter):
    """One name that is among those of the row. It may have a comma."""

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        return qs.filter(**{f"{self.field_name}__contains": [value]}) if value else qs


class AnyNameFilter(django_filters.BaseInFilter, django_filters.CharFilter):
    """One at least of some names, separated by comma."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "lookup_expr": "overlap"})


class StatusFilter(django_filters.CharFilter):
    """Who holds a status, by its handle; with `ever`, also who once did or is yet to."""

    def __init__(self, *, ever: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.ever = ever

    def filter(self, qs: QuerySet, value: str | list[str]) -> QuerySet:
        if not value:
            return qs
        handles = [value] if isinstance(value, str) else value
        held = ProfileTier.objects.filter(profile=OuterRef("pk"), tier__handle__in=handles)
        if not self.ever:
            held = held.held_at(Now())
        return qs.filter(Exists(held))


class StatusInFilter(django_filters.BaseInFilter, StatusFilter):
    """Who holds one of some statuses, by their handles."""


class TextInFilter(django_filters.BaseInFilter, django_filters.CharFilter):
    """One of some texts."""


class SegmentFilterSet(ResourceFilterSet):
    """Filters by all values of a row, and by the statuses that its profile holds or held."""

    purchased_brands = ContainedNameFilter()
    purchased_brands__overlap = AnyNameFilter(field_name="purchased_brands")
    transacted_locations = ContainedNameFilter()
    transacted_locations__overlap = AnyNameFilter(field_name="transacted_locations")
    latest_shop_currency = django_filters.CharFilter(field_name="latest_shop_currency__from_code")
    latest_shop_currency__in = TextInFilter(
        field_name="latest_shop_currency__from_code", lookup_expr="in"
    )
    top_historic_status = django_filters.CharFilter(field_name="top_historic_status__handle")
    top_historic_status__in = TextInFilter(
        field_name="top_historic_status__handle", lookup_expr="in"
    )
    status = StatusFilter()
    status__in = StatusInFilter()
    status_ever = StatusFilter(ever=True)
    status_ever__in = StatusInFilter(ever=True)

    class Meta:
        model = Aggregation
        fields = {
            **SCALARS,
            **LOCATIONS,
            **NAMES,
            "latest_shop_currency": ["isnull"],
            "top_historic_status": ["isnull"],
        }

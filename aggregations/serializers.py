"""A profile's row as the API shows it: the keys of the contract, in its order."""

from __future__ import annotations

from typing import Any

from aggregations.models import Aggregation
from aggregations.parts import Part
from locations.serializers import LocationSerializer, RowSerializer
from profiles.serializers import CurrencySerializer, StatusSerializer


class ShownOnce:
    """For parts to which several fields and rows may point: shown once, however many do."""

    def to_representation(self, part: Part) -> dict[str, Any]:
        if part.shown is None:
            part.shown = super().to_representation(part)
        return part.shown


class PlaceSerializer(ShownOnce, LocationSerializer):
    pass


class LatestCurrencySerializer(ShownOnce, CurrencySerializer):
    pass


class TopStatusSerializer(ShownOnce, StatusSerializer):
    pass


class AggregationSerializer(RowSerializer):
    store_join = PlaceSerializer(allow_null=True)
    most_transacted_location = PlaceSerializer(allow_null=True)
    most_spend_location = PlaceSerializer(allow_null=True)
    most_spend_12m_location = PlaceSerializer(allow_null=True)
    latest_shop_currency = LatestCurrencySerializer(allow_null=True)
    latest_transacted_location = PlaceSerializer(allow_null=True)
    top_historic_status = TopStatusSerializer(allow_null=True)

    class Meta:
        model = Aggregation
        fields = [
            "profile_id",
            "shop_days",
            "spend_12m",
            "spend_12m_now",
            "spend_all",
            "spend_atv_12m",
            "spend_atv_all",
            "discount_avg",
            "spend_first_date",
            "spend_last_date",
            "dimension_frequency",
            "dimension_recency",
            "dimension_join",
            "channel",
            "shop_count",
            "total_referred",
            "store_join",
            "likely_country",
            "likely_country_score",
            "purchased_brands",
            "total_shop_days",
            "first_shop_days",
            "second_shop_days",
            "latest_shop_days",
            "average_shop_days",
            "second_shop_date",
            "previous_shop_date",
            "at_risk_date",
            "most_transacted_location",
            "most_spend_location",
            "most_spend_12m_location",
            "latest_shop_spend",
            "latest_shop_currency",
            "latest_transacted_location",
            "transacted_locations",
            "likely_country_iso",
            "likely_country_iso_score",
            "likely_state_iso",
            "likely_state_iso_score",
            "likely_region",
            "likely_region_score",
            "top_historic_status",
        ]

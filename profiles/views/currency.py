"""Currencies, by the API."""

from __future__ import annotations

from omneo.resources.conflicts import Conflict
from omneo.resources.views import ResourceViewSet
from profiles.filters.profile import CurrencyFilterSet
from profiles.models import Currency
from profiles.serializers import CurrencySerializer


class CurrencyViewSet(ResourceViewSet):
    """Currencies and their rates. The system currency stays: all aggregations are in it."""

    resource = "currencies"
    queryset = Currency.objects.all()
    serializer_class = CurrencySerializer
    filterset_class = CurrencyFilterSet
    ordering_fields = {
        "id": "id",
        "from": "from_code",
        "to": "to_code",
        "rate": "rate",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }
    conflicts = {
        "currency_once": ("from", "That pair of currencies exists already."),
        "currency_one_system": ("is_system", "There is a system currency already."),
        "currency_system_rate_is_1": ("rate", "The system currency's rate is 1."),
        "currency_rate_above_0": ("rate", "A rate is above 0."),
    }

    def perform_destroy(self, row: Currency) -> None:
        if row.is_system:
            raise Conflict("It is the system currency.")
        super().perform_destroy(row)

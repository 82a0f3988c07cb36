"""Currencies as the API shows and takes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from omneo.resources.fields import TextField
from omneo.resources.serializers import RowSerializer
from profiles.models import Currency

LOWEST_RATE = Decimal("0.00000001")


class CurrencySerializer(RowSerializer):
    class Meta:
        model = Currency
        fields = ["id", "from", "to", "rate", "is_system", "created_at", "updated_at"]
        extra_kwargs = {
            "from": {"source": "from_code"},
            "to": {"source": "to_code"},
            "rate": {
                "min_value": LOWEST_RATE,
                "error_messages": {"min_value": "A rate is above 0."},
            },
        }


class CurrencyCodeField(TextField):
    """A currency by its code: the one of that code whose rate leads to the system currency."""

    default_error_messages = {"unknown": "There is no such currency."}

    def to_internal_value(self, data: Any) -> Currency:
        code = super().to_internal_value(data)
        system = Currency.objects.filter(is_system=True).values("from_code")
        currency = Currency.objects.filter(from_code=code, to_code__in=system).first()
        if currency is None:
            self.fail("unknown")
        return currency

    def to_representation(self, value: Currency) -> str:
        return value.from_code

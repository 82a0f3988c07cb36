"""Currencies as the API shows them."""

from __future__ import annotations

from locations.serializers import RowSerializer
from profiles.models import Currency


class CurrencySerializer(RowSerializer):
    class Meta:
        model = Currency
        fields = ["id", "from", "to", "rate", "is_system", "created_at", "updated_at"]
        extra_kwargs = {"from": {"source": "from_code"}, "to": {"source": "to_code"}}

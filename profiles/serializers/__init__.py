"""Profiles and what belongs to them as the API shows them."""

from profiles.serializers.currency import CurrencySerializer
from profiles.serializers.tier import StatusSerializer

__all__ = ["CurrencySerializer", "StatusSerializer"]

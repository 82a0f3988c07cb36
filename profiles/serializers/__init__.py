"""Profiles and what belongs to them as the API shows and takes them."""

from profiles.serializers.address import ProfileAddressSerializer
from profiles.serializers.currency import CurrencyCodeField, CurrencySerializer
from profiles.serializers.holding import HoldingSerializer
from profiles.serializers.identity import IdentitySerializer
from profiles.serializers.profile import ProfileSerializer
from profiles.serializers.tier import StatusSerializer

__all__ = [
    "CurrencyCodeField",
    "CurrencySerializer",
    "HoldingSerializer",
    "IdentitySerializer",
    "ProfileAddressSerializer",
    "ProfileSerializer",
    "StatusSerializer",
]

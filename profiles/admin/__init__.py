"""Profiles and all that is known of them, in the admin."""

from profiles.admin.currency import CurrencyAdmin
from profiles.admin.location import LocationAdmin
from profiles.admin.profile import ProfileAdmin
from profiles.admin.tier import ProfileTierAdmin, TierAdmin
from profiles.admin.transaction import TransactionAdmin, TransactionItemAdmin

__all__ = [
    "CurrencyAdmin",
    "LocationAdmin",
    "ProfileAdmin",
    "ProfileTierAdmin",
    "TierAdmin",
    "TransactionAdmin",
    "TransactionItemAdmin",
]

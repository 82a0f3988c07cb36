"""Profiles and all that is known of them, in the admin."""

from profiles.admin.batch import ProfileBatchAdmin, ProfileBatchRowAdmin
from profiles.admin.currency import CurrencyAdmin
from profiles.admin.location import LocationAdmin
from profiles.admin.profile import ProfileAdmin
from profiles.admin.queue import QueuedTransactionAdmin
from profiles.admin.tier import ProfileTierAdmin, TierAdmin
from profiles.admin.transaction import TransactionAdmin, TransactionItemAdmin

__all__ = [
    "CurrencyAdmin",
    "LocationAdmin",
    "ProfileAdmin",
    "ProfileBatchAdmin",
    "ProfileBatchRowAdmin",
    "ProfileTierAdmin",
    "QueuedTransactionAdmin",
    "TierAdmin",
    "TransactionAdmin",
    "TransactionItemAdmin",
]

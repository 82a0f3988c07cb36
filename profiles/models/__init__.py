"""Profiles and all that is known of them."""

from profiles.models.batch import ProfileBatch, ProfileBatchRow
from profiles.models.currency import Currency
from profiles.models.former import FormerName
from profiles.models.profile import Identity, Profile, ProfileAddress
from profiles.models.queue import QueuedTransaction
from profiles.models.tier import ProfileTier, Tier
from profiles.models.transaction import POINT_OF_SALE, WEBSITE, Transaction, TransactionItem

__all__ = [
    "POINT_OF_SALE",
    "WEBSITE",
    "Currency",
    "FormerName",
    "Identity",
    "Profile",
    "ProfileAddress",
    "ProfileBatch",
    "ProfileBatchRow",
    "ProfileTier",
    "QueuedTransaction",
    "Tier",
    "Transaction",
    "TransactionItem",
]

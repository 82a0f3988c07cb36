"""What transactions can be filtered by."""

from __future__ import annotations

import django_filters

from omneo.resources.filters import (
    CHOICE,
    EXACT,
    NULLABLE_CHOICE,
    ORDER,
    TEXT,
    ResourceFilterSet,
)
from profiles.models import Transaction


class TransactionFilterSet(ResourceFilterSet):
    currency = django_filters.CharFilter(field_name="currency__from_code")

    class Meta:
        model = Transaction
        fields = {
            "id": CHOICE,
            "profile_id": CHOICE,
            "external_id": NULLABLE_CHOICE,
            "receipt_ref": TEXT,
            "location_id": NULLABLE_CHOICE,
            "total": ORDER,
            "systems": EXACT,
            "tags": EXACT,
            "is_void": EXACT,
            "transacted_at": ORDER,
            "created_at": ORDER,
            "updated_at": ORDER,
        }

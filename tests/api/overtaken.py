"""Rows that the clock has overtaken since they were stored."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from aggregations.calculation import recalculate
from tests.factories import TransactionFactory


def overtaken() -> str:
    """Make a row whose one sale has left all windows since; return its profile's key."""
    now = timezone.now()
    profile = TransactionFactory(transacted_at=now - timedelta(days=400)).profile
    recalculate(profile_ids=[profile.pk], moment=now - timedelta(days=300))
    return str(profile.pk)

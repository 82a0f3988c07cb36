"""Tiers by the API, where they are called statuses, and who holds them."""

from __future__ import annotations

from omneo.resources.views import ResourceViewSet
from profiles.filters.profile import STATUS_FILTERS, HoldingFilterSet
from profiles.models import ProfileTier, Tier
from profiles.serializers import HoldingSerializer, StatusSerializer
from profiles.views.below import BelowProfileViewSet


class StatusViewSet(ResourceViewSet):
    """Statuses: the tiers of the loyalty programme."""

    resource = "statuses"
    queryset = Tier.objects.all()
    serializer_class = StatusSerializer
    filterset_fields = STATUS_FILTERS
    ordering_fields = ["id", "name", "handle", "sort_order", "created_at", "updated_at"]
    conflicts = {
        "tier_period_and_unit": ("period_type", "A period needs its unit, and a unit its period.")
    }


class HoldingViewSet(BelowProfileViewSet):
    """Which statuses a profile held and holds. One that is deleted was never held."""

    queryset = ProfileTier.objects.select_related("tier")
    serializer_class = HoldingSerializer
    filterset_class = HoldingFilterSet
    ordering = ["-started_at", "-id"]
    ordering_fields = ["id", "started_at", "expires_at", "created_at", "updated_at"]
    conflicts = {
        "profile_tier_expires_after_start": ("expires_at", "It cannot expire before it starts."),
        "profile_tier_removed_after_start": (
            "removed_at",
            "It cannot be removed before it starts.",
        ),
    }

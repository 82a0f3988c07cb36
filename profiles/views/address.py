"""The addresses of a profile, by the API."""

from __future__ import annotations

from profiles.filters.profile import ProfileAddressFilterSet
from profiles.models import ProfileAddress
from profiles.serializers import ProfileAddressSerializer
from profiles.views.below import BelowProfileViewSet


class ProfileAddressViewSet(BelowProfileViewSet):
    """The addresses that a profile stored."""

    queryset = ProfileAddress.objects.all()
    serializer_class = ProfileAddressSerializer
    filterset_class = ProfileAddressFilterSet
    ordering_fields = ["id", "created_at", "updated_at"]

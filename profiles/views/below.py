"""What hangs on one profile: `/profiles/{profile}/...`. The rows of others are not there."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from omneo.resources.views import ResourceViewSet, find_by_key
from profiles.living import LIVING
from profiles.models import Profile


def find_profile(text: str, *, hold: bool = False) -> Profile:
    """Return the profile that a path names. Raises NotFound; a deleted one is not there."""
    return find_by_key(LIVING.select_for_update(no_key=True) if hold else LIVING, text)


class BelowProfileViewSet(ResourceViewSet):
    """Rows of the profile that the path names.

    A write holds the profile: what one row gives up for another, such as being the default, is not
    taken by a third at the same time.
    """

    resource = "profiles"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.profile = find_profile(self.kwargs["profile"])

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().filter(profile=self.profile)

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(profile=find_profile(self.kwargs["profile"], hold=True))

    def hold(self, *, alone: bool = False) -> Model:
        find_profile(self.kwargs["profile"], hold=True)
        return super().hold(alone=alone)

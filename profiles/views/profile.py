"""Profiles, by the API.

Deleting a profile is soft: it gets the type `deleted`, and neither it nor what hangs on it is
there any more, except in the list with `filter[profile_type]=deleted`. `update-type` brings it
back; `purge` is for good.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from omneo.resources.fields import ChoiceField, UuidField
from omneo.resources.views import ResourceViewSet, find_by_key
from profiles.conflicts import PROFILE_CONFLICTS
from profiles.filters.profile import ProfileFilterSet
from profiles.living import LIVING
from profiles.merging import CannotBeMergedError, merge, purge
from profiles.models import Identity, Profile, ProfileAddress, ProfileTier
from profiles.serializers import ProfileSerializer

INCLUDE = "include"
TYPE_FILTERS = ("filter[profile_type]", "filter[profile_type__in]")
ADDRESSES = ProfileAddress.objects.order_by("id")
IDENTITIES = Identity.objects.order_by("id")


class ProfileTypeSerializer(serializers.Serializer):
    profile_type = ChoiceField(choices=Profile.Type.choices)


class MergeSerializer(serializers.Serializer):
    source_profile_id = UuidField()
    destination_profile_id = UuidField()


class ProfileViewSet(ResourceViewSet):
    """Profiles with their addresses, identities and the statuses that they hold.

    `includes`: what else `include` can ask for when profiles are read.
    """

    resource = "profiles"
    includes: ClassVar[frozenset[str]] = frozenset()
    queryset = Profile.objects.select_related("currency")
    serializer_class = ProfileSerializer
    filterset_class = ProfileFilterSet
    ordering = ["created_at", "id"]
    ordering_fields = [
        "id",
        "first_name",
        "last_name",
        "email",
        "joined_at",
        "created_at",
        "updated_at",
    ]
    conflicts = PROFILE_CONFLICTS

    @property
    def parameters(self) -> frozenset[str]:
        is_read = self.action in ("list", "retrieve") and self.includes
        return frozenset({INCLUDE}) if is_read else frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        asked = request.query_params.get(INCLUDE)
        self.included = frozenset() if asked is None else frozenset(asked.split(","))
        if unknown := self.included - self.includes:
            raise ValidationError({INCLUDE: [f"There is no “{min(unknown)}” to include."]})

    def get_queryset(self) -> QuerySet[Profile]:
        asked = self.request.query_params
        profiles = self.with_all_parts()
        if self.action == "list" and any(name in asked for name in TYPE_FILTERS):
            return profiles
        return profiles.exclude(profile_type=Profile.Type.DELETED)

    def with_all_parts(self) -> QuerySet[Profile]:
        """Return all profiles, the deleted ones too, with what an answer shows of each."""
        current = ProfileTier.objects.select_related("tier").held_at(timezone.now())
        return (
            super()
            .get_queryset()
            .prefetch_related(
                Prefetch("addresses", ADDRESSES),
                Prefetch("identities", IDENTITIES),
                Prefetch("tiers", current.order_by("started_at", "id"), to_attr="current_tiers"),
            )
        )

    def hold(self, *, alone: bool = False) -> Profile:
        return self.find(LIVING.select_for_update(no_key=not alone))

    def answer(self, row: Profile) -> dict[str, Any]:
        return self.get_serializer(self.with_all_parts().get(pk=row.pk)).data

    def perform_destroy(self, row: Profile) -> None:
        row.profile_type = Profile.Type.DELETED
        row.save()

    @extend_schema(summary="Change the type of a profile", request=ProfileTypeSerializer)
    def update_type(self, request: Request, pk: str) -> Response:
        """Change the type, of a deleted profile too."""
        body = ProfileTypeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            profile = find_by_key(Profile.objects.select_for_update(no_key=True), pk)
            profile.profile_type = body.validated_data["profile_type"]
            profile.save()
            return Response(self.answer(profile))

    @extend_schema(summary="Purge a profile", request=None, responses={204: None})
    def purge(self, request: Request, pk: str) -> Response:
        """Remove a profile for good, a deleted one too, with all that it has and did."""
        purge(profile_id=find_by_key(Profile.objects.only("pk"), pk).pk)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Merge two profiles",
        request=MergeSerializer,
        responses={200: ProfileSerializer, 404: None},
    )
    def merge(self, request: Request) -> Response:
        """Move everything of one profile to another, and answer with that."""
        body = MergeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        source_id, destination_id = (
            body.validated_data[f"{role}_profile_id"] for role in ("source", "destination")
        )
        known = LIVING.filter(pk__in=[source_id, destination_id]).values_list("pk", flat=True)
        errors = {
            name: ["There is no such profile."]
            for name, key in body.validated_data.items()
            if key not in set(known)
        }
        if errors:
            raise ValidationError(errors)
        try:
            destination = merge(
                source_id=source_id, destination_id=destination_id, moment=timezone.now()
            )
        except CannotBeMergedError as error:
            raise ValidationError({"destination_profile_id": [str(error)]}) from error
        except Profile.DoesNotExist as error:
            raise NotFound("There is no such profile.") from error
        return Response(self.answer(destination))

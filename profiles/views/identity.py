"""Identities by the API: those of one profile, those of all, and who has one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from omneo.resources.conflicts import Conflict
from omneo.resources.fields import TextField
from omneo.resources.views import ResourceViewSet
from profiles.filters.profile import IdentityFilterSet
from profiles.living import LIVING
from profiles.models import Identity, Profile
from profiles.serializers import IdentitySerializer, ProfileSerializer
from profiles.views.below import BelowProfileViewSet
from profiles.views.profile import ProfileViewSet

ORDERING_FIELDS = ["id", "handle", "identifier", "created_at", "updated_at"]
NO_PROFILE = "There is no such profile."


class ProfileIdentityViewSet(BelowProfileViewSet):
    """The identities of a profile, one by one by their ids."""

    queryset = Identity.objects.all()
    serializer_class = IdentitySerializer
    filterset_class = IdentityFilterSet
    ordering_fields = ORDERING_FIELDS
    conflicts = {"identity_once": ("identifier", "The identifier exists")}

    def path_of(self, row: Identity) -> str:
        return f"{self.request.path.rstrip('/')}/id/{row.pk}"


class HandleViewSet(ProfileIdentityViewSet):
    """The identity of a profile that has a handle.

    Where there are several, the primary one is read, else an active one, else the oldest; what is
    to be changed or deleted must be named by its id then: 409.
    """

    lookup_field = "handle"

    def find(self, rows: QuerySet) -> Identity:
        there = rows.filter(profile=self.profile, handle=self.kwargs["handle"])
        found = list(there.order_by("-is_primary", "-is_active", "id")[:2])
        if not found:
            raise NotFound("There is no such identity.")
        if len(found) > 1 and self.request.method not in SAFE_METHODS:
            raise Conflict("The profile has several identities of that handle. Name one by its id.")
        return found[0]


class IdentityViewSet(ResourceViewSet):
    """The identities of all profiles, to be read."""

    resource = "profiles"
    http_method_names = ["get", "head", "options"]
    queryset = Identity.objects.filter(profile__in=LIVING)
    serializer_class = IdentitySerializer
    filterset_class = IdentityFilterSet
    ordering_fields = ORDERING_FIELDS


class IdentifierViewSet(ProfileViewSet):
    """The profiles that have an identifier, whatever its handle."""

    def get_queryset(self) -> QuerySet[Profile]:
        having = Identity.objects.filter(identifier=self.kwargs["identifier"], is_active=True)
        return super().get_queryset().filter(pk__in=having.values("profile"))


class IdentityNameSerializer(serializers.Serializer):
    """An identity by the words of a search: its handle is the `type`, its identifier the `id`."""

    type = TextField(max_length=100)
    id = TextField(max_length=255)


class SearchIdViewSet(ProfileViewSet):
    """The profile that has an identity. Asked by POST, and yet the scope to read is enough."""

    safe_methods = (*SAFE_METHODS, "POST")

    @extend_schema(
        summary="Find a profile by an identity",
        request=IdentityNameSerializer,
        responses={200: ProfileSerializer, 404: None},
    )
    def search(self, request: Request, **path: Any) -> Response:
        name = IdentityNameSerializer(data=request.data)
        name.is_valid(raise_exception=True)
        identity = Identity.objects.filter(
            handle=name.validated_data["type"],
            identifier=name.validated_data["id"],
            is_active=True,
        )
        profile = self.get_queryset().filter(pk__in=identity.values("profile")).first()
        if profile is None:
            raise NotFound(NO_PROFILE)
        return Response(self.get_serializer(profile).data)

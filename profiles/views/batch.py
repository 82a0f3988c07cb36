"""Batches of profiles, by the API."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from omneo.resources.views import ResourceViewSet
from profiles.batches import accept
from profiles.models import ProfileBatch, ProfileBatchRow
from profiles.schema import PROFILE_BATCH_EXAMPLES, QueuedBatchSerializer
from profiles.serializers.batch import ProfileBatchBody, ProfileBatchSerializer
from profiles.tasks import nudge_import

MESSAGE = "Profiles queued for batch import."


class ProfileBatchViewSet(ResourceViewSet):
    """Profiles that were posted together, and what became of them."""

    resource = "profiles"
    serializer_class = ProfileBatchSerializer
    queryset = ProfileBatch.objects.with_progress().prefetch_related(
        Prefetch("rows", ProfileBatchRow.objects.defer("body").order_by("index"))
    )

    @extend_schema(
        summary="Queue profiles for import",
        request=ProfileBatchBody,
        responses={202: QueuedBatchSerializer},
        examples=PROFILE_BATCH_EXAMPLES,
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        body = ProfileBatchBody(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            batch = accept(**body.validated_data, accepted_from=request.user, moment=timezone.now())
            nudge_import()
        return Response({"message": MESSAGE, "id": batch.pk}, status=status.HTTP_202_ACCEPTED)

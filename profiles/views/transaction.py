"""Transactions by the API: one by one, a batch at once, or queued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from omneo.resources.views import ResourceViewSet
from profiles.filters.transaction import TransactionFilterSet
from profiles.ingestion import (
    BATCH,
    Match,
    Posted,
    Status,
    delete_transaction,
    ingest,
    ingest_one,
    read,
)
from profiles.models import Transaction, TransactionItem
from profiles.queueing import accept
from profiles.schema import (
    BATCH_BODY,
    NEW_TRANSACTION,
    QUEUED_BODY,
    TRANSACTION_EXAMPLES,
    UPSERTED_TRANSACTION,
    ProfileTransactionBody,
    QueuedSerializer,
    RowOutcomeSerializer,
)
from profiles.serializers.transaction import TransactionBody, TransactionSerializer
from profiles.tasks import nudge_ingestion
from profiles.views.below import find_profile

UNKNOWN = "There is no such transaction."
ITEMS = TransactionItem.objects.select_related("brand").order_by("id")

# Made once: to build the fields of all that is nested takes longer than the rest of an answer.
SERIALIZER = TransactionSerializer()


@extend_schema_view(
    create=extend_schema(request=NEW_TRANSACTION, examples=TRANSACTION_EXAMPLES),
    update=extend_schema(request=TransactionBody),
)
class TransactionViewSet(ResourceViewSet):
    """Transactions of all profiles, with their items."""

    resource = "transactions"
    queryset = Transaction.objects.select_related("currency").prefetch_related(
        Prefetch("items", ITEMS)
    )
    serializer_class = TransactionSerializer
    filterset_class = TransactionFilterSet
    ordering_fields = ["id", "transacted_at", "total", "created_at", "updated_at"]

    def create(self, request: Request, **path: str) -> Response:
        return self._written(self.body(request), Match.CREATE)

    def update(self, request: Request, **path: str) -> Response:
        return self._written(request.data, Match.UPDATE, pk=self.get_object().pk)

    @extend_schema(
        summary="Update or create a transaction",
        request=UPSERTED_TRANSACTION,
        responses={200: TransactionSerializer, 201: TransactionSerializer, 404: None},
        examples=TRANSACTION_EXAMPLES,
    )
    def update_create(self, request: Request) -> Response:
        """Update the transaction that the body is about, or create it."""
        return self._written(request.data, Match.UPSERT)

    def destroy(self, request: Request, **path: str) -> Response:
        try:
            delete_transaction(self.get_object().pk)
        except Transaction.DoesNotExist as error:
            raise NotFound(UNKNOWN) from error
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Read a transaction by its external id")
    def external(self, request: Request, external_id: str) -> Response:
        """Read the transaction that has this external id."""
        row = self.get_queryset().filter(external_id=external_id).first()
        if row is None:
            raise NotFound(UNKNOWN)
        return Response(SERIALIZER.to_representation(row))

    @extend_schema(
        summary="Update or create many transactions",
        request=BATCH_BODY,
        responses=RowOutcomeSerializer(many=True),
    )
    def batch(self, request: Request) -> Response:
        """Update or create many at once, and tell what became of each."""
        rows = [read(posted) for posted in _posted(request)]
        ingest(rows, is_live=True)
        return Response(
            [
                {
                    "index": index,
                    "status": row.outcome.status,
                    "id": row.outcome.id,
                    "external_id": row.outcome.external_id,
                    "errors": row.outcome.errors,
                }
                for index, row in enumerate(rows)
            ]
        )

    @extend_schema(
        summary="Queue transactions",
        request=QUEUED_BODY,
        responses={202: QueuedSerializer},
    )
    def queue(self, request: Request) -> Response:
        """Accept one or many, all or none, to be updated or created soon, in their order."""
        posted = _posted(request, may_be_one=True)
        rows = [read(each) for each in posted]
        is_one = len(rows) == 1 and not isinstance(request.data, list)
        errors = {
            field if is_one else f"{index}.{field}": messages
            for index, row in enumerate(rows)
            if row.has_failed
            for field, messages in row.outcome.errors.items()
        }
        if errors:
            raise ValidationError(errors)
        with transaction.atomic():
            accept(posted, external_ids=[row.given.get("external_id") for row in rows])
            nudge_ingestion()
        return Response(
            {"message": "Transactions queued for import.", "count": len(rows)},
            status=status.HTTP_202_ACCEPTED,
        )

    def body(self, request: Request) -> Any:
        """Return the body of a new transaction."""
        return request.data

    def _written(self, body: Any, match: Match, *, pk: int | None = None) -> Response:
        row = read(Posted(body=body, accepted_at=timezone.now()), match=match, pk=pk)
        try:
            ingest_one(row)
            if row.has_failed:
                raise ValidationError(row.outcome.errors)
            answer = SERIALIZER.to_representation(self.queryset.get(pk=row.outcome.id))
        except Transaction.DoesNotExist as error:
            raise NotFound(UNKNOWN) from error
        if row.outcome.status == Status.UPDATED:
            return Response(answer)
        path = self.request.path.rstrip("/").removesuffix("/update-create")
        place = self.request.build_absolute_uri(f"{path}/{row.outcome.id}")
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": place})


@extend_schema_view(create=extend_schema(request=ProfileTransactionBody))
class ProfileTransactionViewSet(TransactionViewSet):
    """Transactions of one profile. Those of others are not there."""

    def get_queryset(self) -> QuerySet[Transaction]:
        return super().get_queryset().filter(profile=find_profile(self.kwargs["profile"]))

    def body(self, request: Request) -> Any:
        profile = find_profile(self.kwargs["profile"])
        if not isinstance(request.data, Mapping):
            return request.data
        return {**request.data, "profile_id": str(profile.pk), "profile_id_handle": None}


def _posted(request: Request, *, may_be_one: bool = False) -> list[Posted]:
    """Return the bodies of a list, by itself or as `transactions`."""
    accepted_at = timezone.now()
    data = request.data
    if isinstance(data, Mapping) and "transactions" in data:
        data = data["transactions"]
    elif isinstance(data, Mapping) and may_be_one:
        data = [data]
    if not isinstance(data, list) or not 1 <= len(data) <= BATCH:
        raise ValidationError({"transactions": [f"A list of 1 to {BATCH} is wanted."]})
    return [Posted(body=each, accepted_at=accepted_at) for each in data]

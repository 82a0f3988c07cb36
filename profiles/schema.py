"""What the API's description says of profiles and transactions beside what their bodies say."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from profiles.ingestion import BATCH, Status

BODY = {"$ref": "#/components/schemas/TransactionBodyRequest"}
NEW_TRANSACTION = {"application/json": {"allOf": [BODY], "required": ["profile_id", "total"]}}

# What is wrong with a row of a batch is told by its outcome, whatever the row is.
ROW = {"anyOf": [BODY, {}]}


def _lists_of(row: dict) -> list[dict]:
    rows = {"type": "array", "minItems": 1, "maxItems": BATCH, "items": row}
    named = {"type": "object", "required": ["transactions"], "properties": {"transactions": rows}}
    return [rows, named]


BATCH_BODY = {"application/json": {"anyOf": _lists_of(ROW)}}
QUEUED_BODY = {"application/json": {"anyOf": [BODY, *_lists_of(BODY)]}}

TRANSACTION_EXAMPLES = [
    OpenApiExample(
        "A sale in a store",
        request_only=True,
        value={
            "external_id": "POS-7-000123",
            "profile_id": "C-1001",
            "profile_id_handle": "web",
            "location_id": "STORE-7",
            "total": 89.9,
            "total_original": 99.9,
            "currency": "USD",
            "systems": ["pos"],
            "transacted_at": "2025-06-30T18:05:00+10:00",
            "items": [{"name": "Linen shirt", "sku": "LS-1", "quantity": 1, "price_sell": 89.9}],
        },
    )
]
PROFILE_BATCH_EXAMPLES = [
    OpenApiExample(
        "Two customers, by their email addresses",
        request_only=True,
        value={
            "match_criteria": "email",
            "profiles": [
                {"email": "ada@example.com", "first_name": "Ada"},
                {"email": "grace@example.com", "first_name": "Grace"},
            ],
        },
    )
]


class RowOutcomeSerializer(serializers.Serializer):
    """What became of a row of a batch."""

    index = serializers.IntegerField()
    status = serializers.CharField(help_text=f"One of {', '.join(Status)}.")
    id = serializers.IntegerField(allow_null=True)
    external_id = serializers.CharField(allow_null=True)
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class QueuedSerializer(serializers.Serializer):
    """How many transactions were accepted."""

    message = serializers.CharField()
    count = serializers.IntegerField()


class QueuedBatchSerializer(serializers.Serializer):
    """By what to ask for the progress of a batch."""

    message = serializers.CharField()
    id = serializers.UUIDField()

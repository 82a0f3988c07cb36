"""What the API's description says of profiles and transactions beside what their bodies say."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from profiles.ingestion import BATCH, Status
from profiles.ingestion.rows import NEEDED
from profiles.serializers.transaction import TransactionBody

BODY = {"$ref": "#/components/schemas/TransactionBodyRequest"}
NEW = {"required": NEEDED}
# What is there already is named by one of these, and needs nothing else
_KNOWN = [
    {
        "required": ["external_id"],
        "properties": {"external_id": {"type": "string", "minLength": 1}},
    },
    {"required": ["id"], "properties": {"id": {"type": "integer"}}},
]
_UPSERT = {"allOf": [BODY], "anyOf": [NEW, *_KNOWN]}
# What is wrong with a row of a batch is told by its outcome, whatever the row is.
_ROW = {"anyOf": [BODY, {}]}


def _lists_of(row: dict) -> list[dict]:
    rows = {"type": "array", "minItems": 1, "maxItems": BATCH, "items": row}
    named = {"type": "object", "required": ["transactions"], "properties": {"transactions": rows}}
    return [rows, named]


NEW_TRANSACTION = {"application/json": {"allOf": [BODY], **NEW}}
UPSERTED_TRANSACTION = {"application/json": _UPSERT}
BATCH_BODY = {"application/json": {"anyOf": _lists_of(_ROW)}}
QUEUED_BODY = {"application/json": {"anyOf": [_UPSERT, *_lists_of(_UPSERT)]}}

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


class ProfileTransactionBody(TransactionBody):
    """A new transaction of the profile that the path names."""

    profile_id = None
    profile_id_handle = None

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["total"].required = True
        return fields


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

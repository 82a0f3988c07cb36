"""Batches of profiles as the API takes them and as it tells of their progress."""

from __future__ import annotations

from rest_framework import serializers

from omneo.resources.fields import SlugField
from omneo.resources.serializers import RowSerializer
from profiles.batches import LARGEST
from profiles.models import ProfileBatch, ProfileBatchRow


class ProfileBatchBody(serializers.Serializer):
    """Profiles, and by what they are matched. What is wrong with one is told by its row."""

    match_criteria = SlugField(max_length=100)
    profiles = serializers.ListField(
        child=serializers.JSONField(allow_null=True), min_length=1, max_length=LARGEST
    )


class ProfileBatchRowSerializer(RowSerializer):
    class Meta:
        model = ProfileBatchRow
        fields = ["index", "status", "profile_id", "errors"]


class ProfileBatchSerializer(RowSerializer):
    """How far a batch is: how many of its rows wait, and what became of the others."""

    total = serializers.IntegerField(read_only=True)
    waiting = serializers.IntegerField(read_only=True)
    created = serializers.IntegerField(read_only=True)
    updated = serializers.IntegerField(read_only=True)
    failed = serializers.IntegerField(read_only=True)
    outcomes = ProfileBatchRowSerializer(source="rows", many=True, read_only=True)

    class Meta:
        model = ProfileBatch
        fields = [
            "id",
            "match_criteria",
            "total",
            "waiting",
            "created",
            "updated",
            "failed",
            "accepted_at",
            "finished_at",
            "outcomes",
        ]

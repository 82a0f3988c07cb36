"""Tokens: who may use the API, and for what."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from knox.models import AbstractAuthToken
from knox.settings import CONSTANTS

RESOURCES = [
    "aggregations",
    "brands",
    "currencies",
    "locations",
    "profiles",
    "regions",
    "statuses",
    "transactions",
]
SCOPES = [f"{resource}:{right}" for resource in RESOURCES for right in ("read", "write")]


def every_scope() -> list[str]:
    return list(SCOPES)


class ApiToken(AbstractAuthToken):
    """A long-lived token of a user. Only its hash is stored, so the token is shown once."""

    digest = models.CharField(max_length=CONSTANTS.DIGEST_LENGTH, unique=True, editable=False)
    name = models.CharField(max_length=100, help_text="What it is for, such as “web shop”.")
    scopes = ArrayField(
        models.CharField(max_length=50, choices=[(scope, scope) for scope in SCOPES]),
        default=every_scope,
        help_text="What it may read and write.",
    )
    last_used_at = models.DateTimeField(
        null=True, editable=False, help_text="To the minute. Empty where it was never used."
    )

    class Meta:
        verbose_name = "API token"
        verbose_name_plural = "API tokens"

    def __str__(self) -> str:
        return self.name

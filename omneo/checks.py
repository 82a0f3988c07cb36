"""Settings and surroundings judged before anything runs: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

OLDEST_POSTGRESQL = 15
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


@register(Tags.security)
def secret_key_is_secret(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse to serve other machines with the key that everybody can read."""
    serves_others = not settings.DEBUG and not set(settings.ALLOWED_HOSTS) <= LOCAL_HOSTS
    if serves_others and settings.SECRET_KEY == settings.DEVELOPMENT_SECRET_KEY:
        return [
            Error(
                "Sessions are signed with the key that stands in the source.",
                hint="Set OMNEO_SECRET_KEY to a long random text and keep it secret.",
                id="omneo.E001",
            )
        ]
    return []


@register(Tags.database)
def postgresql_is_new_enough(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse servers that lack what the statements are made of."""
    return [
        Error(
            f"The database {alias!r} is PostgreSQL {connections[alias].pg_version // 10000}.",
            hint=f"Omneo needs PostgreSQL {OLDEST_POSTGRESQL} or newer.",
            id="omneo.E002",
        )
        for alias in databases or ()
        if connections[alias].pg_version < OLDEST_POSTGRESQL * 10000
    ]

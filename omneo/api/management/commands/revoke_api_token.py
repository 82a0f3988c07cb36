"""Ends a token for the API."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from knox.settings import CONSTANTS

from omneo.api.models import ApiToken

SHORTEST_BEGINNING = 8  # characters, as many as the admin shows


class Command(BaseCommand):
    help = "Revoke an API token: from now on it is refused, and is not there any more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "token",
            help="its name, or at least "
            f"{SHORTEST_BEGINNING} of its first characters, which the admin shows too",
        )

    def handle(self, *, token: str, **_: object) -> None:
        meant = Q(name=token)
        if len(token) >= SHORTEST_BEGINNING:
            meant |= Q(token_key__startswith=token[: CONSTANTS.TOKEN_KEY_LENGTH])
        found = list(ApiToken.objects.filter(meant).order_by("created", "id"))
        if not found:
            raise CommandError(f"There is no token that is named or begins with {token}.")
        if len(found) > 1:
            raise CommandError(
                "That is more than one token. Say which by its first characters: "
                f"{', '.join(map(shown, found))}."
            )
        (revoked,) = found
        revoked.delete()
        self.stdout.write(f"Revoked: {shown(revoked)}.")


def shown(token: ApiToken) -> str:
    """Return how a token is named to those who may not know it whole."""
    return f"{token.token_key[:SHORTEST_BEGINNING]}… ({token.name})"

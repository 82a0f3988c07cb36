"""Hands out a token for the API."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.text import slugify

from omneo.api.models import SCOPES, ApiToken


class Command(BaseCommand):
    help = (
        "Create an API token, with a service user of its own. Prints the token alone on standard "
        "output, once: only its hash is stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the token is for, such as “web shop”")
        parser.add_argument(
            "--scope",
            action="extend",
            nargs="+",
            choices=SCOPES,
            metavar="SCOPE",
            help=f"what it may do; everything where left out. Of: {', '.join(SCOPES)}",
        )
        parser.add_argument(
            "--expires-in-days",
            type=int,
            metavar="N",
            help="from when on it is refused; never where left out",
        )

    def handle(
        self, *, name: str, scope: Sequence[str] | None, expires_in_days: int | None, **_: object
    ) -> None:
        if expires_in_days is not None and expires_in_days < 1:
            raise CommandError("--expires-in-days must be 1 or more.")
        with transaction.atomic():
            _, token = ApiToken.objects.create(
                user=service_user(name),
                name=name,
                expiry=expires_in_days and timedelta(days=expires_in_days),
                scopes=sorted(set(scope or SCOPES)),
            )
        self.stderr.write("This token is shown once. Keep it safe.")
        self.stdout.write(token)


def service_username(name: str) -> str:
    """Return the name of the user that a token of this name acts as."""
    return f"api.{slugify(name)}"


def service_user(name: str) -> User:
    """Return the user that a token of this name acts as: nobody can log in as it.

    Raises CommandError where the name is not fit for it or has a token already.
    """
    longest = ApiToken._meta.get_field("name").max_length
    if not slugify(name) or len(name) > longest:
        raise CommandError(f"The name needs a letter or digit, and {longest} characters at most.")
    username = service_username(name)
    if ApiToken.objects.filter(user__username=username).exists():
        raise CommandError(
            f"There is a token named {name} or much like it. Delete it first, or take another name."
        )
    user, _ = User.objects.get_or_create(
        username=username, defaults={"password": make_password(None)}
    )
    if not user.is_active:
        raise CommandError(f"The user {username} is not active, so its token would be refused.")
    return user

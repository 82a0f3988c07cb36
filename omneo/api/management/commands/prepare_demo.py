"""Makes a fresh installation worth looking at; `make run` calls it at every start."""

from __future__ import annotations

import io
from argparse import ArgumentParser
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, Q
from django.utils import timezone
from knox.crypto import hash_token

from aggregations.outbox import recalculate_waiting
from omneo.api.management.commands.create_api_token import service_username
from omneo.api.models import ApiToken
from profiles.completejourney.loading import HANDLE, not_yet_loaded
from profiles.completejourney.source import Source, SourceMissingError
from profiles.models import Identity

ADMIN = "admin"
TOKEN_NAME = "demo"  # noqa: S105


class Command(BaseCommand):
    help = (
        "Load the demo data once and calculate its aggregations, make the admin login "
        f"{ADMIN}/{ADMIN} (nothing else ever makes it) and an API token, and print how to look "
        "at them. What is there already stays as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--base-url",
            default="http://127.0.0.1:8000",
            metavar="URL",
            help="where the web server will answer (%(default)s)",
        )
        parser.add_argument(
            "--households",
            type=int,
            metavar="N",
            help="how many households to load; all of them where left out",
        )

    def handle(self, *, base_url: str, households: int | None, **_: object) -> None:
        if households is not None and households < 1:
            raise CommandError("--households must be 1 or more.")
        try:
            every = Source().households
        except SourceMissingError as error:
            raise CommandError(str(error)) from error
        self._load_once(every[:households])
        admin_login = make_admin()
        token = demo_token(settings.VAR_DIR / "demo-token")

        base_url = base_url.rstrip("/")
        loaded = Identity.objects.filter(handle=HANDLE).count()
        self.stdout.write(f"Admin:  {base_url}/admin/  {admin_login}")
        self.stdout.write(f"Data:   {loaded:,} of {len(every):,} households of Complete Journey")
        if loaded < len(every):
            self.stdout.write(
                "        all of them: .venv/bin/python manage.py load_completejourney"
            )
        self.stdout.write(
            f'API:    curl -H "Authorization: Bearer {token}" '
            f"{base_url}/api/v3/profiles/{busiest_profile()}/aggregations"
        )

    def _load_once(self, households: list[int]) -> None:
        # The last one is loaded last: where it is there, everything once was, and what somebody
        # deleted since is not brought back.
        if not not_yet_loaded(households[-1:]):
            return
        self.stderr.write("Loading demo data, which happens once.")
        call_command(
            "load_completejourney",
            households=len(households),
            stdout=self.stderr,
            stderr=self.stderr,
        )
        self.stderr.write("Calculating its aggregations.")
        moment = timezone.now()
        while recalculate_waiting(moment=moment):
            pass


def make_admin() -> str:
    """Make the admin's login where there is none; return how to log in."""
    admin = User.objects.filter(username=ADMIN).first()
    if admin is None:
        admin = User.objects.create_superuser(username=ADMIN, password=ADMIN)
    if admin.check_password(ADMIN):
        return f"user {ADMIN}, password {ADMIN}"
    return f"user {ADMIN}, with the password that you gave it"


def demo_token(file: Path) -> str:
    """Return the token in the file if it is good; else put a new one there.

    The database has only its hash. The file is for its owner alone.
    """
    token = file.read_text().strip() if file.exists() else ""
    good = ApiToken.objects.filter(digest=hash_token(token), user__is_active=True).filter(
        Q(expiry=None) | Q(expiry__gt=timezone.now())
    )
    if good.exists():
        return token
    User.objects.filter(username=service_username(TOKEN_NAME)).delete()
    printed = io.StringIO()
    call_command("create_api_token", TOKEN_NAME, stdout=printed, stderr=io.StringIO())
    token = printed.getvalue().strip()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(f"{token}\n")
    return token


def busiest_profile() -> UUID:
    """Return the household with the most purchases."""
    households = Identity.objects.filter(handle=HANDLE).annotate(
        purchases=Count("profile__transactions", filter=Q(profile__transactions__is_purchase=True))
    )
    return households.order_by("-purchases", "pk").values_list("profile_id", flat=True)[0]

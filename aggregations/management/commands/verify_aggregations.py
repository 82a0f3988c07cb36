"""Compares the stored aggregations with a fresh calculation."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from aggregations import bulk, comparison, outbox
from aggregations.models import Freshness, RecalculationRequest
from omneo.arguments import positive
from omneo.db import key_chunks
from omneo.progress import Progress

SAMPLE = 1000


class Command(BaseCommand):
    help = (
        "Compute aggregations anew, compare them with what is stored and name each difference by "
        "profile and field. Each row is held against the calculation at its own moment. Profiles "
        "whose recalculation is waiting, and those never calculated, are left out. Writes no row; "
        "exit status 1 if there is a difference."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--all", action="store_true", help="verify every row")
        which.add_argument(
            "--sample",
            type=positive,
            default=SAMPLE,
            metavar="N",
            help=f"verify N rows picked at random (default {SAMPLE:,})",
        )

    def handle(self, *, all: bool, sample: int, **_: object) -> None:  # noqa: A002
        outbox.hand_out()
        waiting = RecalculationRequest.objects.values("profile_id")
        rows = Freshness.objects.exclude(profile_id__in=waiting)
        if not all:
            picked = list(rows.order_by("?").values_list("pk", flat=True)[:sample])
            rows = rows.filter(pk__in=picked)
        found = wrong = 0
        total = rows.count()
        with Progress(total=total, unit="rows", stream=sys.stderr) as progress:
            for profile_ids in key_chunks(rows, bulk.PROFILES_A_RANGE):
                outbox.hand_out()
                differences = list(
                    comparison.errors(profile_ids=profile_ids, moment=timezone.now())
                )
                for difference in differences:
                    self.stdout.write(str(difference))
                found += len(differences)
                wrong += len({difference.profile_id for difference in differences})
                progress.advance(len(profile_ids))
        verdict = f"{total:,} rows verified, {wrong:,} of them wrong in {found:,} values."
        if wrong:
            raise CommandError(f"{verdict} recalculate_aggregations makes them true.", returncode=1)
        self.stdout.write(verdict)

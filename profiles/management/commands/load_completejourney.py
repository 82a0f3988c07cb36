"""Loads demo data: a year of purchases at a grocer."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from profiles.completejourney.loading import days_until_yesterday, load, not_yet_loaded
from profiles.completejourney.source import Source, SourceMissingError


class Command(BaseCommand):
    help = (
        "Load Complete Journey, a year of purchases of 2,469 households at a US grocer: "
        "households as profiles, baskets as transactions, stores as locations. "
        "What was loaded before stays as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--households",
            type=int,
            metavar="N",
            help="the N households with the lowest numbers; all of them where left out",
        )
        parser.add_argument(
            "--keep-dates",
            action="store_true",
            help="leave the purchases in 2017; otherwise all are moved by the same number of days, "
            "so that the last one was yesterday",
        )

    def handle(self, *, households: int | None, keep_dates: bool, **_: object) -> None:
        if households is not None and households < 1:
            raise CommandError("--households must be 1 or more.")
        started = time.monotonic()
        try:
            source = Source()
        except SourceMissingError as error:
            raise CommandError(str(error)) from error
        waiting = not_yet_loaded(source.households[:households])
        days = 0 if keep_dates else days_until_yesterday(timezone.now())

        steps = []
        on_terminal = self.stderr.isatty()
        with tqdm(
            total=len(waiting),
            unit=" households",
            file=sys.stderr,
            disable=not (waiting and on_terminal),
        ) as bar:
            for step in load(source, waiting, days=days):
                steps.append(step)
                bar.update(step.profiles)
                if not on_terminal:
                    done = sum(step.profiles for step in steps)
                    self.stderr.write(f"{done:,} of {len(waiting):,} households loaded")
        self.stdout.write(
            f"Loaded {sum(step.profiles for step in steps):,} profiles, "
            f"{sum(step.transactions for step in steps):,} transactions and "
            f"{sum(step.items for step in steps):,} items "
            f"in {time.monotonic() - started:.1f} seconds."
        )

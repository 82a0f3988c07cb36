"""Recalculates the aggregations of everybody or of a selection."""

from __future__ import annotations

import signal
import sys
import threading
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Sum
from django.utils import timezone
from kombu.exceptions import OperationalError

from aggregations import bulk, comparison, outbox
from aggregations.models import RecalculationRun
from aggregations.selection import Selection
from aggregations.tasks import share
from omneo.arguments import moment, positive
from omneo.db import key_chunks
from omneo.progress import Progress
from profiles.models import Profile

SAMPLE = 20  # changes that a dry run shows
POLL_SECONDS = 0.5


class Command(BaseCommand):
    help = (
        "Recalculate aggregations: of everybody, or of the profiles that meet every condition "
        f"given. Works in ranges of {bulk.PROFILES_A_RANGE:,} profiles, each a short transaction; "
        "readers and writers are not blocked, and only rows that changed are written. May be "
        "stopped at any moment and taken up again with --resume."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_argument_group("which profiles")
        which.add_argument("--profile", nargs="+", type=uuid.UUID, metavar="ID", default=[])
        which.add_argument(
            "--stale",
            action="store_true",
            help="that wait for a recalculation, were never calculated, or that the clock has "
            "overtaken",
        )
        which.add_argument("--joined-since", type=moment, metavar="DATE")
        which.add_argument(
            "--transacted-since", type=moment, metavar="DATE", help="with a transaction since then"
        )
        which.add_argument(
            "--location", type=positive, metavar="ID", help="with a transaction at this location"
        )
        how = parser.add_argument_group("how")
        by = how.add_mutually_exclusive_group()
        by.add_argument(
            "--workers",
            type=positive,
            default=1,
            metavar="N",
            help="connections of this machine to work with (default 1)",
        )
        by.add_argument(
            "--celery",
            action="store_true",
            help="let all Celery workers share the ranges, and wait for them",
        )
        what = how.add_mutually_exclusive_group()
        what.add_argument(
            "--resume", action="store_true", help="go on with the latest run that has ranges left"
        )
        what.add_argument(
            "--dry-run",
            action="store_true",
            help=f"count what would change and show {SAMPLE} of the changes; write nothing",
        )

    def handle(self, **options) -> None:
        selection = Selection(
            profiles=[str(profile_id) for profile_id in options["profile"]],
            joined_since=options["joined_since"],
            transacted_since=options["transacted_since"],
            location=options["location"],
            stale_at=timezone.now().isoformat() if options["stale"] else None,
        )
        _refuse_unknown(selection.profiles)
        if options["resume"] and not selection.is_everybody:
            raise CommandError("--resume goes on with the profiles of its run; select none.")
        if options["stale"]:
            # Who waits because of what they share is known then.
            outbox.hand_out()
        if options["dry_run"]:
            self._show_changes(selection)
            return
        run = self._resumed() if options["resume"] else bulk.start(selection)
        run.by_workers = options["celery"]
        run.save(update_fields=["by_workers"])
        with _stop_on_signals() as stop:
            if options["celery"]:
                recalculated = _by_celery(run, stop)
            else:
                recalculated = _here(run, stop, workers=options["workers"])
            self._carry_out(run, recalculated)
        if stop.is_set() and run.ranges.filter(done_at=None).exists():
            left = "the workers go on" if options["celery"] else "--resume goes on"
            raise CommandError(f"Stopped; {left} with what is left.", returncode=130)

    def _resumed(self) -> RecalculationRun:
        run = bulk.latest_unfinished()
        if run is None:
            raise CommandError("There is no run to go on with: all are finished.")
        bulk.retry_failed(run)
        self.stderr.write(f"Going on with the recalculation of {run.started_at:%Y-%m-%d %H:%M}.")
        return run

    def _carry_out(self, run: RecalculationRun, recalculated: Iterator[int]) -> None:
        """Show the progress of a run, which tells the number of profiles that it has done."""
        changed_before = _sum(run, "changed")
        total = _sum(run, "profiles") - _sum(run, "profiles", done_at__isnull=False)
        with Progress(total=total, unit="profiles", stream=sys.stderr) as progress:
            for profiles in recalculated:
                progress.advance(profiles)
        changed = _sum(run, "changed") - changed_before
        self.stdout.write(
            f"{progress.done:,} profiles in {progress.seconds:.1f} seconds, "
            f"{progress.rate:,.0f} profiles per second; {changed:,} rows changed."
        )
        if failed := list(run.ranges.exclude(error="")):
            named = "\n".join(f"  {one.first} to {one.last}: {one.error}" for one in failed)
            raise CommandError(f"Ranges failed: {len(failed)}; --resume tries them again:\n{named}")

    def _show_changes(self, selection: Selection) -> None:
        now = timezone.now()
        shown, changed = 0, set()
        total = selection.queryset().count()
        with Progress(total=total, unit="profiles", stream=sys.stderr) as progress:
            for profile_ids in key_chunks(selection.queryset(), bulk.PROFILES_A_RANGE):
                for change in comparison.changes(profile_ids=profile_ids, moment=now):
                    changed.add(change.profile_id)
                    if shown < SAMPLE:
                        shown += 1
                        self.stdout.write(str(change))
                progress.advance(len(profile_ids))
        self.stdout.write(f"{len(changed):,} of {total:,} profiles would change.")


def _refuse_unknown(profiles: list[str]) -> None:
    known = set(Profile.objects.filter(pk__in=profiles).values_list("pk", flat=True))
    if unknown := [key for key in profiles if uuid.UUID(key) not in known]:
        raise CommandError(f"No such profile: {', '.join(unknown)}.")


@contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """Yield what is set when the command is asked to stop; it then ends in good order."""
    stop = threading.Event()
    handlers = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _here(run: RecalculationRun, stop: threading.Event, *, workers: int) -> Iterator[int]:
    """Recalculate in this process; yield the number of profiles of each range that is done."""
    for one in bulk.work_through(run, workers=workers, stop=stop):
        yield 0 if one.error else one.profiles


def _by_celery(run: RecalculationRun, stop: threading.Event) -> Iterator[int]:
    """Set the workers going; beat does so again where that comes to nothing.

    Yields the number of profiles done since the last look.
    """
    done = _sum(run, "profiles", done_at__isnull=False)
    try:
        share(run)
    except OperationalError as error:
        raise CommandError(
            f"The broker is away: {error}. The workers begin a minute after it is back; "
            "--resume goes on without them."
        ) from error
    while run.ranges.filter(done_at=None, error="").exists() and not stop.is_set():
        stop.wait(POLL_SECONDS)
        before, done = done, _sum(run, "profiles", done_at__isnull=False)
        yield done - before


def _sum(run: RecalculationRun, column: str, **condition: object) -> int:
    """Return the sum of a column over the ranges of a run that meet a condition."""
    return run.ranges.filter(**condition).aggregate(sum=Sum(column))["sum"] or 0

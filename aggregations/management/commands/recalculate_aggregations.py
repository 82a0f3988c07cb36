"""Recalculates the aggregations of everybody or of a selection."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Sum
from django.utils import timezone

from aggregations import bulk, comparison
from aggregations.models import RecalculationRun
from aggregations.selection import Selection
from aggregations.tasks import recalculate_run
from omneo.arguments import moment, positive
from omneo.db import key_chunks
from omneo.progress import Progress

SAMPLE = 20  # changes that a dry run shows
CHAINS = 8  # ranges that Celery workers have in hand at a time
POLL_SECONDS = 0.5
PATIENCE = 60  # polls without progress, after which messages are taken for lost


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
        how.add_argument(
            "--workers",
            type=positive,
            default=1,
            metavar="N",
            help="connections of this machine to work with (default 1)",
        )
        how.add_argument(
            "--celery",
            action="store_true",
            help="let all Celery workers share the ranges, and wait for them",
        )
        how.add_argument(
            "--resume", action="store_true", help="go on with the latest run that has ranges left"
        )
        how.add_argument(
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
        if options["resume"] and not selection.is_everybody:
            raise CommandError("--resume goes on with the profiles of its run; select none.")
        if options["dry_run"]:
            self._show_changes(selection)
            return
        run = self._resumed() if options["resume"] else bulk.start(selection)
        self._refuse_unknown(selection, run)
        self._carry_out(run, workers=options["workers"], celery=options["celery"])

    def _resumed(self) -> RecalculationRun:
        run = bulk.latest_unfinished()
        if run is None:
            raise CommandError("There is no run to go on with: all are finished.")
        bulk.retry_failed(run)
        self.stderr.write(f"Going on with the recalculation of {run.started_at:%Y-%m-%d %H:%M}.")
        return run

    def _refuse_unknown(self, selection: Selection, run: RecalculationRun) -> None:
        known = set(selection.queryset().values_list("pk", flat=True)) if selection.profiles else ()
        if unknown := [key for key in selection.profiles if uuid.UUID(key) not in known]:
            run.delete()
            raise CommandError(f"No such profile: {', '.join(unknown)}.")

    def _carry_out(self, run: RecalculationRun, *, workers: int, celery: bool) -> None:
        total = run.ranges.filter(done_at=None).aggregate(Sum("profiles"))["profiles__sum"] or 0
        stopped = False
        with Progress(total=total, unit="profiles", stream=self.stderr) as progress:
            if celery:
                self._wait_for_celery(run, progress)
            else:
                stopped = self._work(run, progress, workers)
        changed = run.ranges.aggregate(Sum("changed"))["changed__sum"] or 0
        self.stdout.write(
            f"{progress.done:,} profiles in {progress.seconds:.1f} seconds, "
            f"{progress.rate:,.0f} profiles per second; {changed:,} rows changed."
        )
        if failed := list(run.ranges.exclude(error="")):
            named = "\n".join(f"  {one.first} to {one.last}: {one.error}" for one in failed)
            raise CommandError(f"{len(failed)} ranges failed; --resume tries them again:\n{named}")
        if stopped:
            raise CommandError("Stopped; --resume goes on with what is left.", returncode=130)

    def _work(self, run: RecalculationRun, progress: Progress, workers: int) -> bool:
        """Work through the ranges; return whether a signal stopped it before the end."""
        stop = threading.Event()
        handlers = {
            number: signal.signal(number, lambda *_: stop.set())
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            for done in bulk.work_through(run, workers=workers, stop=stop):
                progress.advance(0 if done.error else done.profiles)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return stop.is_set() and run.ranges.filter(done_at=None, error="").exists()

    def _wait_for_celery(self, run: RecalculationRun, progress: Progress) -> None:
        """Set the workers going, and again where nothing came of it for a while."""
        finished = run.ranges.exclude(done_at=None).aggregate(Sum("profiles"))
        done, silent = finished["profiles__sum"] or 0, 0
        while run.ranges.filter(done_at=None, error="").exists():
            if silent % PATIENCE == 0:
                for _ in range(CHAINS):
                    recalculate_run.delay(run_id=run.pk)
            time.sleep(POLL_SECONDS)
            finished = run.ranges.exclude(done_at=None).aggregate(Sum("profiles"))
            now_done = finished["profiles__sum"] or 0
            silent = 0 if now_done > done else silent + 1
            progress.advance(now_done - done)
            done = now_done

    def _show_changes(self, selection: Selection) -> None:
        now = timezone.now()
        shown, changed = 0, set()
        total = selection.queryset().count()
        with Progress(total=total, unit="profiles", stream=self.stderr) as progress:
            for profile_ids in key_chunks(selection.queryset(), bulk.PROFILES_A_RANGE):
                for change in comparison.changes(profile_ids=profile_ids, moment=now):
                    changed.add(change.profile_id)
                    if shown < SAMPLE:
                        shown += 1
                        self.stdout.write(str(change))
                progress.advance(len(profile_ids))
        self.stdout.write(f"{len(changed):,} of {total:,} profiles would change.")

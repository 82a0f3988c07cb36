"""Command line: `python -m tests.soak`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import django
import psycopg
from psycopg import sql

from omneo.arguments import positive
from tests.soak.writing import CONTEXT, Tally, write_until_stopped

LOOK_SECONDS = 0.25
SAY_SECONDS = 5
SHOWN = 20  # of each kind of trouble


def parser() -> argparse.ArgumentParser:
    """The arguments and their explanation."""
    root = argparse.ArgumentParser(
        prog="make soak ARGS=...",
        description="Lets many processes write to the same profiles and to many, while Celery"
        " workers, beat and recalculations of everybody run and a worker is killed now and then."
        " Then waits until nothing waits and compares every row with the calculation in plain"
        " Python. Works in a database of its own on the server of DATABASE_URL, and with the broker"
        " of CELERY_BROKER_URL, which nothing else should use meanwhile. Exit status 1 if a row is"
        " wrong, a request is left, or a process fails.",
    )
    root.add_argument("--minutes", type=float, default=5, help="of writing (%(default)s)")
    root.add_argument("--profiles", type=positive, default=1000, help="(%(default)s)")
    root.add_argument("--writers", type=positive, default=8, help="processes (%(default)s)")
    root.add_argument(
        "--kill-every",
        type=positive,
        default=20,
        metavar="SECONDS",
        help="how often a worker is killed (%(default)s)",
    )
    root.add_argument(
        "--limit",
        type=positive,
        default=300,
        metavar="SECONDS",
        help="for the queue to be empty after the last write (%(default)s)",
    )
    root.add_argument("--seed", type=int, default=1, help="of what is written (%(default)s)")
    return root


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """Make a database for this run alone, and drop it afterwards."""
    name = sql.Identifier(f"omneo_soak_{os.getpid()}")
    with psycopg.connect(url, autocommit=True) as administration:
        administration.execute(sql.SQL("CREATE DATABASE {}").format(name))
    try:
        yield urlsplit(url)._replace(path=f"/omneo_soak_{os.getpid()}").geturl()
    finally:
        with psycopg.connect(url, autocommit=True) as administration:
            administration.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def soak(arguments: argparse.Namespace, variable: Path) -> bool:
    """Run the load; return whether all is well after it."""
    from tests.factories import ProfileFactory
    from tests.histories import make_setting
    from tests.soak.services import Services
    from tests.soak.watching import Ages

    make_setting()
    ProfileFactory.create_batch(arguments.profiles)
    tally, services, ages = Tally(), Services(variable), Ages()
    writers = [
        CONTEXT.Process(target=write_until_stopped, args=(arguments.seed * 1000 + n, tally))
        for n in range(arguments.writers)
    ]
    try:
        services.start()
        for writer in writers:
            writer.start()
        watch(arguments, tally, services, ages)
        tally.stop.set()
        services.stop_recalculating()
        for writer in writers:
            writer.join()
        emptied_in = drain(arguments.limit, services, ages)
    finally:
        tally.stop.set()
        for writer in writers:
            if writer.is_alive():
                writer.terminate()
        services.stop()
    return verdict(tally, services, ages, emptied_in)


def watch(arguments, tally: Tally, services, ages) -> None:
    """Show how it goes until the time is over, and kill a worker now and then."""
    random = Random(arguments.seed)
    began = said = time.monotonic()
    killed, written = began, 0
    while (now := time.monotonic()) < began + arguments.minutes * 60:
        seen = ages.look()
        if now - killed > arguments.kill_every:
            services.kill_a_worker(random)
            killed = now
        if now - said > SAY_SECONDS:
            services.check()
            rate, written = (tally.writes.value - written) / (now - said), tally.writes.value
            say(
                f"{now - began:4.0f} s  {rate:5.0f} writes/s  {seen.waiting:6,} waiting"
                f"  oldest {seen.oldest_seconds:5.1f} s  {seen.failing} failing"
                f"  {services.kills} kills  {services.recalculations} recalculations"
            )
            said = now
        time.sleep(LOOK_SECONDS)


def drain(limit: int, services, ages) -> float | None:
    """Wait until nothing waits; return the seconds that it took, None if it did not in time."""
    from tests.soak.watching import left_waiting

    began = time.monotonic()
    while left_waiting():
        if time.monotonic() - began > limit:
            return None
        ages.look()
        time.sleep(LOOK_SECONDS)
    services.check()
    return time.monotonic() - began


def verdict(tally: Tally, services, ages, emptied_in: float | None) -> bool:
    """Compare all rows and say what came of the run; return whether all is well."""
    from profiles.models import Profile, Transaction
    from tests.soak.watching import left_waiting, wrong_rows

    say(f"comparing {Profile.objects.count():,} rows, {Transaction.objects.count():,} transactions")
    wrong, left = list(wrong_rows()), left_waiting()
    errors = []
    while not tally.errors.empty():
        errors.append(tally.errors.get())
    for line in [*errors[:SHOWN], *services.troubles[:SHOWN], *wrong[:SHOWN]]:
        say(line)
    say(
        f"{tally.writes.value:,} writes, {tally.deadlocks.value:,} deadlocks or serialisation"
        f" failures, {tally.refusals.value:,} refused by constraints, {tally.gone.value:,} of what"
        " was gone meanwhile"
    )
    say(f"{services.kills} workers killed, {services.recalculations} recalculations of everybody")
    p50, p99, longest = (ages.percentile(share) for share in (0.5, 0.99, 1))
    say(f"oldest request: p50 {p50:.1f} s, p99 {p99:.1f} s, at most {longest:.1f} s")
    emptied = "not emptied in time" if emptied_in is None else f"empty after {emptied_in:.1f} s"
    say(
        f"{emptied}; {left:,} left; {len(wrong):,} values wrong; {len(errors)} errors of"
        f" writers; {len(services.troubles)} processes that failed by themselves"
    )
    return not (wrong or left or errors or services.troubles or emptied_in is None)


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    arguments = parser().parse_args()
    url = os.environ.get("DATABASE_URL")
    if not url:
        sys.exit("soak: DATABASE_URL is not set; `make soak` sets it")
    with own_database(url) as os.environ["DATABASE_URL"], tempfile.TemporaryDirectory() as variable:
        os.environ["OMNEO_VAR"] = variable
        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        try:
            return 0 if soak(arguments, Path(variable)) else 1
        finally:
            connections.close_all()


if __name__ == "__main__":
    sys.exit(main())

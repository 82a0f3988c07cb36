"""Command line: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import tempfile
from pathlib import Path

import django

from benchmarks.database import running_databases
from benchmarks.progress import say, timed
from omneo.embedded.postgres import EmbeddedPostgresError

CHECKOUT = Path(__file__).resolve().parents[1]
VARIABLE = Path(os.environ.get("OMNEO_VAR", CHECKOUT / "var")).absolute()
CASES = ["full", "live", "growth", "reading", "serving", "ingestion", "storage"]


def parser() -> argparse.ArgumentParser:
    """The arguments and their explanation."""
    root = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures what the calculation costs, on a retailer made up in a PostgreSQL"
        " server of its own. Each case saves its result, and a report is made of all that are"
        " saved; each can be run alone.",
    )
    root.add_argument(
        "--profiles", type=positive, default=200_000, help="size of the retailer (%(default)s)"
    )
    root.add_argument(
        "--cases", nargs="+", choices=CASES, default=CASES, metavar="CASE", help=", ".join(CASES)
    )
    root.add_argument(
        "--rounds", type=positive, default=3, help="how often each way is taken (%(default)s)"
    )
    root.add_argument(
        "--growth-to",
        type=positive,
        default=0,
        metavar="PROFILES",
        help="let the case growth end with a larger retailer, such as 1000000; takes long",
    )
    root.add_argument(
        "--results",
        type=Path,
        default=CHECKOUT / "docs" / "benchmarks",
        metavar="DIRECTORY",
        help="where results, charts and texts go (%(default)s)",
    )
    root.add_argument(
        "--report", action="store_true", help="measure nothing, only make the report anew"
    )
    return root


def positive(text: str) -> int:
    """A whole number above 0 from the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


def main() -> int:
    """Do what the arguments say; returns the exit status."""
    arguments = parser().parse_args()
    if not arguments.report:
        measure(arguments)
    # Loads a chart library, which no measurement should have beside it.
    from benchmarks import report

    report.write(arguments.results, arguments.results.parent / "performance.md")
    say(f"the report is in {arguments.results}")
    return 0


def measure(arguments: argparse.Namespace) -> None:
    """Run the cases, each on a server that starts anew only with the program."""
    from benchmarks.cases import Options

    options = Options(arguments.profiles, arguments.rounds, arguments.growth_to)
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    with (
        running_databases(VARIABLE / "benchmark-postgres") as databases,
        # Messages stay among the processes of the benchmarks.
        tempfile.TemporaryDirectory() as os.environ["OMNEO_VAR"],
    ):
        django.setup()
        for name in arguments.cases:
            case = importlib.import_module(f"benchmarks.cases.{name}")
            with timed(f"case {name}"):
                case.run(databases, options).save(arguments.results)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EmbeddedPostgresError as error:
        sys.exit(f"benchmarks: {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)

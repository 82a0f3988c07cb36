"""Command line: `python -m omneo.embedded run` and `python -m omneo.embedded exec`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from omneo.embedded.postgres import (
    AlreadyRunningError,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    database_url,
    server_stopping,
    throw_away_postgres,
)
from omneo.embedded.supervisor import Address, SupervisorError, omneo_plan, run

CHECKOUT = Path(__file__).resolve().parents[2]
VARIABLE = Path(os.environ.get("OMNEO_VAR", CHECKOUT / "var")).absolute()


def parser() -> argparse.ArgumentParser:
    """The arguments and their explanation."""
    root = argparse.ArgumentParser(
        prog="python -m omneo.embedded",
        description="Runs Omneo, or a command, with a PostgreSQL server of its own under var/"
        " (OMNEO_VAR names another folder). Where DATABASE_URL is set, that server is used and"
        " none is started.",
    )
    commands = root.add_subparsers(dest="action", required=True)
    start = commands.add_parser(
        "run",
        help="start everything: database, demo data, web server, Celery worker and beat",
        description="Starts the database, migrates it, loads the demo data once, then runs the web"
        " server, a Celery worker and beat until Ctrl-C. Logs are in var/log.",
    )
    start.add_argument(
        "--host", default="127.0.0.1", help="address to serve (default: %(default)s)"
    )
    start.add_argument("--port", type=port_number, default=8000, help="port (default: %(default)s)")
    execute = commands.add_parser(
        "exec",
        help="run a command with DATABASE_URL set to a running server",
        description="Starts the database unless it runs already, sets DATABASE_URL, runs the"
        " command, stops what it started, and ends with the command's exit status.",
        epilog="example: python -m omneo.embedded exec -- python manage.py shell",
    )
    execute.add_argument(
        "--ephemeral",
        action="store_true",
        help="use a new, fast, empty server that is removed afterwards (for tests)",
    )
    execute.add_argument("command", nargs="+", metavar="CMD", help="the command, after --")
    return root


def port_number(text: str) -> int:
    """A TCP port from the command line."""
    number = int(text)
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{number} is not between 1 and 65535")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; returns the exit status."""
    options = parser().parse_args(arguments)
    with reporting_errors():
        if options.action == "exec":
            return execute(options.command, ephemeral=options.ephemeral)
        address = Address(options.host, options.port)
        run(omneo_plan(address, VARIABLE), address, directory=CHECKOUT, variable=VARIABLE)
    return 0


@contextmanager
def reporting_errors() -> Iterator[None]:
    """End with one line on what went wrong instead of a traceback."""
    try:
        yield
    except (EmbeddedPostgresError, SupervisorError) as error:
        sys.exit(f"omneo: {error}")
    except OSError as error:
        sys.exit(f"omneo: {error.filename or 'error'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def execute(command: Sequence[str], *, ephemeral: bool) -> int:
    """Run a command with a database; returns its exit status."""
    with database(ephemeral=ephemeral) as url, forwarded_signals() as children:
        try:
            child = subprocess.Popen(  # noqa: S603 - the caller's own command
                command, env=os.environ | {"DATABASE_URL": url}
            )
        except OSError as error:
            print(f"omneo: cannot run {command[0]}: {error.strerror}", file=sys.stderr)
            return 127
        children.append(child)
        status = child.wait()
    return status if status >= 0 else 128 - status


@contextmanager
def database(*, ephemeral: bool) -> Iterator[str]:
    """The URL of a running database: the environment's, a throw-away one, or the one in var/."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    if ephemeral:
        with throw_away_postgres(VARIABLE / "test-postgres") as server:
            yield server.url
        return
    server = EmbeddedPostgres(VARIABLE / "postgres")
    try:
        server.start()
    except AlreadyRunningError:
        yield database_url(server.data_directory)
        return
    with server_stopping(server):
        yield server.url


@contextmanager
def forwarded_signals() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Pass signals on to the children put into the list, instead of ending before them."""
    children: list[subprocess.Popen[bytes]] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and in_foreground_of_terminal():
            return  # the terminal has sent it to the child too, and twice means something else
        for child in children:
            child.send_signal(number)

    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    # What is ignored, as SIGHUP by nohup, stays so, for the child too.
    heeded = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, forward) for number in heeded}
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_foreground_of_terminal() -> bool:
    """Whether Ctrl-C reaches this process and its children together."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


if __name__ == "__main__":
    sys.exit(main())

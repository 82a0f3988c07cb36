"""What the tests of the embedded server and of the supervisor share."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from omneo.embedded.postgres import socket_directory

CHECKOUT = Path(__file__).resolve().parents[2]


def eventually(condition: Callable[[], bool], limit: float = 15) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def processes_naming(*texts: str) -> dict[int, str]:
    """The processes of this machine whose command line or title contains one of the texts."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            title = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if any(text in title for text in texts):
            found[int(entry.name)] = title
    found.pop(os.getpid(), None)
    return found


def processes_of(variable: Path) -> dict[int, str]:
    """All processes of a run with this var directory, those of its server included."""
    return processes_naming(str(variable), socket_directory(variable / "postgres").name)


def kill_everything_of(variable: Path) -> None:
    """As a power cut does: nobody has the time to tidy up."""
    while processes := processes_of(variable):
        for process in processes:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)


@contextmanager
def temporary_place() -> Iterator[Path]:
    """An empty directory that the server's user can enter, unlike tmp_path when root tests."""
    directory = Path(tempfile.mkdtemp(prefix="omneo-test-"))
    directory.chmod(0o755)
    yield directory
    kill_everything_of(directory)
    for data in [directory / "postgres", directory / "var" / "postgres"]:
        shutil.rmtree(socket_directory(data), ignore_errors=True)
    shutil.rmtree(directory)


def query(url: str, statement: str) -> list[tuple]:
    """Run one statement; returns its rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def unused_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def finish(process: subprocess.Popen[str], limit: float = 30) -> tuple[int, str, str]:
    """Wait for the end; returns exit status, output and errors."""
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, output, errors

"""Child processes that end with their parent, their logs, and locks between runs."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO

PR_SET_PDEATHSIG = 1


class LockHeldError(Exception):
    """Another process holds the lock."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


def take_lock(path: Path) -> TextIO:
    """Lock a file until it is closed or this process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise LockHeldError(holder) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def spawn(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int = subprocess.DEVNULL,
    errors: IO[bytes] | int | None = subprocess.STDOUT,
    directory: Path = Path("/"),
    environment: Mapping[str, str] | None = None,
    signal_at_parents_end: signal.Signals = signal.SIGTERM,
    **user: Any,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that Ctrl-C reaches its parent alone."""
    return subprocess.Popen(  # noqa: S603 - all commands are of our own making
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
        preexec_fn=end_with_parent(signal_at_parents_end),
        **user,
    )


def end_with_parent(signal_number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that has the kernel send the child this signal when its parent is gone.

    Linux alone knows this; elsewhere a killed parent leaves its children to the next start.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def bind() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # it was gone before the kernel knew
            os._exit(1)

    return bind


def fresh_log(path: Path) -> BinaryIO:
    """Open an empty log; the one of the run before is kept beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")


def last_lines(path: Path, count: int) -> list[str]:
    """The end of a log."""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 64 * 1024))
        return log.read().decode(errors="replace").splitlines()[-count:]


def describe_exit(status: int) -> str:
    """A return code of subprocess in words."""
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    return f"exit status {status}"


def signal_group(leader: int, signal_number: signal.Signals) -> None:
    """Signal a process group, which may be gone."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal_number)

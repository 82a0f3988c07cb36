"""A PostgreSQL server of our own, from the programs that a Python wheel carries."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO
from urllib.parse import quote

import psycopg

from omneo.embedded.places import (
    Account,
    PlacementError,
    data_location,
    path_key,
    programs_directory,
    server_account,
)
from omneo.embedded.processes import LockHeldError, fresh_log, last_lines, spawn, take_lock

DATABASE = "omneo"
SUPERUSER = "postgres"
PORT = 5432
MAJOR_VERSION = "18"
START_LIMIT = 300  # seconds; recovery after a crash replays up to max_wal_size
STOP_LIMIT = 30
MEBIBYTE = 1024 * 1024
LEAST_SPACE = 100  # MiB; new data take 60, and a full disk hides its own error messages

THROW_AWAY_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


class EmbeddedPostgresError(Exception):
    """The server cannot run; the message is one line that says what to do."""


class AlreadyRunningError(EmbeddedPostgresError):
    """Another process of this machine runs the server of this data directory."""


def socket_directory(data_directory: Path) -> Path:
    """The folder of the server's socket: short, since a socket's path has at most 107 bytes."""
    # Not tempfile.gettempdir(): that follows TMPDIR, which differs from one shell to another.
    return Path("/tmp") / f"omneo-{os.geteuid()}-{path_key(data_directory)}"  # noqa: S108


def database_url(data_directory: Path, database: str = DATABASE) -> str:
    """Where the embedded server of this data directory is, whether it runs or not."""
    host = quote(str(socket_directory(data_directory)), safe="")
    return f"postgresql://{SUPERUSER}@{host}:{PORT}/{database}"


def default_settings() -> dict[str, str]:
    """Settings for a developer's machine with a few cores, shared with everything else on it."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MEBIBYTE
    return {
        "listen_addresses": "",
        "max_connections": "100",
        "shared_buffers": f"{min(max(memory // 16, 128), 512)}MB",
        "effective_cache_size": f"{memory // 2}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": "128MB",
        "huge_pages": "off",
        "dynamic_shared_memory_type": dynamic_shared_memory_type(),
        "jit": "off",
        "random_page_cost": "1.1",
        # Nothing replicates from this server, so that bulk loads need not log for it.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "2GB",
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_min_duration_statement": "2s",
    }


def dynamic_shared_memory_type() -> str:
    """Parallel queries need shared memory, of which containers often have 64 MB only."""
    try:
        space = os.statvfs("/dev/shm")  # noqa: S108
    except OSError:
        return "mmap"
    return "posix" if space.f_bavail * space.f_frsize >= 512 * MEBIBYTE else "mmap"


class EmbeddedPostgres:
    """The server of one data directory; a context manager, or start() and stop().

    Reached over a Unix socket in a private folder only. With `throw_away` the data are new at
    every start, gone after the stop, and not safe from a crash of the machine.

    It ends with the thread that started it, so that a killed process leaves no server behind.
    """

    def __init__(
        self,
        data_directory: Path,
        *,
        settings: Mapping[str, str] | None = None,
        throw_away: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.data_directory = data_directory.absolute()
        self.location = self.data_directory.resolve()
        self.throw_away = throw_away
        self.settings = default_settings()
        if throw_away:
            self.settings |= THROW_AWAY_SETTINGS
        self.settings |= settings or {}
        self.url = database_url(self.data_directory)
        self.log = self.data_directory.parent / "log" / f"{self.data_directory.name}.log"
        self._sleep = sleep
        self._sockets = socket_directory(self.data_directory)
        self._lock: TextIO | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the server that start() started is still there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server, with new data if there are none, and wait until it answers."""
        if self._lock is None:
            self._lock = self._take_lock()
        try:
            self._start()
        except PlacementError as error:
            self.stop()
            raise EmbeddedPostgresError(str(error)) from None
        except BaseException:
            self.stop()
            raise

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the server and wait for its end; `at_once` leaves recovery to the next start."""
        if self._process is not None:
            end_postmaster(self._process, at_once=at_once or self.throw_away)
            self._process = None
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self._lock is not None:
            if self.throw_away:
                self._remove_data()
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> TextIO:
        try:
            return take_lock(self.data_directory.with_name(f"{self.data_directory.name}.lock"))
        except LockHeldError as held:
            raise AlreadyRunningError(
                f"the database in {self.data_directory} is already in use by process"
                f" {held.holder}: stop that one first"
            ) from None

    def _start(self) -> None:
        account = server_account(self.data_directory)
        self.location = data_location(self.data_directory, account)
        programs = programs_directory(self.data_directory, account)
        self._check_space()
        end_leftovers(self._cluster_name, account)
        if self.throw_away:
            self._remove_data()
        self._check_owner(account)
        if not self.location.exists() or not any(self.location.iterdir()):
            self._create_data(programs, account)
        self._check_version()
        (self.location / "postmaster.pid").unlink(missing_ok=True)
        self._make_socket_directory(account)
        with fresh_log(self.log) as log:
            self._process = spawn(
                self._command(programs),
                output=log,
                environment=server_environment(),
                signal_at_parents_end=signal.SIGINT,
                **account.popen_arguments(),
            )
        self._wait_until_it_answers(self._process)

    @property
    def _cluster_name(self) -> str:
        return self._sockets.name

    def _command(self, programs: Path) -> list[str]:
        settings = self.settings | {
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            # Every process of the server shows it in its title, by which leftovers are found.
            "cluster_name": self._cluster_name,
        }
        command = [str(programs / "postgres"), "-D", str(self.location)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _create_data(self, programs: Path, account: Account) -> None:
        # Made beside and renamed, so that an interrupted start leaves nothing half made.
        unfinished = self.location.with_name(f"{self.location.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        account.own(unfinished)
        command = [str(programs / "initdb"), "--pgdata", str(unfinished)]
        command += ["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"]
        command += ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        process = spawn(
            command,
            errors=subprocess.PIPE,
            environment=server_environment(),
            **account.popen_arguments(),
        )
        errors = process.communicate()[1].decode(errors="replace")
        if process.returncode:
            reason = complaint(errors.splitlines())
            raise EmbeddedPostgresError(
                f"PostgreSQL could not create its data in {self.location}: {reason}"
            )
        unfinished.rename(self.location)

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.location.parent).free // MEBIBYTE
        if free < LEAST_SPACE:
            raise EmbeddedPostgresError(
                f"the disk of {self.location} has {free} MB left, and PostgreSQL needs"
                f" {LEAST_SPACE} MB to start: make room"
            )

    def _check_owner(self, account: Account) -> None:
        if not self.location.exists():
            return
        owner = self.location.stat().st_uid
        if owner not in (0, account.uid):
            raise EmbeddedPostgresError(
                f"{self.location} belongs to {user_name(owner)}, as whom or as root the first"
                f" start was made: start so again, or {self._way_out}"
            )

    def _check_version(self) -> None:
        version = self.location / "PG_VERSION"
        if not version.exists():
            raise EmbeddedPostgresError(
                f"{self.location} is not empty and holds no database of PostgreSQL: {self._way_out}"
            )
        found = version.read_text().strip()
        if found != MAJOR_VERSION:
            raise EmbeddedPostgresError(
                f"{self.location} was made by PostgreSQL {found or '(unknown)'}, this is"
                f" {MAJOR_VERSION}: {self._way_out}"
            )

    def _make_socket_directory(self, account: Account) -> None:
        try:
            self._sockets.mkdir(mode=0o700)
            account.own(self._sockets)
        except FileExistsError:
            found = self._sockets.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
                raise EmbeddedPostgresError(
                    f"{self._sockets} is taken by another user, who could listen in on the"
                    " database: remove it"
                ) from None
            self._sockets.chmod(0o700)
        for leftover in self._sockets.iterdir():
            leftover.unlink()

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise EmbeddedPostgresError(
                    f"PostgreSQL did not start: {complaint(last_lines(self.log, 50))}"
                    f" (log: {self.log}); {self._way_out}"
                )
            try:
                self._create_database()
            except psycopg.OperationalError:
                self._sleep(0.05)
            else:
                return
        raise EmbeddedPostgresError(
            f"PostgreSQL did not answer within {START_LIMIT} s; its log is {self.log}"
        )

    def _create_database(self) -> None:
        maintenance = database_url(self.data_directory, "postgres")
        with psycopg.connect(maintenance, autocommit=True, connect_timeout=5) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _remove_data(self) -> None:
        if self.location.exists():
            shutil.rmtree(self.location)

    @property
    def _way_out(self) -> str:
        return (
            f"rename or remove {self.location} to start with empty data,"
            " or set DATABASE_URL to a server of yours"
        )


@contextmanager
def throw_away_postgres(directory: Path) -> Iterator[EmbeddedPostgres]:
    """A server with new data, in the first of `directory`, `directory-2`, ... not in use."""
    for number in count(1):
        name = directory.name if number == 1 else f"{directory.name}-{number}"
        server = EmbeddedPostgres(directory.with_name(name), throw_away=True)
        try:
            server.start()
        except AlreadyRunningError:
            continue
        with server_stopping(server):
            yield server
        return


@contextmanager
def server_stopping(server: EmbeddedPostgres) -> Iterator[None]:
    """Stop a started server at the end."""
    try:
        yield
    finally:
        server.stop()


def user_name(uid: int) -> str:
    """The name of a user, or the number of one without."""
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"


def server_environment() -> dict[str, str]:
    """The caller's environment without the variables that PostgreSQL would take as settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def end_postmaster(process: subprocess.Popen[bytes], *, at_once: bool) -> None:
    """End the server the gentlest way that works in time."""
    ways = [signal.SIGQUIT, signal.SIGKILL] if at_once else [signal.SIGINT, signal.SIGQUIT]
    for way in [*ways, signal.SIGKILL]:
        process.send_signal(way)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            continue
        return


def end_leftovers(cluster_name: str, account: Account) -> None:
    """End what is left of a server whose starter was killed; the lock says that it was."""
    for way in [signal.SIGINT, signal.SIGKILL]:
        deadline = time.monotonic() + STOP_LIMIT
        while found := server_processes(cluster_name, account):
            if time.monotonic() > deadline:
                break
            for process in found:
                with suppress(ProcessLookupError):
                    os.kill(process, way)
            time.sleep(0.1)


def server_processes(cluster_name: str, account: Account) -> list[int]:
    """The processes of a server, by the title that each of them shows."""
    return [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if is_server_process(entry, cluster_name, account)
    ]


def is_server_process(entry: Path, cluster_name: str, account: Account) -> bool:
    """Whether a folder of /proc is that of a process of this server."""
    try:
        title = (entry / "cmdline").read_bytes().decode(errors="replace")
        owner = entry.stat().st_uid
    except OSError:
        return False
    program = title.split("\0")[0]
    is_postgres = program.startswith("postgres:") or program.endswith("/postgres")
    return owner == account.uid and is_postgres and cluster_name in title


def complaint(lines: list[str]) -> str:
    """The line of PostgreSQL's output that says what is wrong."""
    for line in lines:
        for mark in ("FATAL:", "PANIC:", "error:"):
            if mark in line:
                return line.split(mark, 1)[1].strip()
    return lines[-1].strip() if lines else "it said nothing"

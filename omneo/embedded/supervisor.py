"""The processes of `make run`: started in order, watched, restarted, stopped in order."""

from __future__ import annotations

import errno
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from omneo.embedded.postgres import EmbeddedPostgres
from omneo.embedded.processes import (
    LockHeldError,
    describe_exit,
    fresh_log,
    last_lines,
    signal_group,
    spawn,
    take_lock,
)

TICK = 0.1
ANSWER_LIMIT = 60
SHORT_LIFE = 10
FIRST_PAUSE = 1  # second, doubled each time
SHORT_LIVES_BEFORE_GIVING_UP = 4
SHOWN_LOG_LINES = 15
SHOWN_TROUBLES_PER_TICK = 20
TROUBLE = re.compile(rb"(^|[\[\s])(WARNING|ERROR|CRITICAL)[/\]:\s]")


class SupervisorError(Exception):
    """The run cannot start or go on; the message is one line for a human."""


class StopRequested(Exception):  # noqa: N818 - it is none
    """Ctrl-C or a signal asks for the end."""


@dataclass(frozen=True)
class Program:
    """A long-running process, and the seconds that it gets for ending by itself."""

    name: str
    command: Sequence[str]
    stop_limit: float


@dataclass(frozen=True)
class Plan:
    """What to run in which order; the last output of `prepare` is shown when all is up."""

    migrate: Sequence[str]
    prepare: Sequence[str]
    web: Program
    background: Sequence[Program]


@dataclass(frozen=True)
class Address:
    """Where the web server listens."""

    host: str
    port: int

    @property
    def reachable_host(self) -> str:
        """The host for a client on this machine."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104

    @property
    def base_url(self) -> str:
        """The address to show."""
        host = self.reachable_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def omneo_plan(address: Address, variable: Path) -> Plan:
    """The processes of the product."""
    python = sys.executable
    manage = [python, "manage.py"]
    celery = [python, "-m", "celery", "-A", "omneo"]
    return Plan(
        migrate=[*manage, "migrate", "--no-input"],
        prepare=[*manage, "prepare_demo", "--base-url", address.base_url],
        web=Program(
            "web",
            [
                *[python, "-m", "granian", "--interface", "wsgi", "omneo.wsgi:application"],
                *["--host", address.host, "--port", str(address.port)],
                *["--workers", "1", "--blocking-threads", "4", "--workers-kill-timeout", "5"],
            ],
            stop_limit=10,
        ),
        background=[
            Program(
                "worker",
                [
                    *[*celery, "worker", "--concurrency", "2", "--loglevel", "INFO"],
                    *["--without-gossip", "--without-mingle"],
                ],
                stop_limit=30,
            ),
            Program(
                "beat",
                [*celery, "beat", "--schedule", str(variable / "celerybeat-schedule")],
                stop_limit=10,
            ),
        ],
    )


class StopSignals:
    """Counts SIGINT, SIGTERM and SIGHUP while it is entered."""

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[signal.Signals, Callable[..., object] | int | None] = {}

    def __enter__(self) -> StopSignals:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP, and is to be obeyed.
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1

    @property
    def forced(self) -> bool:
        """Whether someone asked again, while the stop was under way."""
        return self.count > 1

    def sleep(self, seconds: float) -> None:
        """Sleep, unless a stop is asked for."""
        deadline = time.monotonic() + seconds
        while not self.count and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, TICK))
        if self.count:
            raise StopRequested


@dataclass
class Service:
    """One long-running process over all its restarts."""

    program: Program
    log: Path
    environment: Mapping[str, str]
    directory: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0
    restart_at: float = 0
    short_lives: int = 0
    _shown: int = field(default=0, repr=False)

    def start(self) -> None:
        """Start the process; its output goes to the log."""
        with self.log.open("ab") as log:
            self.process = spawn(
                self.program.command,
                output=log,
                directory=self.directory,
                environment=self.environment,
            )
        self.started = time.monotonic()

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None

    def watch(self) -> None:
        """Restart the process when it is gone, later each time that it does not last."""
        if self.is_running:
            return
        if self.process is not None:
            self._bury(self.process)
        elif time.monotonic() >= self.restart_at:
            self.start()

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        self.process = None
        signal_group(process.pid, signal.SIGKILL)
        lasted = time.monotonic() - self.started
        self.short_lives = self.short_lives + 1 if lasted < SHORT_LIFE else 0
        name = self.program.name
        say(f"{name} stopped unexpectedly ({describe_exit(process.returncode)}). {self.log} ends:")
        for line in last_lines(self.log, SHOWN_LOG_LINES):
            say(f"  {line}")
        if self.short_lives >= SHORT_LIVES_BEFORE_GIVING_UP:
            raise SupervisorError(
                f"{name} does not stay up ({self.short_lives} times in a row): see {self.log}"
            )
        pause = FIRST_PAUSE * 2 ** max(self.short_lives - 1, 0)
        self.restart_at = time.monotonic() + pause
        say(f"{name} starts again in {pause} s")

    def show_troubles(self) -> None:
        """Repeat warnings and errors that were logged since the last call."""
        with self.log.open("rb") as log:
            log.seek(self._shown)
            complete = log.read().rpartition(b"\n")[0]
        if not complete:
            return
        self._shown += len(complete) + 1
        troubles = [line for line in complete.splitlines() if TROUBLE.search(line)]
        for line in troubles[:SHOWN_TROUBLES_PER_TICK]:
            say(f"{self.program.name}: {line.decode(errors='replace')}")
        if len(troubles) > SHOWN_TROUBLES_PER_TICK:
            more = len(troubles) - SHOWN_TROUBLES_PER_TICK
            say(f"{self.program.name}: and {more} more in {self.log}")


class Supervisor:
    """Runs a plan until it is asked to stop; `server` is None where another database is used."""

    def __init__(
        self,
        plan: Plan,
        address: Address,
        *,
        directory: Path,
        variable: Path,
        database_url: str,
        server: EmbeddedPostgres | None,
        signals: StopSignals,
    ) -> None:
        self.plan = plan
        self.address = address
        self.directory = directory
        self.logs = variable / "log"
        self.server = server
        self.signals = signals
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "OMNEO_VAR": str(variable),
        }
        self.web = self._service(plan.web)
        self.background = [self._service(program) for program in plan.background]

    @property
    def services(self) -> list[Service]:
        """The long-running processes in the order of their start."""
        return [self.web, *self.background]

    def run(self) -> None:
        """Start everything, watch it, and stop everything again, whatever happened."""
        try:
            self._start_server()
            self._step("migrate", self.plan.migrate)
            summary = self._step("prepare", self.plan.prepare, show_progress=True)
            self._start_services()
            say(summary.rstrip())
            self._watch()
        except StopRequested:
            say("Stopping ...")
        finally:
            self._stop()
        say("Stopped.")

    def _service(self, program: Program) -> Service:
        log = self.logs / f"{program.name}.log"
        return Service(program, log, self.environment, self.directory)

    def _start_server(self) -> None:
        if self.server is None:
            say("Database: the server of DATABASE_URL")
            return
        started = time.monotonic()
        self.server.start()
        say(f"Database: {self.server.location} (up in {time.monotonic() - started:.1f} s)")
        if self.server.data_directory.is_symlink():
            say("  It is there because the server's user cannot enter the folders of the checkout.")

    def _step(self, name: str, command: Sequence[str], *, show_progress: bool = False) -> str:
        """Run a command to its end; returns its standard output."""
        started = time.monotonic()
        output_path = self.logs / f"{name}.log"
        with fresh_log(output_path) as output:
            process = spawn(
                command,
                output=output,
                errors=None if show_progress else output,
                directory=self.directory,
                environment=self.environment,
            )
        try:
            while process.poll() is None:
                self.signals.sleep(TICK)
        finally:
            end_processes([process], limit=10, signals=self.signals)
        if process.returncode:
            for line in last_lines(output_path, SHOWN_LOG_LINES):
                say(f"  {line}")
            raise SupervisorError(
                f"{name} failed ({describe_exit(process.returncode)}): see {output_path}"
            )
        say(f"{name.capitalize()}: done ({time.monotonic() - started:.1f} s)")
        return output_path.read_text(errors="replace")

    def _start_services(self) -> None:
        for service in self.services:
            fresh_log(service.log).close()
            service.start()
        names = ", ".join(service.program.name for service in self.services)
        say(f"Processes: {names} (logs in {self.logs}), stopped by Ctrl-C")
        deadline = time.monotonic() + ANSWER_LIMIT
        while not self._answers():
            self._check_services()
            if time.monotonic() > deadline:
                raise SupervisorError(
                    f"{self.address.base_url} did not answer within {ANSWER_LIMIT} s:"
                    f" see {self.web.log}"
                )
            self.signals.sleep(TICK)

    def _answers(self) -> bool:
        client = http.client.HTTPConnection(
            self.address.reachable_host, self.address.port, timeout=5
        )
        try:
            client.request("GET", "/")
            client.getresponse()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()
        return True

    def _watch(self) -> None:
        while True:
            self.signals.sleep(TICK)
            if self.server is not None and not self.server.is_running:
                say("The database stopped unexpectedly and starts again")
                self.server.start()
            self._check_services()

    def _check_services(self) -> None:
        for service in self.services:
            service.show_troubles()
            service.watch()

    def _stop(self) -> None:
        for group in [[self.web], self.background]:
            processes = [service.process for service in group if service.process is not None]
            limit = max(service.program.stop_limit for service in group)
            end_processes(processes, limit=limit, signals=self.signals)
        if self.server is not None:
            self.server.stop(at_once=self.signals.forced)


def end_processes(
    processes: Sequence[subprocess.Popen[bytes]], *, limit: float, signals: StopSignals
) -> None:
    """End processes and all they started, gently for `limit` seconds or until asked again."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + limit
    while any(process.poll() is None for process in processes):
        if signals.forced or time.monotonic() > deadline:
            break
        time.sleep(TICK / 2)
    for process in processes:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()


def check_port(address: Address) -> None:
    """Say at once that the port is not to be had, rather than after a long start."""
    try:
        family, kind, protocol, _, name = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(name)
    except OSError as error:
        where = f"port {address.port} of {address.host}"
        if error.errno == errno.EADDRINUSE:
            raise SupervisorError(
                f"{where} is in use: stop what uses it, or choose another,"
                f" as in `make run PORT={address.port + 1}`"
            ) from None
        raise SupervisorError(f"{where} cannot be used: {error.strerror or error}") from None


@contextmanager
def only_run(variable: Path) -> Iterator[None]:
    """Hold the lock that allows one run in a checkout."""
    try:
        lock = take_lock(variable / "run.lock")
    except LockHeldError as held:
        raise SupervisorError(
            f"Omneo already runs here, as process {held.holder}: stop that one first"
        ) from None
    with lock:
        yield


def run(plan: Plan, address: Address, *, directory: Path, variable: Path) -> None:
    """Run a plan with the database of the environment, or else with an embedded one."""
    with ExitStack() as stack:
        stack.enter_context(only_run(variable))
        check_port(address)
        signals = stack.enter_context(StopSignals())
        url = os.environ.get("DATABASE_URL")
        server = None
        if not url:
            server = EmbeddedPostgres(variable / "postgres", sleep=signals.sleep)
            url = server.url
        supervisor = Supervisor(
            plan,
            address,
            directory=directory,
            variable=variable,
            database_url=url,
            server=server,
            signals=signals,
        )
        supervisor.run()


def say(text: str) -> None:
    """Show a line; a terminal that is gone is no reason to stop."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""The processes that the load runs against: workers, beat, and recalculations of everybody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random

from omneo.embedded.processes import describe_exit, last_lines, signal_group, spawn
from omneo.embedded.supervisor import Address, omneo_plan
from tests.embedded.helpers import CHECKOUT

WORKERS = 2
STOP_LIMIT = 30  # seconds
SHOWN_LINES = 30  # of a log
RECALCULATE = [sys.executable, "manage.py", "recalculate_aggregations", "--workers", "2"]


class Services:
    """Started, killed now and then, and started again.

    `troubles`: the last words of those that ended by themselves, which must not happen.
    """

    def __init__(self, variable: Path) -> None:
        programs = omneo_plan(Address("", 0), variable).background
        self._commands = {each.name: each.command for each in programs}
        self._variable = variable
        self._workers: list[subprocess.Popen[bytes]] = []
        self._beat: subprocess.Popen[bytes] | None = None
        self._logs: dict[int, Path] = {}
        self._enough = threading.Event()
        self._recalculating = threading.Thread(target=self._recalculate_again_and_again)
        self.kills = self.recalculations = 0
        self.troubles: list[str] = []

    def start(self) -> None:
        self._beat = self._spawn("beat", self._commands["beat"])
        self._workers = [self._new_worker() for _ in range(WORKERS)]
        self._recalculating.start()

    def kill_a_worker(self, random: Random) -> None:
        """End a worker and its children at once, as a power cut does, and start another."""
        victim = random.randrange(len(self._workers))
        signal_group(self._workers[victim].pid, signal.SIGKILL)
        self._workers[victim].wait()
        self.kills += 1
        self._workers[victim] = self._new_worker()

    def check(self) -> None:
        """Start again who ended without being asked to, as `make run` does, and keep its words."""
        for number, process in enumerate(self._workers):
            if process.poll() is not None:
                self.troubles.append(self._last_words(process, describe_exit(process.returncode)))
                signal_group(process.pid, signal.SIGKILL)
                self._workers[number] = self._new_worker()
        if self._beat.poll() is not None:
            self.troubles.append(self._last_words(self._beat, describe_exit(self._beat.returncode)))
            self._beat = self._spawn("beat", self._commands["beat"])

    def stop_recalculating(self) -> None:
        self._enough.set()
        self._recalculating.join()

    def stop(self) -> None:
        """End all of them in good order."""
        self._enough.set()
        started = [each for each in [self._beat, *self._workers] if each is not None]
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.troubles.append(
                    self._last_words(process, f"did not end in {STOP_LIMIT} seconds")
                )
            signal_group(process.pid, signal.SIGKILL)
            process.wait()
        if self._recalculating.is_alive():
            self._recalculating.join()

    def _new_worker(self) -> subprocess.Popen[bytes]:
        return self._spawn("worker", self._commands["worker"])

    def _spawn(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        log = self._variable / f"{name}{len(self._logs)}.log"
        with log.open("wb") as output:
            process = spawn(command, output=output, directory=CHECKOUT, environment=os.environ)
        self._logs[process.pid] = log
        return process

    def _last_words(self, process: subprocess.Popen[bytes], what: str) -> str:
        log = self._logs[process.pid]
        return "\n".join([f"{log.stem} {what}", *last_lines(log, SHOWN_LINES)])

    def _recalculate_again_and_again(self) -> None:
        while not self._enough.wait(1):
            log = self._variable / "recalculation.log"
            with log.open("wb") as output:
                process = spawn(
                    RECALCULATE, output=output, directory=CHECKOUT, environment=os.environ
                )
            if process.wait():
                self.troubles.append(f"recalculate_aggregations: {log.read_text()[-2000:]}")
            self.recalculations += 1

"""Real processes of the product: they work, and are stopped, killed and started again."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings

from omneo.embedded.processes import signal_group, spawn
from omneo.embedded.supervisor import Address, omneo_plan
from tests.embedded.helpers import CHECKOUT, unused_port
from tests.faults.brokers import Broker
from tests.faults.witness import eventually, nobody_works

SCHEDULE = settings.CELERY_BEAT_SCHEDULE


def often(*entries: str, **options: object) -> dict[str, Any]:
    """Return the settings of a beat that sends these entries alone, five times a second."""
    schedule = {name: entry | {"schedule": 3600.0} for name, entry in SCHEDULE.items()}
    for name in entries:
        schedule[name] |= {"schedule": 0.2, "options": SCHEDULE[name]["options"] | options}
    return {"CELERY_BEAT_SCHEDULE": schedule}


@dataclass(frozen=True)
class Member:
    """A process and what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def is_there(self) -> bool:
        return self.process.poll() is None

    @property
    def busiest_child(self) -> int:
        """The process of a worker that has a task in hand: it is connected to the database."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        children = [int(child) for child in task.read_text().split()]
        return max(children, key=lambda child: len(list(Path(f"/proc/{child}/fd").iterdir())))

    def count(self, text: str) -> int:
        """Return how often it has said something."""
        return self.log.read_text().count(text)

    def says(self, text: str, *, times: int = 1) -> bool:
        """Whether it says something in time."""
        return eventually(lambda: self.count(text) >= times)

    def in_hand(self, task: str) -> str:
        """Return the message of a task that does not end, as those of a test before it do."""
        assert eventually(lambda: len(self._not_ended(task)) == 1)
        (message,) = self._not_ended(task)
        return message

    def _not_ended(self, task: str) -> list[str]:
        said = self.log.read_text()
        received = [line.split()[-2] for line in said.splitlines() if line.endswith(" received")]
        return [one for one in received if one.startswith(task) and f"{one} succeeded" not in said]

    def ask_to_end(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and all that it started at once, as a power cut does."""
        signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Crew:
    """The processes that share a broker. One worker stands by from test to test."""

    def __init__(self, directory: Path, environment: Mapping[str, str], broker: Broker) -> None:
        self._directory = directory
        self._environment = environment | {
            "CELERY_BROKER_URL": broker.url,
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        }
        self._settings = broker.settings
        self.address = Address("127.0.0.1", unused_port())
        plan = omneo_plan(self.address, directory)
        self._programs = {each.name: each.command for each in (plan.web, *plan.background)}
        self._members: list[Member] = []
        self._standing: Member | None = None

    def worker(self) -> Member:
        """Return the worker that stands by, a new one where the last has ended."""
        if self._standing is None or not self._standing.is_there:
            self._standing = self.start("worker")
        return self._standing

    def dismiss_worker(self) -> None:
        """End the worker that stands by, if any, before it is given anything."""
        if self._standing is not None:
            self._standing.kill()

    def start(self, name: str, *options: str, **settings: Any) -> Member:
        """Start `web`, `worker` or `beat` as `make run` does, with settings of the test's own."""
        changed = self._settings | settings
        for nested in changed.keys() & self._settings.keys():
            if isinstance(changed[nested], dict):
                changed[nested] = self._settings[nested] | changed[nested]
        name_of_its_own = ["--hostname", f"{uuid4()}@%h"] if name == "worker" else []
        log = self._directory / f"{name}{len(self._members)}.log"
        with log.open("wb") as output:
            process = spawn(
                [*self._programs[name], *name_of_its_own, *options],
                output=output,
                directory=CHECKOUT,
                environment=self._environment | {"OMNEO_TEST_SETTINGS": json.dumps(changed)},
            )
        member = Member(process, log)
        self._members.append(member)
        if name == "worker":
            ready = eventually(lambda: member.count("ready.") > 0)
            assert ready, log.read_text()
        return member

    def stand_by(self) -> None:
        """End all but the worker that stands by, and wait until it has nothing in hand."""
        for member in self._members:
            if member is not self._standing:
                member.kill()
        assert eventually(nobody_works)

    def end(self) -> None:
        for member in self._members:
            member.kill()

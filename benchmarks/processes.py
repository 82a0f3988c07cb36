"""The product's processes, started as `make run` starts them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from django.conf import settings

from benchmarks.database import Databases
from omneo.api.management.commands.create_api_token import service_user
from omneo.api.models import ApiToken
from omneo.embedded.supervisor import Address, Program, omneo_plan

CHECKOUT = Path(__file__).resolve().parents[1]
START_LIMIT = 60  # seconds
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]

# The program that listens at an address.
WebServer = Callable[[Address], Program]


@dataclass(frozen=True)
class Server:
    """A web server, and a token that it lets in."""

    host: str
    port: int
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Host": self.host}

    def get(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Message, bytes]:
        """Return status, headers and body."""
        request = urllib.request.Request(
            f"http://{self.host}:{self.port}{path}", headers={**self.headers, **(headers or {})}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def get_data(self, path: str) -> dict:
        """Return the data of an answer that must be one."""
        status, _, body = self.get(path)
        if status != 200:
            raise RuntimeError(f"{path} is answered with {status}: {body[:500]!r}")
        return json.loads(body)["data"]


@contextmanager
def running_product(
    databases: Databases, *, worker: bool, web: WebServer | None = None
) -> Iterator[Server]:
    """Run the web server on one core, and worker and beat if wanted, on the database in use.

    The one of `make run`, or `web`.
    """
    address = Address("127.0.0.1", _free_port())
    ApiToken.objects.filter(name="benchmarks").delete()
    _, token = ApiToken.objects.create(
        user=service_user("benchmarks"), name="benchmarks", expiry=None
    )
    plan = omneo_plan(address, settings.VAR_DIR)
    program = web(address) if web else plan.web
    started = [_start(program, databases.url, cores={SERVER_CORE})]
    if worker:
        started += [_start(each, databases.url, cores=set(CORES)) for each in plan.background]
    try:
        server = Server(address.host, address.port, token)
        _wait_until_it_answers(server, started[0])
        yield server
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()


def _log(program: str) -> Path:
    return settings.VAR_DIR / f"{program}.log"


def _start(program: Program, database_url: str, *, cores: set[int]) -> subprocess.Popen:
    with _log(program.name).open("wb") as log:
        return subprocess.Popen(
            program.command,
            cwd=CHECKOUT,
            env=os.environ | {"DATABASE_URL": database_url},
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )


def _wait_until_it_answers(server: Server, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_LIMIT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.get("/health")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"The web server does not answer:\n{_log('web').read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

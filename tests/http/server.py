"""The web server as it is deployed, and clients that speak to it over sockets of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from omneo.api.models import SCOPES, ApiToken
from omneo.embedded.postgres import database_url
from omneo.embedded.processes import signal_group, spawn
from omneo.embedded.supervisor import Address, Program, omneo_plan
from tests.embedded.helpers import CHECKOUT, eventually, unused_port

PATIENCE = 60  # seconds


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A connection to a server that is kept from request to request, with a token."""

    def __init__(self, server: Server, token: str | None) -> None:
        self.connection = HTTPConnection(server.host, server.port, timeout=PATIENCE)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request under `/api/v3`, its body as JSON, and read the whole answer."""
        self.send(method, path, body, headers)
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        all_headers = self._headers | dict(headers or {})
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            all_headers = {"Content-Type": "application/json"} | all_headers
        path = path if path.startswith("/admin") else f"/api/v3{path}"
        self.connection.request(method, path, body, all_headers)

    def get(self, path: str, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("GET", path, headers=named)

    def post(self, path: str, body: Any) -> Answer:
        return self.ask("POST", path, body)

    def close(self) -> None:
        self.connection.close()


@dataclass
class Server:
    """A web server of the test's own."""

    host: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    clients: list[Client] = field(default_factory=list)

    def client(self, token: str | None) -> Client:
        self.clients.append(Client(self, token))
        return self.clients[-1]

    def memory(self) -> int:
        """Return how many bytes its processes have in memory, the largest of them."""
        return max(_resident(pid) for pid in self._processes())

    def _processes(self) -> list[int]:
        return [
            int(entry.name)
            for entry in Path("/proc").glob("[0-9]*")
            if _group(entry) == self.process.pid
        ]


def _group(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[2])
    except OSError:
        return None


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) * 1024


def environment(variable: Path, **more: str) -> dict[str, str]:
    """Return what makes a process of the product work for the tests of this process alone."""
    url = os.environ.get("DATABASE_URL") or database_url(settings.VAR_DIR / "postgres")
    name = connection.settings_dict["NAME"]
    own = {
        "DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl(),
        "OMNEO_VAR": str(variable),
        "CELERY_BROKER_URL": "",
        "OMNEO_API_REQUESTS_PER_MINUTE": "0",
    }
    return os.environ | own | more


def background(name: str, variable: Path) -> Program:
    """Return the program of `make run` that is called so: worker or beat."""
    plan = omneo_plan(Address("", 0), variable)
    return next(program for program in plan.background if program.name == name)


@contextmanager
def running(
    program: Program, log: Path, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of the product, with a log of its own, until the end of the block."""
    with log.open("wb") as output:
        process = spawn(program.command, output=output, directory=CHECKOUT, environment=variables)
    try:
        yield process
    finally:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def serving(variable: Path, **variables: str) -> Iterator[Server]:
    """Run the web server of `make run`: granian with its threads."""
    address = Address("127.0.0.1", unused_port())
    log = variable / f"web{address.port}.log"
    program = omneo_plan(address, variable).web
    with running(program, log, environment(variable, **variables)) as process:
        server = Server(address.host, address.port, process, log)
        assert eventually(lambda: _answers(server), limit=PATIENCE), log.read_text()
        try:
            yield server
        finally:
            for client in server.clients:
                client.close()


def _answers(server: Server) -> bool:
    client = Client(server, None)
    try:
        return client.get("/nothing").status == 404
    except OSError:
        return False
    finally:
        client.close()


def new_token(*scopes: str, **fields: Any) -> str:
    """Make a token with these scopes, all where none is named."""
    user, _ = User.objects.get_or_create(username="web-shop")
    given = list(scopes) or list(SCOPES)
    return ApiToken.objects.create(user, name="Web shop", scopes=given, **fields)[1]

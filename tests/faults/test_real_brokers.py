"""Sales, workers and brokers that fail, with Redis and RabbitMQ in place of the folder."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from aggregations.nudge import nudge
from omneo.celery import app
from tests import messages
from tests.embedded.helpers import eventually, unused_port
from tests.factories import TransactionFactory
from tests.faults.conftest import kill
from tests.faults.test_workers import nobody_waits, wrong_rows

pytestmark = pytest.mark.django_db(transaction=True)


class RedisServer:
    """A server of the test's own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = unused_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
        )
        assert eventually(self._answers)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        command = ["redis-cli", "-p", str(self._port), "ping"]
        return subprocess.run(command, capture_output=True).stdout == b"PONG\n"


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed")
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def rabbitmq_url() -> Iterator[str]:
    """A virtual host of the test's own on the server of this machine."""
    host = f"omneo-test-{uuid4()}"
    control = shutil.which("rabbitmqctl")
    if not control:
        pytest.skip("rabbitmqctl is not installed")
    made = subprocess.run([control, "add_vhost", host], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"RabbitMQ gives no virtual host: {made.stderr.strip()[-200:]}")
    permission = [control, "set_permissions", "-p", host, "guest", ".*", ".*", ".*"]
    subprocess.run(permission, check=True, capture_output=True)
    yield f"amqp://guest:guest@127.0.0.1:5672/{host}"
    subprocess.run([control, "delete_vhost", host], check=True, capture_output=True)


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    if request.param == "redis":
        return request.getfixturevalue("redis_server").url
    return request.getfixturevalue("rabbitmq_url")


@pytest.fixture
def environment(environment: dict[str, str], broker_url: str) -> dict[str, str]:
    return environment | {"CELERY_BROKER_URL": broker_url}


@pytest.fixture
def folder(tmp_path: Path, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the processes write, while messages go to the broker."""
    monkeypatch.setattr(nudge, "_silent_until", 0.0)
    with messages.sent_to(broker_url):
        yield tmp_path / "broker"


def test_a_sale_is_in_the_row_by_its_message_alone(start):
    start("worker")

    TransactionFactory()

    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_messages_that_are_lost_are_made_up_for(start):
    TransactionFactory()
    with app.connection_for_write() as broker:
        assert broker.default_channel.queue_purge("celery")

    start("worker")
    start("beat")

    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_a_sale_after_the_only_worker_was_killed_waits_for_the_next(start):
    kill(start("worker"))
    TransactionFactory()

    start("worker")

    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_a_worker_that_is_asked_to_end_ends(start):
    worker = start("worker")

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=30) == 0


@pytest.mark.parametrize("broker_url", ["redis"], indirect=True)
def test_sales_while_the_broker_is_stopped_come_in_when_it_is_back(start, redis_server):
    start("worker")
    start("beat")
    redis_server.stop()
    TransactionFactory()

    redis_server.start()

    assert eventually(nobody_waits, limit=30)
    assert wrong_rows() == []

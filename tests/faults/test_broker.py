"""What becomes of a save when the broker is there and says nothing."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from aggregations.models import RecalculationRequest
from tests.embedded.helpers import CHECKOUT

pytestmark = pytest.mark.django_db(transaction=True)

SAVE = "from tests.factories import TransactionFactory; TransactionFactory()"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("transport", ["amqp", "redis"])
def test_a_save_does_not_hang_with_it(environment, silent_port, transport):
    broker = {"CELERY_BROKER_URL": f"{transport}://127.0.0.1:{silent_port}"}

    saved = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", SAVE],
        cwd=CHECKOUT,
        env=environment | broker,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert "The broker is away" in saved.stderr
    assert RecalculationRequest.objects.exists()

"""The messages of this process: they stay in its memory, unless sent elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any

from kombu import pools

from omneo.celery import app

GIVEN_BROKER = "OMNEO_TEST_BROKER"  # the variable that keeps the address of CELERY_BROKER_URL


def taken() -> list[str]:
    """Empty the queue, and name the tasks that stood there, the oldest first."""
    tasks = []
    with app.connection_for_read() as broker, broker.SimpleQueue("celery") as queue:
        while True:
            try:
                message = queue.get_nowait()
            except Empty:
                return tasks
            message.ack()
            tasks.append(message.headers["task"])


@contextmanager
def sent_to(broker: str, *, queue: str = "celery", **transport_options: Any) -> Iterator[None]:
    """Send messages to another broker for a while."""
    changed = ("broker_url", "broker_transport_options", "task_default_queue")
    before = {name: app.conf.get(name) for name in changed}
    options = (before["broker_transport_options"] or {}) | transport_options
    app.conf.update(broker_url=broker, broker_transport_options=options, task_default_queue=queue)
    _forget_connections()
    try:
        yield
    finally:
        app.conf.update(before)
        _forget_connections()


def closed_port() -> int:
    """Return a port of this machine where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _forget_connections() -> None:
    app._pool = None
    vars(app).pop("amqp", None)  # with its queues and producers
    pools.reset()

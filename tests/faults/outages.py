"""Brokers of a test's own that go away for a while, each in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.faults import brokers
from tests.faults.brokers import Broker, RedisServer
from tests.faults.proxy import proxy


@dataclass(frozen=True)
class Outage:
    """A broker that is there, until it is stopped and when it is started again."""

    broker: Broker
    stop: Callable[[], None]
    start: Callable[[], None]


@contextmanager
def folder(directory: Path) -> Iterator[Outage]:
    """Nobody stops a folder. Its disk may go away, and something else stand in its place."""
    with brokers.folder(directory) as broker:
        place = Path(broker.transport_options["data_folder_in"])
        elsewhere = place.with_name("elsewhere")

        def stop() -> None:
            place.rename(elsewhere)
            place.touch()

        def start() -> None:
            place.unlink()
            elsewhere.rename(place)

        yield Outage(broker, stop, start)


@contextmanager
def redis(directory: Path) -> Iterator[Outage]:
    """The server is killed, and forgets what it had in memory."""
    server = RedisServer(directory)
    server.start()
    try:
        yield Outage(Broker(server.url), server.stop, server.start)
    finally:
        server.stop()


@contextmanager
def rabbitmq(directory: Path) -> Iterator[Outage]:
    """Others use the server too, so that it is out of reach alone."""
    with brokers.rabbitmq(directory) as broker, proxy(broker.url) as way:
        yield Outage(replace(broker, url=way.url), way.close, way.open)

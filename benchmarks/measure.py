"""Measuring: arms of a comparison taken in turn, spreads, latencies, memory."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.progress import say

SAMPLED_EVERY = 0.02  # seconds
CALLS_IN_A_ROW, WARM_UP = 20, 5


@dataclass(frozen=True)
class Spread:
    """Measurements of the same thing: their median, and how far apart they lie."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        values = list(values)
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{brief(self.median)} ({brief(self.least)}–{brief(self.most)})"


@dataclass(frozen=True)
class Arm:
    """One way to do it: how long `run` takes counts, `prepare` before it does not.

    With `scale` of a sample's share of the whole.
    """

    run: Callable[[], object]
    prepare: Callable[[], object] = field(default=lambda: None)
    scale: float = 1


def taken_in_turn(arms: Mapping[str, Arm], *, rounds: int) -> dict[str, Spread]:
    """Run every arm once a round, so that what else the machine does meets all of them alike."""
    values: dict[str, list[float]] = {name: [] for name in arms}
    for number in range(1, rounds + 1):
        for name, arm in arms.items():
            arm.prepare()
            value = seconds(arm.run) * arm.scale
            values[name].append(value)
            say(f"  {number}/{rounds} {name}: {brief(value)} s")
    return {name: Spread.of(taken) for name, taken in values.items()}


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@dataclass(frozen=True)
class Latencies:
    """How long calls took, in milliseconds."""

    p50: float
    p99: float
    calls: int

    @classmethod
    def of(cls, taken: Sequence[float]) -> Latencies:
        ordered = sorted(taken)
        return cls(
            p50=1000 * statistics.median(ordered),
            p99=1000 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
            calls=len(ordered),
        )


@dataclass(frozen=True)
class Way:
    """One way to make a call; a slow one makes only every so manieth."""

    run: Callable[[Any], object]
    prepare: Callable[[Any], object] = field(default=lambda call: None)
    every: int = 1


def latencies_in_turn(ways: Mapping[str, Way], calls: Sequence[Any]) -> dict[str, Latencies]:
    """Make some calls in one way, then the same in the next, and so on until all are made.

    Some, and not one, lest each way finds the processor's caches full of what the others left.
    """
    for way in ways.values():
        for call in calls[:WARM_UP]:
            way.run(call)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for start in range(0, len(calls), CALLS_IN_A_ROW):
        for name, way in ways.items():
            for call in calls[start : start + CALLS_IN_A_ROW : way.every]:
                way.prepare(call)
                taken[name].append(seconds(lambda way=way, call=call: way.run(call)))
    return {name: Latencies.of(values) for name, values in taken.items()}


@dataclass
class PeakMemory:
    """The most that a process took of memory of its own, in MiB; shared buffers do not count."""

    backend: float = 0
    client: float = 0


@contextmanager
def peak_memory(postmaster: int) -> Iterator[PeakMemory]:
    """Watch this process and each of the server's connections."""
    peak = PeakMemory()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(SAMPLED_EVERY):
            backends = children(postmaster)
            peak.backend = max(peak.backend, *map(private_memory, backends), 0)
            peak.client = max(peak.client, private_memory("self"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()


def children(process: int) -> list[str]:
    """The processes that a process started."""
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def private_memory(process: str) -> float:
    """MiB that a process has for itself; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    found = [line.split()[1] for line in lines if line.startswith("RssAnon:")]
    return int(found[0]) / 1024 if found else 0


def brief(number: float) -> str:
    """A number with three digits that matter."""
    if number == 0 or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}" if abs(number) < 10 else f"{number:.1f}"

"""Progress of long work: a bar on a terminal, plain lines where the output is piped."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self, TextIO

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Tells how far a piece of work is: count, rate and the time left."""

    def __init__(self, *, total: int, unit: str, stream: TextIO) -> None:
        self.total = total
        self.unit = unit
        self.stream = stream
        self.done = 0
        self.started = self._last_line = time.monotonic()
        self._bar = tqdm(
            total=total, unit=f" {unit}", file=stream, disable=not stream.isatty(), smoothing=0.1
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    @property
    def seconds(self) -> float:
        """How long the work has taken so far."""
        return time.monotonic() - self.started

    @property
    def rate(self) -> float:
        """How many units a second."""
        return self.done / max(self.seconds, 1e-9)

    def advance(self, count: int) -> None:
        """Count in what was done since the last call."""
        self.done += count
        self._bar.update(count)
        due = time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES
        if self._bar.disable and (due or self.done >= self.total):
            self._last_line = time.monotonic()
            left = max(self.total - self.done, 0) / max(self.rate, 1e-9)
            self.stream.write(
                f"{self.done:,} of {self.total:,} {self.unit}, {self.rate:,.0f} a second, "
                f"{left:,.0f} s left\n"
            )

"""What is told of long work, on a terminal and where the output goes to a file."""

from __future__ import annotations

import io
import os
import pty
import re
from collections.abc import Iterator
from typing import TextIO

import pytest

from omneo import progress
from omneo.progress import Progress


class TestWhereTheOutputIsPiped:
    @pytest.fixture
    def stream(self, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
        """A file, which gets a line at every step."""
        monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
        return io.StringIO()

    def test_a_line_tells_count_rate_and_time_left(self, stream):
        with Progress(total=4000, unit="profiles", stream=stream) as work:
            work.advance(1000)
            work.advance(1000)

        line = r"{} of 4,000 profiles, [\d,]+ a second, \d+ s left"
        first, second = stream.getvalue().splitlines()
        assert re.fullmatch(line.format("1,000"), first)
        assert re.fullmatch(line.format("2,000"), second)

    def test_lines_come_seldom_and_the_last_one_always(self, stream, monkeypatch):
        monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 3600)

        with Progress(total=3, unit="rows", stream=stream) as work:
            for _ in range(3):
                work.advance(1)

        (line,) = stream.getvalue().splitlines()
        assert line.startswith("3 of 3 rows, ")

    def test_nothing_is_said_where_there_is_nothing_to_do(self, stream):
        with Progress(total=0, unit="rows", stream=stream):
            pass

        assert stream.getvalue() == ""

    def test_the_time_left_is_never_below_zero(self, stream):
        with Progress(total=1, unit="rows", stream=stream) as work:
            work.advance(1000)

        assert stream.getvalue().endswith(" 0 s left\n")


class TestOnATerminal:
    @pytest.fixture
    def terminal(self) -> Iterator[tuple[TextIO, int]]:
        """A terminal's end to write to, and the one where it can be seen."""
        seen, end = pty.openpty()
        with os.fdopen(end, "w") as stream:
            yield stream, seen
        os.close(seen)

    def test_a_bar_grows_on_one_line(self, terminal):
        stream, seen = terminal

        with Progress(total=3, unit="rows", stream=stream) as work:
            for _ in range(3):
                work.advance(1)

        shown = ""
        while "\n" not in shown:  # a terminal hands over what it has so far
            shown += os.read(seen, 100_000).decode()
        assert "100%" in shown
        assert "3/3" in shown
        assert shown.count("\n") == 1

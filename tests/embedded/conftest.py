"""Places for servers of their own, beside any `make run` or other test of this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from omneo.embedded.postgres import EmbeddedPostgres
from tests.embedded.helpers import temporary_place


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory for a test, which no DATABASE_URL distracts from it."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with temporary_place() as directory:
        yield directory


@pytest.fixture(scope="session")
def made_data() -> Iterator[Path]:
    """Data made once; a copy is made sooner than the data."""
    with temporary_place() as directory:
        with EmbeddedPostgres(directory / "postgres"):
            pass
        yield directory / "postgres"


@pytest.fixture
def data(place: Path, made_data: Path) -> Path:
    """The data of a server that ran before."""
    subprocess.run(["cp", "-a", made_data, place], check=True)
    return place / "postgres"

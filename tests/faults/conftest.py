"""Real workers with a broker of their own: messages in a folder that no other process reads."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from aggregations.nudge import nudge
from omneo.embedded.postgres import database_url
from omneo.embedded.processes import signal_group, spawn
from omneo.embedded.supervisor import Address, omneo_plan
from tests import messages
from tests.concurrency import Session, another_session
from tests.embedded.helpers import CHECKOUT, eventually

Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def environment(transactional_db: None, tmp_path: Path) -> dict[str, str]:
    """What makes a process of the product work for this test alone."""
    url = os.environ.get("DATABASE_URL") or database_url(settings.VAR_DIR / "postgres")
    test_database = urlsplit(url)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    own = {"DATABASE_URL": test_database, "OMNEO_VAR": str(tmp_path), "CELERY_BROKER_URL": ""}
    return os.environ | own


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that this process sends its messages to, as do those of the environment."""
    folder = tmp_path / "broker"
    control = folder / "control"
    control.mkdir(parents=True)
    monkeypatch.setattr(nudge, "_silent_until", 0.0)
    with messages.sent_to(
        "filesystem://localhost",
        data_folder_in=str(folder),
        data_folder_out=str(folder),
        control_folder=str(control),
    ):
        yield folder


@pytest.fixture
def start(folder: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Return the function that starts `worker` or `beat` as `make run` does."""
    variable = folder.parent
    programs = {each.name: each for each in omneo_plan(Address("", 0), variable).background}
    processes = []

    def start(name: str) -> subprocess.Popen[bytes]:
        log = variable / f"{name}{len(processes)}.log"
        with log.open("wb") as output:
            process = spawn(
                programs[name].command, output=output, directory=CHECKOUT, environment=environment
            )
        processes.append(process)
        if name == "worker":
            assert eventually(lambda: b"ready." in log.read_bytes(), limit=60), log.read_text()
        return process

    yield start
    for process in processes:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started at once, as a power cut does."""
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def session(transactional_db: None) -> Iterator[Session]:
    with another_session() as session:
        yield session

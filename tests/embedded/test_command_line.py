"""`python -m omneo.embedded exec`: a command with a database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from omneo.embedded.postgres import EmbeddedPostgres, database_url
from tests.embedded.helpers import CHECKOUT, finish, processes_of, query

ANSWER = (
    "import os, psycopg;"
    "print(psycopg.connect(os.environ['DATABASE_URL']).execute('SHOW fsync').fetchone()[0])"
)
WAIT = """
import signal, time
def note(number, _):
    print("got", number, flush=True)
    raise SystemExit(7)
signal.signal(signal.SIGTERM, note)
signal.signal(signal.SIGINT, note)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def variable(place: Path) -> Path:
    return place / "var"


def start(variable: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "omneo.embedded", *arguments],
        cwd=CHECKOUT,
        env=os.environ | {"OMNEO_VAR": str(variable)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_it_runs_a_command_with_the_database_and_stops_it(variable):
    command = start(variable, "exec", "--", sys.executable, "-c", ANSWER)
    assert finish(command) == (0, "on\n", "")
    assert (variable / "postgres" / "PG_VERSION").exists()
    assert processes_of(variable) == {}


def test_it_runs_a_command_with_a_throw_away_database(variable):
    command = start(variable, "exec", "--ephemeral", "--", sys.executable, "-c", ANSWER)
    assert finish(command) == (0, "off\n", "")
    assert not (variable / "test-postgres").exists()
    assert not (variable / "postgres").exists()


def test_it_uses_a_database_that_runs_already(variable):
    with EmbeddedPostgres(variable / "postgres") as server:
        assert finish(start(variable, "exec", "--", sys.executable, "-c", ANSWER))[0] == 0
        assert query(server.url, "SELECT 1") == [(1,)]


def test_it_starts_nothing_where_a_database_is_given(variable):
    tell = "import os; print(os.environ['DATABASE_URL'])"
    command = [sys.executable, "-c", tell]
    given = start(variable, "exec", "--ephemeral", "--", *command, DATABASE_URL="postgresql://x")
    assert finish(given) == (0, "postgresql://x\n", "")
    assert list(variable.glob("*postgres*")) == []


@pytest.mark.parametrize("given", [[], ["--ephemeral"]])
def test_it_ends_with_the_exit_status_of_the_command(variable, given):
    assert finish(start(variable, "exec", *given, "--", "sh", "-c", "exit 3"))[0] == 3
    assert finish(start(variable, "exec", *given, "--", "sh", "-c", "kill -9 $$"))[0] == 137


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_passes_signals_on_and_stops_the_database(variable, number):
    command = start(variable, "exec", "--", sys.executable, "-c", WAIT)
    assert command.stdout is not None
    assert command.stdout.readline() == "ready\n"
    command.send_signal(number)
    assert finish(command)[:2] == (7, f"got {number}\n")
    assert processes_of(variable) == {}


def test_it_says_in_one_line_that_the_command_cannot_be_run(variable):
    command = start(variable, "exec", "--", "/no/such/command")
    reason = "omneo: cannot run /no/such/command: No such file or directory\n"
    assert finish(command) == (127, "", reason)


def test_it_says_in_one_line_that_the_data_are_broken(variable):
    (variable / "postgres").mkdir(parents=True)
    (variable / "postgres" / "PG_VERSION").write_text("14\n")
    status, output, errors = finish(start(variable, "exec", "--", "true"))
    assert (status, output) == (1, "")
    assert errors.startswith(f"omneo: {variable}/postgres was made by PostgreSQL 14")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_it_refuses_what_is_no_port(variable, port):
    status, _, errors = finish(start(variable, "run", "--port", port))
    assert status == 2
    assert "--port" in errors


def test_it_explains_itself(variable):
    status, output, _ = finish(start(variable, "--help"))
    assert status == 0
    assert "DATABASE_URL" in output


def test_its_url_is_known_before_it_runs(variable):
    tell = "import os; print(os.environ['DATABASE_URL'])"
    command = start(variable, "exec", "--", sys.executable, "-c", tell)
    assert finish(command)[1] == f"{database_url(variable / 'postgres')}\n"

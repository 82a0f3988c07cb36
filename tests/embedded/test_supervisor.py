"""The processes of `make run`: their start, their faults, their end."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from omneo.embedded.postgres import EmbeddedPostgres, database_url
from omneo.embedded.supervisor import Address, omneo_plan
from tests.embedded.helpers import (
    CHECKOUT,
    eventually,
    finish,
    kill_everything_of,
    processes_naming,
    processes_of,
    query,
    unused_port,
)

STUB_RUN = "tests.embedded.stub_run"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


class Run:
    """A run of stand-ins in a process of its own, as from a terminal's command line."""

    def __init__(self, variable: Path, port: int, **changes: object) -> None:
        self.variable = variable
        self.port = port
        self.url = database_url(variable / "postgres")
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", STUB_RUN, str(variable), str(port), json.dumps(changes)],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_for(self, text: str) -> None:
        """Read until a line with this text."""
        for line in self.process.stdout:
            self.output += line
            if text in line:
                return
        pytest.fail(f"ended without {text!r}:\n{self.output}")

    def press_ctrl_c(self) -> None:
        """Signal the whole foreground group, as a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        """Wait for the end; returns the exit status."""
        status, output, _ = finish(self.process)
        self.output += output
        return status

    def process_of(self, name: str) -> int:
        """The process id of a stand-in, by the program that it runs."""
        log = self.variable / "log" / f"{name}.log"
        for process in processes_naming(str(self.variable)):
            if Path(f"/proc/{process}/fd/1").resolve() == log:
                return process
        return pytest.fail(f"{name} does not run")

    def answers(self) -> bool:
        """Whether the web server is there."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            client.request("GET", "/")
            client.getresponse()
        except OSError:
            return False
        finally:
            client.close()
        return True


@pytest.fixture
def start(place: Path, made_data: Path) -> Iterator[Callable[..., Run]]:
    """Starts runs in one place, and ends those that are left."""
    runs = []

    def start(**changes: object) -> Run:
        if not (place / "var").exists():
            (place / "var").mkdir()
            subprocess.run(["cp", "-a", made_data, place / "var"], check=True)
        runs.append(Run(place / "var", unused_port(), **changes))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
        run.process.wait()
        run.process.stdout.close()


class TestStart:
    def test_it_shows_the_summary_last_once_the_web_server_answers(self, start):
        run = start()
        run.wait_for("the summary")
        assert run.answers()
        shown = ["Database:", "Migrate: done", "loading", "Prepare: done", "Processes:", "the summ"]
        found = [run.output.index(text) for text in shown]
        assert found == sorted(found)
        assert "tables made" not in run.output

    def test_it_gives_every_process_the_database_and_a_log(self, start):
        tell = "import os, time; print(os.environ['DATABASE_URL']); time.sleep(600)"
        run = start(worker=tell, beat=tell)
        run.wait_for("the summary")
        for name in ["worker", "beat"]:
            log = run.variable / "log" / f"{name}.log"
            assert eventually(lambda log=log: log.read_text() == f"{run.url}\n")

    def test_it_uses_the_database_of_the_environment_instead_of_its_own(
        self, start, place, monkeypatch
    ):
        with EmbeddedPostgres(place / "other") as other:
            monkeypatch.setenv("DATABASE_URL", other.url)
            tell = "import os; print('database', os.environ['DATABASE_URL'])"
            run = start(prepare=tell)
            run.wait_for(f"database {other.url}")
            run.press_ctrl_c()
            assert run.end() == 0
            assert other.is_running
        assert not (place / "var" / "log" / "postgres.log").exists()

    def test_it_keeps_the_data_for_the_next_start(self, start):
        run = start()
        run.wait_for("the summary")
        query(run.url, "CREATE TABLE kept AS SELECT 1 AS one")
        run.press_ctrl_c()
        assert run.end() == 0
        start().wait_for("the summary")
        assert query(run.url, "SELECT one FROM kept") == [(1,)]


class TestRefusal:
    def refusal(self, run: Run) -> str:
        """The one line that the run refuses with."""
        assert run.end() == 1
        assert run.output.count("\n") == 1
        return run.output

    def test_it_says_at_once_that_the_port_is_in_use(self, place):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            run = Run(place / "var", port)
            assert f"make run PORT={port + 1}" in self.refusal(run)
        assert not (place / "var" / "postgres").exists()

    def test_it_says_that_another_run_is_under_way(self, start):
        first = start()
        first.wait_for("the summary")
        assert f"already runs here, as process {first.process.pid}" in self.refusal(start())
        assert first.answers()

    def test_it_says_that_the_var_directory_cannot_be_written(self, start, place):
        (place / "var").write_text("a file, not a directory")
        assert f"{place}/var" in self.refusal(start())

    def test_it_says_what_to_do_about_a_broken_data_directory(self, start, place):
        (place / "var" / "postgres").mkdir(parents=True)
        (place / "var" / "postgres" / "letters.txt").touch()
        assert f"rename or remove {place}/var/postgres" in self.refusal(start())

    @pytest.mark.parametrize("step", ["migrate", "prepare"])
    def test_it_shows_the_end_of_the_log_of_a_step_that_fails(self, start, place, step):
        run = start(**{step: "print('first'); print('the reason'); raise SystemExit(3)"})
        assert run.end() == 1
        assert "  the reason\n" in run.output
        assert f"{step} failed (exit status 3): see {place}/var/log/{step}.log" in run.output
        assert processes_of(place / "var") == {}


class TestStop:
    @pytest.mark.parametrize("way", ["Ctrl-C", "SIGTERM", "SIGHUP"])
    def test_it_stops_everything_and_succeeds(self, start, place, way):
        run = start()
        run.wait_for("the summary")
        if way == "Ctrl-C":
            run.press_ctrl_c()
        else:
            run.process.send_signal(signal.Signals[way])
        assert run.end() == 0
        assert run.output.endswith("Stopping ...\nStopped.\n")
        assert processes_of(place / "var") == {}
        assert not (place / "var" / "postgres" / "postmaster.pid").exists()

    def test_it_stops_as_well_when_nobody_reads_its_output_any_more(self, start, place):
        run = start()
        run.wait_for("the summary")
        run.process.stdout.close()
        run.process.send_signal(signal.SIGHUP)
        assert run.process.wait(30) == 0
        assert processes_of(place / "var") == {}

    def test_it_stops_in_the_middle_of_loading(self, start, place):
        run = start(prepare="import sys, time; print('loads', file=sys.stderr); time.sleep(600)")
        run.wait_for("loads")
        run.press_ctrl_c()
        assert run.end() == 0
        assert processes_of(place / "var") == {}

    def test_it_lets_the_worker_finish_its_task_while_the_database_runs(self, start, place):
        run = start(
            worker="""
import os, signal, time, psycopg
def finish(*_):
    time.sleep(0.3)
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE finished ()")
    raise SystemExit
signal.signal(signal.SIGTERM, finish)
print("ready")
while True:
    time.sleep(1)
"""
        )
        run.wait_for("the summary")
        assert eventually(lambda: "ready" in (place / "var/log/worker.log").read_text())
        run.press_ctrl_c()
        assert run.end() == 0
        with EmbeddedPostgres(place / "var" / "postgres") as server:
            assert query(server.url, "SELECT FROM finished") == []

    def test_it_kills_a_worker_that_does_not_end_in_time(self, start, place):
        run = start(worker=STUBBORN, stop_limit=1)
        run.wait_for("the summary")
        run.press_ctrl_c()
        assert run.end() == 0
        assert processes_of(place / "var") == {}

    def test_it_ends_at_once_when_asked_again(self, start, place):
        run = start(worker=STUBBORN, stop_limit=600)
        run.wait_for("the summary")
        run.press_ctrl_c()
        run.wait_for("Stopping")
        assert not eventually(lambda: run.process.poll() is not None, limit=0.5)
        run.press_ctrl_c()
        assert run.end() == 0
        assert processes_of(place / "var") == {}

    def test_it_takes_the_children_of_its_processes_along(self, start, place):
        fork = "import os, time; os.fork(); time.sleep(600)"
        run = start(worker=f"import signal; signal.signal(15, lambda *_: exit()); {fork}")
        run.wait_for("the summary")
        os.kill(run.process_of("worker"), signal.SIGKILL)
        run.wait_for("worker starts again")
        run.press_ctrl_c()
        assert run.end() == 0
        assert processes_of(place / "var") == {}


class TestFaults:
    def test_it_leaves_nothing_behind_when_killed(self, start, place):
        run = start()
        run.wait_for("the summary")
        run.process.kill()
        assert eventually(lambda: processes_of(place / "var") == {})

    def test_it_starts_again_after_everything_was_killed(self, start, place):
        run = start()
        run.wait_for("the summary")
        query(run.url, "CREATE TABLE committed ()")
        kill_everything_of(place / "var")
        run.end()
        start().wait_for("the summary")
        assert query(run.url, "SELECT FROM committed") == []

    def test_it_restarts_a_process_that_was_killed_and_says_which(self, start, place):
        run = start(worker="import time; print('its last words'); time.sleep(600)")
        run.wait_for("the summary")
        assert eventually(lambda: "words" in (place / "var/log/worker.log").read_text())
        killed = run.process_of("worker")
        os.kill(killed, signal.SIGKILL)
        run.wait_for("worker stopped unexpectedly (ended by SIGKILL)")
        run.wait_for("  its last words")
        run.wait_for("worker starts again")
        assert eventually(lambda: len((place / "var/log/worker.log").read_text().split("\n")) == 3)
        assert run.process_of("worker") != killed

    def test_it_restarts_a_killed_database(self, start, place):
        run = start()
        run.wait_for("the summary")
        pid_file = place / "var" / "postgres" / "postmaster.pid"
        os.kill(int(pid_file.read_text().split("\n")[0]), signal.SIGKILL)
        run.wait_for("The database stopped unexpectedly")

        def is_back() -> bool:
            try:
                return query(run.url, "SELECT 1") == [(1,)]
            except psycopg.OperationalError:
                return False

        assert eventually(is_back)

    def test_it_gives_up_on_a_process_that_does_not_stay_up(self, start, place):
        run = start(beat="raise SystemExit('no schedule')")
        assert run.end() == 1
        assert "beat does not stay up (4 times in a row)" in run.output
        assert "  no schedule\n" in run.output
        assert processes_of(place / "var") == {}

    def test_it_repeats_warnings_and_errors_of_the_worker_only(self, start):
        log = "print('[x: INFO/Main] fine'); print('[x: ERROR/Main] broken'); time.sleep(600)"
        run = start(worker=f"import time; {log}")
        run.wait_for("worker: [x: ERROR/Main] broken")
        assert "fine" not in run.output


class TestPlan:
    def test_it_names_an_address_that_a_browser_on_this_machine_reaches(self):
        assert Address("0.0.0.0", 8001).base_url == "http://127.0.0.1:8001"
        assert Address("::", 8001).base_url == "http://[::1]:8001"
        assert Address("127.0.0.1", 8001).base_url == "http://127.0.0.1:8001"

    def test_it_runs_web_worker_and_beat_of_the_product(self):
        plan = omneo_plan(Address("127.0.0.1", 8001), Path("/srv/var"))
        commands = [plan.web.command, *(program.command for program in plan.background)]
        words = [re.sub(r"^\S+ ", "", " ".join(command)) for command in commands]
        assert words[0].startswith("-m granian --interface wsgi omneo.wsgi:application")
        assert words[1].startswith("-m celery -A omneo worker")
        assert words[2].startswith("-m celery -A omneo beat --schedule /srv/var/")

"""The embedded server: where it runs, how it recovers, what it says when it cannot."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import dj_database_url
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from omneo.embedded import places, postgres
from omneo.embedded.postgres import (
    AlreadyRunningError,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    database_url,
    socket_directory,
    throw_away_postgres,
)
from tests.embedded.helpers import (
    CHECKOUT,
    eventually,
    kill_everything_of,
    processes_naming,
    processes_of,
    query,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
START = """
import sys, time
from pathlib import Path
from omneo.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print("up", flush=True)
time.sleep(600)
"""


def server_in_another_process(data: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(data)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def refusal(server: EmbeddedPostgres) -> str:
    """The one line that a start refuses with."""
    with pytest.raises(EmbeddedPostgresError) as caught:
        server.start()
    message = str(caught.value)
    assert "\n" not in message
    return message


class TestUrl:
    def test_it_is_understood_by_psycopg_and_by_django(self):
        data = Path("/srv/omneo/var/postgres")
        folder = str(socket_directory(data))
        expected = {"user": "postgres", "host": folder, "port": "5432", "dbname": "omneo"}
        assert conninfo_to_dict(database_url(data)) == expected
        settings = dj_database_url.parse(database_url(data))
        assert (settings["HOST"], settings["PORT"], settings["NAME"]) == (folder, 5432, "omneo")

    def test_it_touches_nothing(self, place):
        database_url(place / "var" / "postgres")
        assert list(place.iterdir()) == []

    def test_it_is_the_same_through_a_symbolic_link_to_the_checkout(self, place):
        (place / "real").mkdir()
        (place / "link").symlink_to("real")
        assert database_url(place / "link" / "postgres") == database_url(place / "real/postgres")

    def test_it_differs_between_checkouts(self, place):
        assert database_url(place / "a" / "postgres") != database_url(place / "b" / "postgres")


class TestServer:
    def test_it_keeps_the_data_from_one_start_to_the_next(self, place):
        with EmbeddedPostgres(place / "postgres") as server:
            query(server.url, "CREATE TABLE kept AS SELECT 1 AS one")
        with EmbeddedPostgres(place / "postgres") as server:
            assert query(server.url, "SELECT one FROM kept") == [(1,)]

    def test_it_leaves_no_process_and_no_socket_behind(self, place, data):
        with EmbeddedPostgres(data):
            assert processes_of(place)
        assert processes_of(place) == {}
        assert not socket_directory(data).exists()

    def test_it_is_durable_has_utf8_and_utc_and_listens_on_its_private_socket_only(self, data):
        with EmbeddedPostgres(data) as server:
            rows = query(
                server.url,
                "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes',"
                " 'synchronous_commit', 'listen_addresses', 'server_encoding', 'TimeZone', 'jit')",
            )
            mode = socket_directory(data).stat().st_mode
        assert dict(rows) == {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
            "jit": "off",
        }
        assert stat.S_IMODE(mode) == 0o700

    def test_it_takes_settings(self, data):
        with EmbeddedPostgres(data, settings={"work_mem": "7MB"}) as server:
            assert query(server.url, "SHOW work_mem") == [("7MB",)]

    def test_it_ignores_settings_of_other_servers_in_the_environment(self, data, monkeypatch):
        monkeypatch.setenv("PGPORT", "6543")
        monkeypatch.setenv("PGDATA", "/nowhere")
        with EmbeddedPostgres(data) as server:
            assert query(server.url, "SHOW port") == [("5432",)]

    def test_it_runs_in_a_path_longer_than_a_socket_may_have(self, place):
        data = place.joinpath(*["a long name, with 'quotes' and “spaces” in it" * 2] * 3) / "data"
        assert len(bytes(data)) > 250
        with EmbeddedPostgres(data) as server:
            assert query(server.url, "SELECT 1") == [(1,)]

    def test_it_is_refused_to_a_second_process(self, data):
        other = server_in_another_process(data)
        with pytest.raises(AlreadyRunningError, match=f"process {other.pid}"):
            EmbeddedPostgres(data).start()
        end(other)


class TestThrowAwayServer:
    def test_it_is_fast_rather_than_durable_and_gone_afterwards(self, place):
        with throw_away_postgres(place / "test") as server:
            assert query(server.url, "SHOW fsync") == [("off",)]
            query(server.url, "CREATE TABLE thrown_away ()")
        assert not (place / "test").exists()
        assert processes_of(place) == {}

    def test_it_gets_a_place_of_its_own_beside_another_one(self, place):
        with throw_away_postgres(place / "test") as one, throw_away_postgres(place / "test") as two:
            assert one.url != two.url
            assert query(one.url, "SELECT 1") == query(two.url, "SELECT 1")

    def test_it_starts_empty_where_a_killed_one_left_its_data(self, place):
        (place / "test").mkdir()
        (place / "test" / "PG_VERSION").write_text("18\n")
        with throw_away_postgres(place / "test") as server:
            assert query(server.url, "SELECT 1") == [(1,)]


class TestRecovery:
    def test_it_ends_when_its_starter_is_killed(self, place, data):
        starter = server_in_another_process(data)
        end(starter)
        assert eventually(lambda: processes_of(place) == {})

    def test_it_starts_again_after_everything_was_killed_at_once(self, place, data):
        starter = server_in_another_process(data)
        query(database_url(data), "CREATE TABLE committed ()")
        kill_everything_of(place)
        starter.communicate()
        assert (data / "postmaster.pid").exists()
        with EmbeddedPostgres(data) as server:
            assert query(server.url, "SELECT count(*) FROM committed") == [(0,)]

    def test_it_starts_again_where_a_reboot_gave_its_process_id_to_another(self, data):
        bystander = subprocess.Popen(["sleep", "60"])
        (data / "postmaster.pid").write_text(f"{bystander.pid}\n")
        with EmbeddedPostgres(data) as server:
            assert query(server.url, "SELECT 1") == [(1,)]
        assert bystander.poll() is None
        bystander.kill()
        bystander.wait()

    def test_it_ends_a_server_that_outlived_its_starter(self, data):
        outliving = EmbeddedPostgres(data)
        outliving.start()
        first = outliving._process
        outliving._lock.close()  # what the kernel does for a killed process
        with EmbeddedPostgres(data) as server:
            assert first.poll() is not None
            assert query(server.url, "SELECT 1") == [(1,)]

    def test_it_starts_again_after_its_postmaster_was_killed_while_a_query_ran(self, data):
        server = EmbeddedPostgres(data)
        server.start()
        connection = psycopg.connect(server.url)
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000)")
        server._process.send_signal(signal.SIGKILL)
        assert eventually(lambda: not server.is_running)
        server.start()
        assert query(server.url, "SELECT 1") == [(1,)]
        server.stop()
        connection.close()

    def test_it_makes_the_data_anew_after_their_making_was_interrupted(self, place):
        (place / "postgres.new" / "base").mkdir(parents=True)
        with EmbeddedPostgres(place / "postgres") as server:
            assert query(server.url, "SELECT 1") == [(1,)]
        assert not (place / "postgres.new").exists()


class TestRefusal:
    def test_it_names_the_broken_data_directory_the_reason_and_the_log(self, place, data):
        (data / "global" / "pg_control").unlink()
        message = refusal(EmbeddedPostgres(data))
        assert "pg_control" in message
        assert f"rename or remove {place}/postgres" in message
        assert f"{place}/log/postgres.log" in message
        assert processes_of(place) == {}

    def test_it_leaves_alone_a_directory_that_holds_something_else(self, place):
        (place / "postgres").mkdir()
        (place / "postgres" / "letters.txt").write_text("private")
        message = refusal(EmbeddedPostgres(place / "postgres"))
        assert "holds no database of PostgreSQL" in message
        assert (place / "postgres" / "letters.txt").read_text() == "private"

    def test_it_names_the_version_that_made_the_data(self, place):
        (place / "postgres").mkdir()
        (place / "postgres" / "PG_VERSION").write_text("14\n")
        assert "was made by PostgreSQL 14, this is 18" in refusal(
            EmbeddedPostgres(place / "postgres")
        )

    def test_it_says_what_postgresql_says_about_a_bad_setting(self, data):
        server = EmbeddedPostgres(data, settings={"shared_buffers": "lots"})
        assert "shared_buffers" in refusal(server)

    def test_it_says_that_the_disk_is_full(self, place, monkeypatch):
        nearly_full = shutil.disk_usage(place)._replace(free=7 * 1024 * 1024)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
        assert "has 7 MB left" in refusal(EmbeddedPostgres(place / "postgres"))

    def test_it_may_start_after_the_refusal_was_heeded(self, place):
        server = EmbeddedPostgres(place / "postgres")
        (place / "postgres").mkdir()
        (place / "postgres" / "letters.txt").touch()
        refusal(server)
        (place / "postgres" / "letters.txt").unlink()
        with server:
            assert query(server.url, "SELECT 1") == [(1,)]

    @needs_root
    def test_it_does_not_use_a_socket_folder_of_another_user(self, place):
        folder = socket_directory(place / "postgres")
        folder.mkdir()
        os.chown(folder, 12345, 12345)
        assert f"{folder} is taken by another user" in refusal(EmbeddedPostgres(place / "postgres"))
        folder.rmdir()

    def test_it_does_not_follow_a_link_in_the_place_of_its_socket_folder(self, place):
        folder = socket_directory(place / "postgres")
        folder.symlink_to(place)
        assert f"{folder} is taken by another user" in refusal(EmbeddedPostgres(place / "postgres"))
        folder.unlink()


@needs_root
class TestStartedByRoot:
    @pytest.fixture
    def closed(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A folder that only root can enter, and a stand-in for /var/lib."""
        (place / "lib").mkdir()
        monkeypatch.setattr(places, "SYSTEM_STATE", place / "lib")
        (place / "closed").mkdir(mode=0o700)
        return place / "closed"

    def owner_of_server(self, place: Path) -> str:
        return {
            pwd.getpwuid(Path(f"/proc/{process}").stat().st_uid).pw_name
            for process in processes_naming(str(place))
        }.pop()

    def test_it_runs_as_nobody(self, place, data):
        with EmbeddedPostgres(data) as server:
            assert self.owner_of_server(place) == "nobody"
            assert server.location == data

    def test_it_runs_as_the_owner_of_existing_data(self, place, data):
        daemon = pwd.getpwnam("daemon")
        for path in [data, *(data).rglob("*")]:
            os.chown(path, daemon.pw_uid, daemon.pw_gid)
        with EmbeddedPostgres(data):
            assert self.owner_of_server(place) == "daemon"

    def test_it_keeps_the_data_elsewhere_if_others_cannot_enter_the_checkout(self, place, closed):
        with EmbeddedPostgres(closed / "postgres") as server:
            query(server.url, "CREATE TABLE kept ()")
            assert server.url == database_url(closed / "postgres")
            assert server.location.is_relative_to(place / "lib")
        with EmbeddedPostgres(closed / "postgres") as server:
            query(server.url, "SELECT FROM kept")
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert (closed / "postgres").readlink() == server.location

    def test_it_finds_the_data_again_when_the_folders_were_opened_since(self, closed):
        with EmbeddedPostgres(closed / "postgres") as server:
            query(server.url, "CREATE TABLE kept ()")
        closed.chmod(0o755)
        with EmbeddedPostgres(closed / "postgres") as server:
            assert query(server.url, "SELECT FROM kept") == []

    def test_it_says_so_if_the_folders_of_existing_data_were_closed_since(self, closed):
        closed.chmod(0o755)
        with EmbeddedPostgres(closed / "postgres"):
            pass
        closed.chmod(0o700)
        message = refusal(EmbeddedPostgres(closed / "postgres"))
        assert f"user nobody cannot reach {closed}/postgres" in message

    def test_it_copies_the_programs_once_if_others_cannot_run_the_wheels(
        self, place, data, closed, monkeypatch
    ):
        wheel = places.wheel_directory()
        hidden = closed / wheel.name
        hidden.symlink_to(wheel)
        (closed / f"{wheel.name}.libs").symlink_to(wheel.with_name(f"{wheel.name}.libs"))
        monkeypatch.setattr(places, "wheel_directory", lambda: hidden)
        before = os.umask(0o077)
        try:
            with EmbeddedPostgres(data) as server:
                assert query(server.url, "SELECT 1") == [(1,)]
        finally:
            os.umask(before)
        copied = next((place / "lib").rglob("bin/postgres"))
        made = copied.stat().st_ctime_ns
        with EmbeddedPostgres(data):
            assert any(str(copied) in title for title in processes_of(place).values())
        assert copied.stat().st_ctime_ns == made


@needs_root
class TestStartedByOrdinaryUser:
    def test_it_needs_no_place_but_its_own_and_tmp(self, place):
        ordinary = places.server_account(place / "none")
        if not ordinary.can_execute(Path(sys.executable)):
            pytest.skip("this Python is where other users cannot run it")
        (place / "postgres").parent.chmod(0o700)
        ordinary.own(place)
        program = START.replace("time.sleep(600)", "server.stop()")
        finished = subprocess.run(
            [sys.executable, "-c", program, str(place / "postgres")],
            cwd=CHECKOUT,
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            **ordinary.popen_arguments(),
        )
        assert finished.stdout == "up\n"

    def test_it_says_who_owns_data_made_by_root(self, data, monkeypatch):
        someone = places.Account("someone", 12345, 12345, is_caller=True)
        monkeypatch.setattr(postgres, "server_account", lambda _: someone)
        assert "belongs to user nobody" in refusal(EmbeddedPostgres(data))

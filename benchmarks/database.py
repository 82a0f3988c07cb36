"""The benchmarks' own PostgreSQL server, and a database a size of retailer on it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone
from psycopg import sql

from benchmarks import data
from benchmarks.progress import timed
from omneo.embedded.postgres import DATABASE, EmbeddedPostgres

MEBIBYTE = 1024 * 1024
MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MEBIBYTE

SETTINGS = {
    "shared_buffers": f"{min(MEMORY // 4, 4096)}MB",
    "effective_cache_size": f"{MEMORY // 2}MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    # Tables are vacuumed before each measurement instead, lest it falls into one arm of a pair.
    "autovacuum": "off",
}


class Databases:
    """The databases of one server. The one in use is the one that Django's connections lead to."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server

    @property
    def postmaster(self) -> int:
        """The server's first process; each connection's is a child of it."""
        return int((self.server.location / "postmaster.pid").read_text().split()[0])

    @property
    def url(self) -> str:
        """Where the database in use is."""
        return self.server.url.removesuffix(DATABASE) + connection.settings_dict["NAME"]

    def use_retailer(self, profiles: int) -> None:
        """Work on a retailer of that many profiles, made up at the first use and then kept."""
        name = _name(profiles)
        if not self._exists(name):
            self._make(name, profiles)
        self._lead_to(name)
        call_command("migrate", verbosity=0)

    @contextmanager
    def copy_of_retailer(self, profiles: int) -> Iterator[None]:
        """Work on a copy, to be changed at will, that is gone afterwards."""
        self.use_retailer(profiles)
        original = _name(profiles)
        copy = f"{original}_copy"
        self._drop(copy)
        with timed(f"copying the retailer of {profiles:,} profiles"):
            self._administer(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(copy), sql.Identifier(original)
                )
            )
        self._lead_to(copy)
        try:
            yield
        finally:
            self._lead_to(original)
            self._drop(copy)

    def _make(self, name: str, profiles: int) -> None:
        for former in self._names(f"retailer\\_{profiles}\\_%"):
            self._drop(former)
        unfinished = f"{name}_unfinished"
        self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
        self._lead_to(unfinished)
        with timed(f"making up a retailer of {profiles:,} profiles"):
            call_command("migrate", verbosity=0)
            data.generate(profiles=profiles, moment=timezone.now())
        self._lead_to(DATABASE)
        self._administer(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(unfinished), sql.Identifier(name)
            )
        )

    def _lead_to(self, name: str) -> None:
        connections.close_all()
        connection.settings_dict["NAME"] = name

    def _exists(self, name: str) -> bool:
        return name in self._names(name)

    def _names(self, pattern: str) -> list[str]:
        with psycopg.connect(self.server.url) as administration:
            query = "SELECT datname FROM pg_database WHERE datname LIKE %s"
            return [name for (name,) in administration.execute(query, [pattern])]

    def _drop(self, name: str) -> None:
        self._administer(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def _administer(self, statement: sql.Composed) -> None:
        connections.close_all()
        with psycopg.connect(self.server.url, autocommit=True) as administration:
            administration.execute(statement)


def _name(profiles: int) -> str:
    """The name of a retailer's database; another when what makes it up has changed."""
    source = Path(data.__file__).read_bytes()
    return f"retailer_{profiles}_{hashlib.sha256(source).hexdigest()[:8]}"


@contextmanager
def running_databases(data_directory: Path) -> Iterator[Databases]:
    """Run a server whose data stay there, and let Django's connections lead to it."""
    with EmbeddedPostgres(data_directory, settings=SETTINGS) as server:
        os.environ["DATABASE_URL"] = server.url
        try:
            yield Databases(server)
        finally:
            connections.close_all()


def settle(*tables: str) -> None:
    """Leave no work behind that would fall into what is measured next."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("CHECKPOINT")


def execute(statement: str, parameters: object = None) -> list[tuple]:
    """Run a statement; return its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

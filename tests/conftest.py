"""What every test stands on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connection
from hypothesis import settings
from pytest_django import DjangoDbBlocker

from omneo.celery import app
from tests.factories import utc
from tests.messages import GIVEN_BROKER
from tests.migrated import bring_back, rows_of_migrations

# Examples meet a real database, so that their time says nothing.
settings.register_profile("fast", deadline=None, print_blob=True)
settings.register_profile("thorough", settings.get_profile("fast"), max_examples=1000)
settings.load_profile(os.environ.get("OMNEO_HYPOTHESIS", "fast"))

# A broker of the environment is for the tests that say so: it would go before what the others set.
if broker := os.environ.pop("CELERY_BROKER_URL", ""):
    os.environ[GIVEN_BROKER] = broker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that commit find the rows of the migrations, which the test before flushed."""
    keeps_rows = pytest.mark.django_db(transaction=True, serialized_rollback=True)
    for item in items:
        marker = item.get_closest_marker("django_db")
        commits = marker and marker.kwargs.get("transaction")
        if commits or {"transactional_db", "live_server"} & set(item.fixturenames):
            item.add_marker(keeps_rows, append=False)


@pytest.fixture(scope="session", autouse=True)
def _signals_reach_children() -> None:
    """Let started processes be stopped, also where the tests run in the background or by nohup.

    A signal that is ignored stays so in every process that is started.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _messages_stay_in_memory() -> Iterator[None]:
    """Let nudges go nowhere: a test that needs a worker starts one with a broker of its own."""
    broker = app.conf.broker_url
    app.conf.broker_url = "memory://"
    yield
    app.conf.broker_url = broker


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Bring the rows of the migrations back by COPY: Django saves one after the other."""
    with django_db_blocker.unblock():
        kept = rows_of_migrations()
    connection.creation.deserialize_db_from_string = lambda _: bring_back(kept)


@pytest.fixture(scope="module")
def swept(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Sweep up after a module of very many rows: rolled back, they still slow all that follows."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


@pytest.fixture
def moment() -> datetime:
    """A now to calculate at."""
    return utc("2025-07-01 12:00")

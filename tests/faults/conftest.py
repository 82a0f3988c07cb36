"""Real processes with a broker of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from aggregations.nudge import nudge
from omneo.embedded.postgres import database_url
from tests import messages
from tests.concurrency import Session, another_session
from tests.faults import brokers
from tests.faults.brokers import Broker
from tests.faults.crew import Crew


@pytest.fixture(autouse=True)
def _heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no failure of another test keep the messages back."""
    monkeypatch.setattr(nudge, "_silent_until", 0.0)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def environment(django_db_setup: None, directory: Path) -> dict[str, str]:
    """What makes a process of the product work for these tests alone."""
    url = os.environ.get("DATABASE_URL") or database_url(settings.VAR_DIR / "postgres")
    test_database = urlsplit(url)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    own = {"DATABASE_URL": test_database, "OMNEO_VAR": str(directory), "CELERY_BROKER_URL": ""}
    return os.environ | own


@pytest.fixture(scope="module")
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    """The broker that a test names, where this process sends its messages to as well."""
    make = getattr(brokers, getattr(request, "param", "folder"))
    with (
        make(tmp_path_factory.mktemp("broker")) as broker,
        messages.sent_to(broker.url, queue=broker.queue, **broker.transport_options),
    ):
        yield broker


@pytest.fixture(scope="module")
def crew_of_module(
    environment: dict[str, str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crew]:
    crew = Crew(tmp_path_factory.mktemp("crew"), environment, broker)
    yield crew
    crew.end()


@pytest.fixture
def crew(transactional_db: None, crew_of_module: Crew) -> Iterator[Crew]:
    """The processes of a test."""
    yield crew_of_module
    crew_of_module.stand_by()


@pytest.fixture
def session(transactional_db: None) -> Iterator[Session]:
    with another_session() as session:
        yield session

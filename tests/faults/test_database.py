"""What becomes of sales and of answers when the database goes away and comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import dj_database_url
import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from aggregations.calculation import recalculate
from aggregations.models import Freshness, RecalculationRequest
from omneo.api.models import SCOPES, ApiToken
from omneo.embedded.postgres import EmbeddedPostgres
from profiles.models import Profile
from tests.concurrency import Session
from tests.embedded.helpers import temporary_place
from tests.factories import TransactionFactory
from tests.faults.brokers import Broker, over_each
from tests.faults.crew import Crew
from tests.faults.witness import blocked, cut, eventually, nobody_waits, wrong_rows

pytestmark = [pytest.mark.django_db(transaction=True), over_each]

ADDRESS = ("HOST", "PORT", "NAME", "USER", "PASSWORD")
THREADS = 4  # of the web process, each with a connection of its own


class Reader:
    """Somebody who reads a profile's aggregations from a web process."""

    def __init__(self, crew: Crew, profile: Profile) -> None:
        user = User.objects.create(username=f"reader of {profile.pk}")
        token = ApiToken.objects.create(user, name="Reader", scopes=SCOPES)[1]
        self._headers = {"Authorization": f"Bearer {token}"}
        self._url = f"{crew.address.base_url}/api/v3/profiles/{profile.pk}/aggregations"

    def is_answered(self) -> bool:
        try:
            return self.read()[0] == 200
        except OSError:
            return False

    def read(self, path: str = "") -> tuple[int, dict]:
        try:
            with urlopen(Request(self._url + path, headers=self._headers), timeout=20) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture
def reader(crew: Crew, session: Session) -> Reader:
    """Somebody who reads a row, which the session holds so that it cannot be recalculated."""
    profile = TransactionFactory().profile
    recalculate(profile_ids=[profile.pk], moment=timezone.now())
    crew.start("web")
    reader = Reader(crew, profile)
    assert eventually(reader.is_answered)
    session.begin()
    session.do(lambda: list(Freshness.objects.select_for_update()))
    return reader


def test_connections_of_the_web_process_that_are_cut_cost_the_request_in_hand_alone(
    reader, session
):
    with ThreadPoolExecutor(1) as thread:
        in_hand = thread.submit(reader.read, "/calculate")
        session.wait_until_blocking()

        assert cut("application_name = '' AND state <> 'idle in transaction'")
        assert in_hand.result(timeout=20) == (500, {"message": "Server error."})
    session.commit()

    assert reader.read()[0] == 200
    assert reader.read("/calculate")[0] == 200
    assert wrong_rows() == []


def test_connections_of_the_web_process_that_are_cut_while_idle_cost_no_request(reader, session):
    with ThreadPoolExecutor(THREADS) as clients:
        in_hand = [clients.submit(reader.read, "/calculate") for _ in range(THREADS)]
        assert eventually(lambda: len(blocked()) == THREADS)
        session.commit()
        assert {each.result(timeout=20)[0] for each in in_hand} == {200}

        assert len(cut("application_name = '' AND state = 'idle'")) >= THREADS
        answers = list(clients.map(lambda _: reader.read(), range(3 * THREADS)))

    assert {status for status, _ in answers} == {200}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server that may be stopped. What a test leaves in it is there for the next one."""
    with (
        temporary_place() as place,
        EmbeddedPostgres(place / "postgres", settings={"fsync": "off"}) as server,
    ):
        yield server


@pytest.fixture
def own_database(transactional_db: None, server: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """The server, with the product's tables, in place of the tests'."""
    before = connection.settings_dict.copy()
    address = dj_database_url.parse(server.url)
    connection.close()
    connection.settings_dict |= {name: address[name] for name in ADDRESS}
    try:
        call_command("migrate", verbosity=0)
        yield server
    finally:
        connection.close()
        connection.settings_dict |= before


@pytest.fixture
def own_crew(
    own_database: EmbeddedPostgres, environment: dict[str, str], broker: Broker, tmp_path: Path
) -> Iterator[Crew]:
    crew = Crew(tmp_path, environment | {"DATABASE_URL": own_database.url}, broker)
    yield crew
    crew.end()


def test_a_crash_of_the_database_costs_what_was_in_hand_alone(own_crew, own_database):
    web, worker = own_crew.start("web"), own_crew.worker()
    profile = TransactionFactory().profile
    assert eventually(nobody_waits)
    reader = Reader(own_crew, profile)
    assert eventually(reader.is_answered)
    holder = psycopg.connect(own_database.url)
    holder.execute("LOCK TABLE aggregations_freshness")
    TransactionFactory(profile=profile)
    assert eventually(blocked)

    own_database.stop(at_once=True)
    assert reader.read() == (500, {"message": "Server error."})
    own_database.start()
    connection.close()
    holder.close()

    assert reader.read()[0] == 200
    assert RecalculationRequest.objects.filter(profile_id=profile.pk).exists()
    TransactionFactory()
    assert eventually(nobody_waits)
    assert wrong_rows() == []
    assert reader.read()[1]["data"]["shop_count"] == 2
    assert web.is_there
    assert worker.is_there

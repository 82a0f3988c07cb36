"""What server and worker write to their logs: what went wrong and where, and not to whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from aggregations.models import RecalculationRequest
from profiles.models import Profile, ProfileBatchRow, QueuedTransaction
from tests.embedded.helpers import eventually
from tests.http.server import Client, Server, background, environment, running

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = ["Adelheid", "adelheid@example.com", "+61400999111", "CARD-4711", "Hidden Lane", "secret"]
BODY = {
    "first_name": "Adelheid",
    "email": "adelheid@example.com",
    "mobile_phone": "+61400999111",
    "identities": [{"handle": "card", "identifier": "CARD-4711"}],
    "addresses": [{"address_line_1": "1 Hidden Lane", "iso": "AU"}],
}
SALE = {
    "profile_id": "CARD-4711",
    "profile_id_handle": "card",
    "total": 10,
    "meta": {"to": "Adelheid"},
    "items": [{"name": "Letter paper", "brand": "By Adelheid"}],
}
RAISE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION USING MESSAGE = {message}, DETAIL = NEW::text, ERRCODE = '{code}';
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON profiles_profile FOR EACH ROW EXECUTE FUNCTION refuse()
"""


@contextmanager
def fault(cause: str, undo: str) -> Iterator[None]:
    """Let the database refuse something for a while."""
    with connection.cursor() as cursor:
        cursor.execute(cause)
    yield
    with connection.cursor() as cursor:
        cursor.execute(undo)


def raising(message: str, code: str) -> Any:
    return fault(RAISE.format(message=message, code=code), "DROP FUNCTION refuse CASCADE")


def refusing(table: str, check: str) -> Any:
    return fault(
        f"ALTER TABLE {table} ADD CONSTRAINT refusal CHECK ({check}) NOT VALID",
        f"ALTER TABLE {table} DROP CONSTRAINT refusal",
    )


@pytest.fixture
def worker_log(server: Server, transactional_db: None) -> Iterator[Path]:
    variable = server.log.parent
    log = variable / "worker.log"
    with running(background("worker", variable), log, environment(variable)):
        assert eventually(lambda: b"ready." in log.read_bytes(), limit=60), log.read_text()
        yield log


def test_logs_tell_faults_and_no_names(server: Server, client: Client, worker_log: Path):
    with raising("NEW.email", "P0001"):
        assert client.post("/profiles", BODY).status == 500
    with refusing("profiles_profile", "email IS NULL"):
        assert client.post("/profiles", BODY).status == 422
    key = client.post("/profiles", BODY).data["id"]
    assert client.post("/profiles", BODY).status == 422
    with refusing("profiles_transaction", "total < 0"):
        assert client.post("/transactions/update-create", SALE).status == 422
    with refusing("aggregations_aggregation", "purchased_brands = '{}'"):
        assert client.post("/transactions/update-create", SALE).status == 201
        assert eventually(RecalculationRequest.objects.exclude(error="").exists)
        assert client.post(f"/profiles/{key}/aggregations/calculate", {}).status == 422
    queued = SALE | {"external_id": "secret", "currency": "NOPE"}
    assert client.post("/transactions/queue", queued).status == 202
    assert eventually(QueuedTransaction.objects.exclude(errors=None).exists)
    batch = {"match_criteria": "email", "profiles": [BODY | {"email": "x@example.com"}]}
    waiting = ProfileBatchRow.objects.filter(status="waiting")
    with raising("'this row is refused'", "P0001"):
        assert client.post("/profiles/batch", batch).status == 202
        assert eventually(lambda: not waiting.exists())
    with raising("'no more of these'", "57014"):
        assert client.post("/profiles/batch", batch).status == 202
        assert eventually(lambda: b"import_batches" in failures(worker_log))
        assert waiting.exists()
    hidden = "profiles_identity"
    with fault(f"ALTER TABLE {hidden} RENAME TO away", f"ALTER TABLE away RENAME TO {hidden}"):
        path = "/identities/search-profile/CARD-4711?filter[email]=adelheid@example.com"
        assert client.get(path).status == 500
        assert client.post("/profiles/search-id", {"type": "card", "id": "secret"}).status == 500

    web, worker = server.log.read_text(), worker_log.read_text()
    for evidence in ("P0001", "refusal", "42P01", "identities/search-profile/(?P", "Traceback"):
        assert evidence in web
    for evidence in ("refusal", "aggregations_aggregation", "P0001", "57014", "Traceback"):
        assert evidence in worker
    assert Profile.objects.filter(first_name="Adelheid").exists()
    for word in WORDS:
        assert word.lower() not in web.lower()
        assert word.lower() not in worker.lower()


def failures(log: Path) -> bytes:
    """Return the lines in which a worker says that a task failed."""
    return b"\n".join(line for line in log.read_bytes().splitlines() if b"raised" in line)

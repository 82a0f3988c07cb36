"""Bodies that come in chunks, without a length, over the web server as it is deployed."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from locations.models import Brand
from omneo.embedded.postgres import database_url
from omneo.embedded.processes import signal_group, spawn
from tests.embedded.helpers import CHECKOUT, eventually, unused_port

LIMIT = 1000  # bytes
BRAND = {"name": "Acme", "handle": "acme"}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def port(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where a server listens that works on the database of the tests."""
    url = os.environ.get("DATABASE_URL") or database_url(settings.VAR_DIR / "postgres")
    test_database = urlsplit(url)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    own = {
        "DATABASE_URL": test_database,
        "OMNEO_API_MAX_BODY_BYTES": str(LIMIT),
        "OMNEO_VAR": str(tmp_path_factory.mktemp("var")),
        "CELERY_BROKER_URL": "",
    }
    port = unused_port()
    server = [Path(sys.executable).with_name("granian"), "--interface", "wsgi"]
    address = ["--host", "127.0.0.1", "--port", str(port)]
    process = spawn(
        [*server, "omneo.wsgi:application", *address],
        directory=CHECKOUT,
        environment=os.environ | own,
    )
    try:
        assert eventually(lambda: _answers(port), limit=60)
        yield port
    finally:
        signal_group(process.pid, signal.SIGTERM)
        process.wait()


@pytest.fixture
def post(port: int, create_token: Callable[..., str]) -> Callable[..., tuple[int, dict]]:
    """Return the function that posts a brand in these chunks and returns what it is told."""
    token = create_token()

    def post(*chunks: bytes) -> tuple[int, dict]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
            # Something to iterate over has no length that the client could send.
            client.request("POST", "/api/v3/brands", iter(chunks), headers, encode_chunked=True)
            response = client.getresponse()
            return response.status, json.load(response)

    return post


def test_a_body_in_chunks_is_read_to_its_end(post: Callable[..., tuple[int, dict]]):
    body = json.dumps(BRAND).encode()

    status, answer = post(body[:5], body[5:20], body[20:])

    assert status == 201, answer
    assert Brand.objects.get().name == "Acme"


def test_a_body_in_chunks_has_the_largest_size_of_all_bodies(
    post: Callable[..., tuple[int, dict]],
):
    body = json.dumps(BRAND).encode().ljust(LIMIT)
    assert post(body[:600], body[600:])[0] == 201

    status, answer = post(body[:600], body[600:], b" ")

    assert status == 413
    assert answer == {"message": f"The body is larger than {LIMIT} bytes."}


def test_chunks_without_anything_in_them_are_no_body(post: Callable[..., tuple[int, dict]]):
    status, answer = post()

    assert status == 400
    assert answer["message"].startswith("JSON parse error")


def _answers(port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as client:
        try:
            client.request("GET", "/api/v3/openapi.json")
        except ConnectionError:
            return False
        return client.getresponse().status == 200

"""How often a token may ask, counted by all server processes together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults import brokers
from tests.http.server import Client, new_token, serving

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT = 5


@pytest.fixture
def clients(transactional_db: None, tmp_path: Path) -> Iterator[list[Client]]:
    """Clients with one token, each of a server process of its own."""
    token = new_token()
    with ExitStack() as stack:
        cache = stack.enter_context(brokers.redis(tmp_path))
        limited = {"OMNEO_CACHE_URL": cache.url, "OMNEO_API_REQUESTS_PER_MINUTE": str(LIMIT)}
        servers = [stack.enter_context(serving(tmp_path, **limited)) for _ in range(2)]
        yield [server.client(token) for server in servers]


def test_a_token_has_one_count_for_all_processes(clients: list[Client]):
    while True:
        minute = time.time() // 60
        answers = [clients[turn % 2].get("/brands") for turn in range(2 * LIMIT)]
        if time.time() // 60 == minute:
            break  # else the count began anew in between

    assert [answer.status for answer in answers] == [200] * LIMIT + [429] * LIMIT
    for answer in answers[LIMIT:]:
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert list(answer.json) == ["message"]

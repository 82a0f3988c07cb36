"""One server for each module: it stays while tests fill and empty its database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.server import Client, Server, new_token, serving


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The web server of `make run`, on the database of the tests."""
    with serving(tmp_path_factory.mktemp("var")) as server:
        yield server


@pytest.fixture
def client(server: Server, transactional_db: None) -> Client:
    """A client that may do everything."""
    return server.client(new_token())

"""The checks that run before anything else does."""

from __future__ import annotations

import pytest
from django.db import connection

from omneo.checks import postgresql_is_new_enough, secret_key_is_secret


def ids(messages) -> list[str]:
    return [message.id for message in messages]


class TestSecretKey:
    def test_it_may_be_the_known_one_on_a_developers_machine(self, settings):
        settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
        settings.SECRET_KEY = settings.DEVELOPMENT_SECRET_KEY

        assert secret_key_is_secret(None) == []

    def test_it_may_not_be_the_known_one_where_others_are_served(self, settings):
        settings.ALLOWED_HOSTS = ["crm.example.com"]
        settings.SECRET_KEY = settings.DEVELOPMENT_SECRET_KEY

        assert ids(secret_key_is_secret(None)) == ["omneo.E001"]

    def test_it_may_be_a_secret_one_anywhere(self, settings):
        settings.ALLOWED_HOSTS = ["crm.example.com"]
        settings.SECRET_KEY = "8Vq2-long-and-random"

        assert secret_key_is_secret(None) == []


@pytest.mark.django_db
class TestPostgresql:
    def test_the_server_at_hand_is_new_enough(self):
        assert postgresql_is_new_enough(None, databases=["default"]) == []

    def test_an_older_one_is_refused(self, monkeypatch):
        monkeypatch.setattr("omneo.checks.OLDEST_POSTGRESQL", connection.pg_version // 10000 + 1)

        assert ids(postgresql_is_new_enough(None, databases=["default"])) == ["omneo.E002"]

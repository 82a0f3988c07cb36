from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from omneo.api.models import ApiToken

pytestmark = pytest.mark.django_db


@pytest.fixture
def make():
    def make(name: str) -> str:
        user, _ = User.objects.get_or_create(username=name)
        return ApiToken.objects.create(user, name=name)[1]

    return make


def revoke(which: str) -> str:
    output = io.StringIO()
    call_command("revoke_api_token", which, stdout=output)
    return output.getvalue()


def test_it_is_refused_from_then_on(make):
    client = APIClient(headers={"Authorization": f"Bearer {make('Web shop')}"})
    assert client.get("/api/v3/brands").status_code == 200

    revoke("Web shop")

    assert client.get("/api/v3/brands").status_code == 401


def test_it_says_which_was_revoked(make):
    token = make("Web shop")

    assert revoke("Web shop") == f"Revoked: {token[:8]}… (Web shop).\n"


@pytest.mark.parametrize("characters", [8, 15, 64])
def test_it_is_told_by_its_beginning_too(make, characters):
    make("Web shop")
    token = make("Till")

    revoke(token[:characters])

    assert ApiToken.objects.get().name == "Web shop"


def test_one_of_several_of_a_name_must_be_told_by_its_beginning(make):
    first, second = make("Web shop"), make("Web shop")

    with pytest.raises(CommandError, match=f"{first[:8]}….*{second[:8]}…"):
        revoke("Web shop")

    assert ApiToken.objects.count() == 2
    revoke(second[:8])
    assert ApiToken.objects.get().token_key == first[:15]


@pytest.mark.parametrize("which", ["Till", "0" * 7, ""])
def test_one_that_is_not_there_is_an_error(make, which):
    make("Web shop")

    with pytest.raises(CommandError, match="There is no token"):
        revoke(which)

    assert ApiToken.objects.exists()

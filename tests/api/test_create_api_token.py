from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from knox.crypto import hash_token

from omneo.api.models import SCOPES, ApiToken

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> str:
    output = io.StringIO()
    call_command("create_api_token", *arguments, stdout=output, stderr=io.StringIO())
    return output.getvalue()


def test_it_prints_the_token_alone():
    printed = create("Web shop")

    assert ApiToken.objects.get(digest=hash_token(printed.removesuffix("\n"))).name == "Web shop"


def test_the_token_acts_as_a_service_user_that_nobody_can_log_in_as():
    create("Web shop")

    user = ApiToken.objects.get().user
    user.full_clean(exclude=["password"])
    assert user.username == "api.web-shop"
    assert not user.has_usable_password()
    assert not user.is_staff


def test_it_may_do_everything_and_forever_unless_told_otherwise():
    create("Web shop")

    token = ApiToken.objects.get()
    assert (token.scopes, token.expiry) == (SCOPES, None)


def test_it_may_do_only_what_it_was_given():
    create("Web shop", "--scope", "profiles:read", "aggregations:read")

    assert ApiToken.objects.get().scopes == ["aggregations:read", "profiles:read"]


def test_an_unknown_scope_is_refused_with_the_list_of_those_there_are():
    with pytest.raises(CommandError, match=r"aggregations:write.*transactions:write"):
        create("Web shop", "--scope", "everything:read")


def test_it_expires_when_told():
    create("Web shop", "--expires-in-days", "30")

    left = ApiToken.objects.get().expiry - timezone.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


def test_it_cannot_have_expired_from_the_start():
    with pytest.raises(CommandError, match="--expires-in-days must be 1 or more"):
        create("Web shop", "--expires-in-days", "0")


@pytest.mark.parametrize("name", ["Web shop", "web-shop"])
def test_a_name_is_used_once(name: str):
    create("Web shop")

    with pytest.raises(CommandError, match=f"There is a token named {name}"):
        create(name)


def test_a_name_is_free_again_when_its_token_was_deleted():
    create("Web shop")
    ApiToken.objects.all().delete()

    create("Web shop")

    assert ApiToken.objects.get().user.username == "api.web-shop"


@pytest.mark.parametrize("name", ["---", "n" * 101])
def test_a_name_that_says_nothing_or_too_much_is_refused(name: str):
    with pytest.raises(CommandError, match="needs a letter or digit, and 100 characters at most"):
        create("--", name)


def test_a_token_that_would_be_refused_is_not_made():
    User.objects.create_user("api.web-shop", is_active=False)

    with pytest.raises(CommandError, match="not active"):
        create("Web shop")

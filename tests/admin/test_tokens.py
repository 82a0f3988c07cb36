"""Tokens of the API are made, shown once, and revoked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone as clock
from knox.crypto import hash_token

from omneo.api.models import SCOPES, ApiToken
from tests.admin.browser import errors, submit
from tests.admin.conftest import page_of

LIST = "/admin/api/apitoken/"
ADD = f"{LIST}add/"


@pytest.fixture
def token(admin_user: User) -> ApiToken:
    instance, _ = ApiToken.objects.create(user=admin_user, name="web shop")
    return instance


def shown_token(page: str) -> str | None:
    match = re.search(r"<code><strong>(\w+)</strong></code>", page)
    return match and match[1]


def test_a_new_token_is_shown_once(admin_client: Client, admin_user: User):
    assert submit(admin_client, ADD, name="web shop").status_code == 302

    token = shown_token(admin_client.get(LIST).content.decode())
    assert ApiToken.objects.get(digest=hash_token(token)).name == "web shop"
    assert shown_token(admin_client.get(LIST).content.decode()) is None
    assert token not in admin_client.get(page_of(ApiToken.objects.get())).content.decode()


def test_it_may_do_everything_unless_said_otherwise(admin_client: Client):
    submit(admin_client, ADD, name="web shop")

    assert ApiToken.objects.get().scopes == SCOPES


def test_it_belongs_to_who_makes_it(admin_client: Client, admin_user: User):
    submit(admin_client, ADD, name="web shop")

    assert ApiToken.objects.get().user == admin_user


def test_a_superuser_may_make_one_for_another(admin_client: Client):
    robot = User.objects.create(username="robot")

    submit(admin_client, ADD, name="web shop", user=str(robot.pk))

    assert ApiToken.objects.get().user == robot


def test_others_make_tokens_of_their_own(client: Client, admin_user: User):
    maker = User.objects.create(username="maker", is_staff=True)
    maker.user_permissions.set(Permission.objects.filter(content_type__app_label="api"))
    client.force_login(maker)

    submit(client, ADD, name="web shop", user=str(admin_user.pk))

    assert ApiToken.objects.get().user == maker


def test_a_name_needs_no_markup(admin_client: Client):
    submit(admin_client, ADD, name="<b>shop</b>")

    assert "&lt;b&gt;shop&lt;/b&gt;" in admin_client.get(LIST).content.decode()


def test_it_needs_a_scope(admin_client: Client):
    page = submit(admin_client, ADD, name="web shop", scopes=None)

    assert "errorlist" in errors(page)


def test_an_unknown_scope_is_an_error(admin_client: Client):
    page = submit(admin_client, ADD, name="web shop", scopes=["everything"])

    assert "errorlist" in errors(page)


def test_it_cannot_have_expired_before_it_is_made(admin_client: Client):
    page = submit(admin_client, ADD, name="web shop", expiry_0="2020-01-01", expiry_1="00:00")

    assert "That is past already." in errors(page)


def test_name_and_scopes_can_change(admin_client: Client, token: ApiToken):
    submit(admin_client, page_of(token), name="till", scopes=["profiles:read"])

    changed = ApiToken.objects.get()
    assert (changed.name, changed.scopes) == ("till", ["profiles:read"])
    assert (changed.digest, changed.user) == (token.digest, token.user)
    assert shown_token(admin_client.get(LIST).content.decode()) is None


def test_its_user_and_its_secret_cannot_change(admin_client: Client, token: ApiToken):
    robot = User.objects.create(username="robot")

    submit(admin_client, page_of(token), user=str(robot.pk), digest="x", token_key="x")

    assert ApiToken.objects.values().get() == ApiToken.objects.filter(pk=token.pk).values().get()
    assert ApiToken.objects.get().user == token.user


def test_an_expired_one_can_be_renamed(admin_client: Client, token: ApiToken):
    ApiToken.objects.update(expiry=clock.now() - timedelta(days=1))

    assert submit(admin_client, page_of(token), name="old").status_code == 302


def test_deleting_revokes_it(admin_client: Client, token: ApiToken):
    admin_client.post(page_of(token, "delete"), {"post": "yes"})

    assert not ApiToken.objects.exists()

"""Who asks: bearer tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from omneo.api.models import ApiToken
from omneo.db import execute_planned

USE_IS_NOTED_EVERY = timedelta(minutes=1)


class BearerAuthentication(TokenAuthentication):
    """`Authorization: Bearer <token>`: `request.auth` becomes the token, `request.user` its user.

    The token is found by its hash, in one query. An expired one is refused and stays where it is:
    reading deletes nothing.
    """

    def authenticate(self, request: Request) -> tuple[AbstractUser, ApiToken] | None:
        try:
            return super().authenticate(request)
        except UnicodeError as error:
            raise AuthenticationFailed from error

    def authenticate_credentials(self, token: bytes) -> tuple[AbstractUser, ApiToken]:
        found = _find(hash_token(token.decode()))
        if found is None:
            raise AuthenticationFailed
        moment = timezone.now()
        if found.expiry is not None and found.expiry <= moment:
            raise AuthenticationFailed
        user = self.validate_user(found)
        _note_use(found, moment=moment)
        return user


def _find(digest: str) -> ApiToken | None:
    """Return the token with its user, by a statement that is composed and planned once.

    Every request begins with it; the ORM composes it anew each time, which takes longer than all
    the rest of an answer that says that nothing changed.
    """
    statement, of_token, of_user = _lookup()
    with execute_planned(statement, {"digest": digest}) as cursor:
        row = cursor.fetchone()
    if row is None:
        return None
    token = ApiToken.from_db(connection.alias, of_token, row[: len(of_token)])
    token.user = get_user_model().from_db(connection.alias, of_user, row[len(of_token) :])
    return token


@cache
def _lookup() -> tuple[str, list[str], list[str]]:
    found = ApiToken.objects.select_related("user").filter(digest="")
    statement, _ = found.query.sql_with_params()
    statement = statement.replace("%s", "%(digest)s")
    of_token, of_user = (
        [field.attname for field in model._meta.concrete_fields]
        for model in (ApiToken, get_user_model())
    )
    return statement, of_token, of_user


def _note_use(token: ApiToken, *, moment: datetime) -> None:
    """Write when the token was used, unless that was done within the minute."""
    noted_before = moment - USE_IS_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at <= noted_before:
        # Asked again in the statement: many requests see at the same moment that it is time.
        due = Q(last_used_at=None) | Q(last_used_at__lte=noted_before)
        ApiToken.objects.filter(due, pk=token.pk).update(last_used_at=moment)

"""Who asks: bearer tokens."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from omneo.api.models import ApiToken


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
        try:
            found = ApiToken.objects.select_related("user").get(digest=hash_token(token.decode()))
        except ApiToken.DoesNotExist as error:
            raise AuthenticationFailed from error
        if found.expiry is not None and found.expiry <= timezone.now():
            raise AuthenticationFailed
        return self.validate_user(found)

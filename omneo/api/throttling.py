"""How often a token may ask."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:  # the views' module loads this one
    from rest_framework.views import APIView

WINDOW = 60  # seconds


class TokenThrottle(BaseThrottle):
    """So many requests a minute by each token, counted in the cache that the settings name.

    One number a token and minute: it costs the same however many requests there were. Without a
    cache that the processes share, each process counts its own.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        limit = settings.API_REQUESTS_PER_MINUTE
        if request.auth is None or not limit:
            return True
        now = time()
        self.left = WINDOW - now % WINDOW
        key = f"api.requests.{request.auth.pk}.{int(now // WINDOW)}"
        if cache.add(key, 1, timeout=2 * WINDOW):
            return True
        try:
            return cache.incr(key) <= limit
        except ValueError:  # it was put out of the cache between the two
            return True

    def wait(self) -> float:
        return self.left

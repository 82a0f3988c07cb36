"""The WSGI application that the web server runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omneo.settings")

CHUNK = 65_536  # bytes

django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    """Answer a request; a body may come in chunks, whose length nobody knows before its end.

    Django takes a body without a length for an empty one. A server that ends the input where the
    body ends says so, and then there is no more to know than how much is read at most: a byte
    above the limit, which is what the API refuses a body for.
    """
    is_chunked = "HTTP_TRANSFER_ENCODING" in environ and not environ.get("CONTENT_LENGTH")
    ends = environ.get("wsgi.input_terminated")
    if is_chunked and ends:
        environ["CONTENT_LENGTH"] = str(settings.API_MAX_BODY_BYTES + 1)
    answer = django_application(environ, start_response)
    if ends and environ.get("CONTENT_LENGTH"):
        _read_on(environ["wsgi.input"])
    return answer


def _read_on(body: BinaryIO) -> None:
    """Read what nobody asked for, as much again as is taken, before the answer is sent.

    After the answer the server closes a connection that is not read to its end; a client that is
    still sending then has no answer, but an error of its network.
    """
    left = settings.API_MAX_BODY_BYTES
    while left > 0 and (read := body.read(min(left, CHUNK))):
        left -= len(read)

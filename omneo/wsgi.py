"""The WSGI application that the web server runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omneo.settings")

django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    """Answer a request; a body may come in chunks, whose length nobody knows before its end.

    Django takes a body without a length for an empty one. A server that ends the input where the
    body ends says so, and then there is no more to know than how much is read at most: a byte
    above the limit, which is what the API refuses a body for.
    """
    is_chunked = "HTTP_TRANSFER_ENCODING" in environ and not environ.get("CONTENT_LENGTH")
    if is_chunked and environ.get("wsgi.input_terminated"):
        environ["CONTENT_LENGTH"] = str(settings.API_MAX_BODY_BYTES + 1)
    return django_application(environ, start_response)

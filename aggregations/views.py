"""The aggregations of one profile, by the API."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.http import http_date, parse_etags, parse_http_date_safe, quote_etag
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_304_NOT_MODIFIED
from rest_framework.views import APIView

from aggregations.reading import Reading, current, past, recalculated
from aggregations.serializers import AggregationSerializer
from omneo.resources.moments import parse_past, timestamp
from omneo.resources.views import refuse_unknown_parameters
from profiles.models import Profile

AS_OF = "as_of"
NO_SUCH_PROFILE = "There is no such profile."
BODY_VERSION = "1"  # to be raised with every change of what the serializers make of a row

# Made once: to build the fields of all that is nested takes longer than the rest of an answer.
SERIALIZER = AggregationSerializer()

HYPHENATED_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class AggregationView(APIView):
    """The aggregations of a profile, brought up to date with the clock, or as of the past."""

    resource = "aggregations"
    parameters = frozenset({AS_OF})

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unknown_parameters(request, known=self.parameters)

    def get(self, request: Request, profile: str) -> Response:
        return self.answer(request, profile)

    def answer(self, request: Request, profile: str) -> Response:
        moment = timezone.now()
        try:
            reading = self.read(_profile_id(profile), moment)
        except Profile.DoesNotExist as error:
            raise NotFound(NO_SUCH_PROFILE) from error
        if reading.is_deleted:
            raise NotFound(NO_SUCH_PROFILE)
        etag = quote_etag(f"{BODY_VERSION}-{reading.version}")
        headers = _freshness(reading) | {"ETag": etag, "Cache-Control": "private, no-cache"}
        if request.method in SAFE_METHODS and _is_held(request, reading, etag):
            return Response(status=HTTP_304_NOT_MODIFIED, headers=headers)
        if reading.modified_at is not None:
            # Another machine's clock may be ahead of ours, and a change is never in the future.
            headers["Last-Modified"] = http_date(min(reading.modified_at, moment).timestamp())
        return Response(SERIALIZER.to_representation(reading.row), headers=headers)

    def read(self, profile_id: UUID, moment: datetime) -> Reading:
        asked = self.request.query_params.get(AS_OF)
        if asked is None:
            return current(profile_id=profile_id, moment=moment)
        try:
            then = parse_past(asked, now=moment)
        except ValueError as error:
            raise ValidationError({AS_OF: [str(error)]}) from error
        return past(profile_id=profile_id, moment=then)


class CalculateView(AggregationView):
    """The aggregations of a profile, recalculated now.

    The scope to read is enough, whichever method asks: no data of the customer's changes.
    """

    safe_methods = (*SAFE_METHODS, "POST")
    parameters = frozenset()

    def get(self, request: Request, profile: str) -> Response:
        return self.answer(request, profile)

    def post(self, request: Request, profile: str) -> Response:
        return self.answer(request, profile)

    def read(self, profile_id: UUID, moment: datetime) -> Reading:
        return recalculated(profile_id=profile_id, moment=moment)


def _profile_id(text: str) -> UUID:
    if not HYPHENATED_UUID.fullmatch(text):
        raise Profile.DoesNotExist
    return UUID(text)


def _is_held(request: Request, reading: Reading, etag: str) -> bool:
    """Tell whether the client has this version, so that no body needs to be built.

    By its tag where it names one: a time is exact to the second alone.
    """
    if "If-None-Match" in request.headers:
        held = parse_etags(request.headers["If-None-Match"])
        return held == ["*"] or etag in (one.removeprefix("W/") for one in held)
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return (
        since is not None
        and reading.modified_at is not None
        and int(reading.modified_at.timestamp()) <= since
    )


def _freshness(reading: Reading) -> dict[str, str]:
    headers = {
        "Omneo-Calculated-At": timestamp(reading.calculated_at),
        "Omneo-Pending": "true" if reading.is_pending else "false",
    }
    if reading.next_change_at is not None:
        headers["Omneo-Next-Change-At"] = timestamp(reading.next_change_at)
    return headers

"""The rows of all profiles, by the API: a segment is a filter of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from aggregations.filters import SCALARS, SegmentFilterSet
from aggregations.models import Aggregation
from aggregations.overtaken import all_overtaken, brought_forward
from aggregations.parts import Parts
from aggregations.serializers import AggregationSerializer
from aggregations.streaming import (
    COLUMNS,
    SERIALIZER,
    CsvRenderer,
    LinesRenderer,
    StreamRenderer,
)
from omneo.discretion import describe
from omneo.resources.views import ResourceViewSet
from profiles.models import Profile

DELETED = Profile.objects.filter(profile_type=Profile.Type.DELETED)

logger = logging.getLogger(__name__)


class BrokenStreamError(Exception):
    """Raised to the server when a stream fails that has begun."""


class SegmentViewSet(ResourceViewSet):
    """The aggregations of all profiles that are not deleted, true as far as the clock goes.

    As CSV or NDJSON, the whole selection without pages.
    """

    resource = "aggregations"
    queryset = Aggregation.objects.filter(~Exists(DELETED.filter(pk=OuterRef("pk"))))
    serializer_class = AggregationSerializer
    filterset_class = SegmentFilterSet
    ordering_fields = {name: "pk" if name == "profile_id" else name for name in SCALARS}
    renderer_classes = [*ResourceViewSet.renderer_classes, CsvRenderer, LinesRenderer]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        selected = self.filter_queryset(self.get_queryset())
        renderer = request.accepted_renderer
        is_stream = isinstance(renderer, StreamRenderer)
        moment = timezone.now()
        if is_stream:
            _refuse_pages(request)
            return _streamed(renderer, selected, moment=moment)
        with brought_forward(all_overtaken(moment=moment), moment=moment):
            page = self.paginate_queryset(selected)
        rows = [{name: getattr(row, name) for name in COLUMNS} for row in page]
        shown = [SERIALIZER.to_representation(row) for row in Parts().join(rows)]
        return self.get_paginated_response(shown)

    def handle_exception(self, exc: Exception) -> HttpResponseBase:
        response = super().handle_exception(exc)
        # What went wrong is told in JSON, whatever was wanted.
        self.request.accepted_renderer = self.renderer_classes[0]()
        self.request.accepted_media_type = self.renderer_classes[0].media_type
        return response


def _refuse_pages(request: Request) -> None:
    if pages := [name for name in request.query_params if name.startswith("page[")]:
        raise ValidationError({name: ["A stream has no pages."] for name in pages})


def _streamed(
    renderer: StreamRenderer, selected: QuerySet[Aggregation], *, moment: datetime
) -> StreamingHttpResponse:
    chunks = renderer.stream(selected, moment=moment)
    # The first is made before the answer begins: what goes wrong until then is an error.
    begun = next(chunks, b"")
    return StreamingHttpResponse(
        _going_on(begun, chunks, renderer.broken),
        content_type=f"{renderer.media_type}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="aggregations.{renderer.format}"',
            "Cache-Control": "private, no-cache",
        },
    )


def _going_on(begun: bytes, chunks: Iterator[bytes], broken: bytes) -> Iterator[bytes]:
    yield begun
    try:
        yield from chunks
    except Exception as error:
        # Told here, since what a server makes of it is out of our hands; and to the server that
        # the answer is none.
        logger.exception("A stream broke off")
        yield broken
        raise BrokenStreamError(describe(error)) from None

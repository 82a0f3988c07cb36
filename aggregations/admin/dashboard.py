"""The admin's first page: what waits and what failed, above all that can be done."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone as clock

from aggregations.admin.lag import lag_tiles
from aggregations.models import RecalculationRequest
from profiles.admin.backlog import batch_tiles, queue_tiles
from profiles.models import ProfileBatch, QueuedTransaction

SOURCES = {
    RecalculationRequest: lag_tiles,
    QueuedTransaction: queue_tiles,
    ProfileBatch: batch_tiles,
}

admin.site.index_template = "aggregations/index.html"


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the tiles that the user may see to what the first page shows."""
    moment = clock.now()
    seen = [
        count
        for model, count in SOURCES.items()
        if admin.site.get_model_admin(model).has_view_permission(request)
    ]
    return context | {"tiles": [tile for count in seen for tile in count(moment=moment)]}

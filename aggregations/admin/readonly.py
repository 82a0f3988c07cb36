"""Pages of rows that only the calculation writes."""

from __future__ import annotations

from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone as clock

from aggregations.calculation import refresh_clock
from omneo.admin import BoundedChangeList, LargeTableAdmin


class ReadOnlyAdmin(LargeTableAdmin):
    """Rows that are shown to everybody who may see them, and changed by nobody."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class FreshChangeList(BoundedChangeList):
    """A list by profile that shows no value which the clock has overtaken."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        profile_ids = [row.pk for row in self.result_list]
        if profile_ids and refresh_clock(profile_ids=profile_ids, moment=clock.now()):
            super().get_results(request)

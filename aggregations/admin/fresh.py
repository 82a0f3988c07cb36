"""Lists that show no value which the clock has overtaken."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone as clock

from aggregations.calculation import refresh_clock
from omneo.admin import BoundedChangeList


class FreshChangeList(BoundedChangeList):
    """A list by profile that shows no value which the clock has overtaken."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        profile_ids = [row.pk for row in self.result_list]
        if profile_ids and refresh_clock(profile_ids=profile_ids, moment=clock.now()):
            super().get_results(request)

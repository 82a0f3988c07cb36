"""Lists that show no value which the clock has overtaken."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone as clock

from aggregations.overtaken import brought_forward, overtaken_of
from omneo.admin import BoundedChangeList


class FreshChangeList(BoundedChangeList):
    """A list by profile that shows no value which the clock has overtaken."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        moment = clock.now()
        overtaken = overtaken_of([row.pk for row in self.result_list], moment=moment)
        if overtaken:
            with brought_forward(overtaken, moment=moment):
                super().get_results(request)
                self.result_list = list(self.result_list)

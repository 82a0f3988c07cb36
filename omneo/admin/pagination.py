"""Pages of tables that are too large to be counted."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db import connections
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList


class BoundedPaginator(Paginator):
    """Pages of the first `REACHABLE` rows; who wants others searches or filters.

    Counting a table, and skipping to its end, reads all of it. Neither is ever done.
    """

    REACHABLE = 10_000
    template_name = "omneo/pagination.html"

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.REACHABLE)

    @cached_property
    def estimate(self) -> int | None:
        """About how many rows there are beyond the reachable ones, None where all are reachable.

        Taken from the statistics of the table, or 0 where a filter makes them useless.
        """
        if self._counted <= self.REACHABLE:
            return None
        if self.object_list.query.where:
            return 0
        with connections[self.object_list.db].cursor() as cursor:
            cursor.execute(
                "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass",
                [self.object_list.model._meta.db_table],
            )
            [rows] = cursor.fetchone()
        return max(rows, 0)

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by()[: self.REACHABLE + 1].count()


class BoundedChangeList(ChangeList):
    """A list that does not count the rows which it leaves out."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.get_filters_params():
            self.full_result_count = self.result_count

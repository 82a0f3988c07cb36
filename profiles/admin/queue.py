"""Transactions that were accepted and have not come in: those that wait, and those that failed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone as clock
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.decorators import display

from omneo.admin import (
    SHOWN_OBSTACLES,
    BoundedChangeList,
    RetryingAdmin,
    Standing,
    age,
)
from profiles import queueing
from profiles.admin.problems import as_line, as_list
from profiles.models import QueuedTransaction
from profiles.tasks import nudge_ingestion

FAILED, WAITING = "failed", "waiting"
SHOWN_OF_ERRORS = 100  # characters in the list


class StateFilter(admin.SimpleListFilter):
    """Those that failed, and those that wait for a worker."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: QueuedTransactionAdmin) -> list:
        return [(FAILED, "failed"), (WAITING, "waiting")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[QueuedTransaction]
    ) -> QuerySet[QueuedTransaction]:
        if self.value() == FAILED:
            return queryset.filter(errors__isnull=False)
        return queryset.filter(errors__isnull=True) if self.value() == WAITING else queryset


class QueueChangeList(BoundedChangeList):
    """Queued transactions, of which is told whether they are overtaken."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        tell_which_are_overtaken(self.result_list)


def tell_which_are_overtaken(rows: Sequence[QueuedTransaction]) -> None:
    """Set `is_overtaken` of each row."""
    shown = QueuedTransaction.objects.filter(pk__in=[row.pk for row in rows])
    overtaken = set(queueing.overtaken(shown).values_list("pk", flat=True))
    for row in rows:
        row.is_overtaken = row.pk in overtaken


@admin.register(QueuedTransaction)
class QueuedTransactionAdmin(RetryingAdmin):
    """What failed is deleted or tried again; what waits comes in by itself."""

    list_display = ["named", "state", "of_profile", "total", "accepted_at", "waits", "problem"]
    list_filter = [StateFilter, "accepted_at"]
    what_is_retried = "transaction"
    why_some_are_left = "that wait already or are overtaken"
    ordering = ["-id"]
    search_fields = ["external_id"]
    search_help_text = "External id, or profile as posted"
    fields = ["named", "accepted_at", "waits", "problems", "posted"]

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[QueueChangeList]:
        return QueueChangeList

    def get_object(self, *args: Any, **options: Any) -> QueuedTransaction | None:
        queued = super().get_object(*args, **options)
        if queued is not None:
            tell_which_are_overtaken([queued])
        return queued

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[QueuedTransaction], search_term: str
    ) -> tuple[QuerySet[QueuedTransaction], bool]:
        if term := search_term.strip():
            queryset = queryset.filter(Q(external_id=term) | Q(body__profile_id=term))
        return queryset, False

    def has_delete_permission(
        self, request: HttpRequest, obj: QueuedTransaction | None = None
    ) -> bool:
        permitted = request.user.has_perm("profiles.delete_queuedtransaction")
        return permitted and (obj is None or obj.errors is not None)

    def get_deleted_objects(
        self, objs: Iterable[QueuedTransaction], request: HttpRequest
    ) -> tuple[list, dict, set, list]:
        """Say of what waits that it does, where Django would speak of a permission."""
        objs = list(objs)
        waiting = [f"It waits, and comes in by itself: {row}" for row in objs if row.errors is None]
        if waiting:
            return [], {}, set(), waiting[:SHOWN_OBSTACLES]
        return super().get_deleted_objects(objs, request)

    def standing(self, row: QueuedTransaction) -> Standing:
        if row.errors is None:
            text = "It comes in as soon as a worker comes to it."
            return Standing("waiting", "info", text)
        if row.is_overtaken:
            text = (
                "Its transaction was written after this was accepted. To try it again would undo "
                "that: have it posted anew, or delete it."
            )
            return Standing("overtaken", "warning", text)
        text = "It is not tried again by itself: put right what is missing, then try it again."
        return Standing("failed", "danger", text, may_be_retried=True)

    def retry(self, rows: QuerySet[QueuedTransaction]) -> int:
        if retried := queueing.retry(rows):
            nudge_ingestion()
        return retried

    @display(description="external id")
    def named(self, queued: QueuedTransaction) -> str:
        return queued.external_id or f"none: number {queued.pk} of the queue"

    @display(
        description="state", label={"waiting": "info", "overtaken": "warning", "failed": "danger"}
    )
    def state(self, queued: QueuedTransaction) -> str:
        return self.standing(queued).label

    @display(description="profile")
    def of_profile(self, queued: QueuedTransaction) -> Any:
        return _given(queued, "profile_id")

    @display(description="total")
    def total(self, queued: QueuedTransaction) -> Any:
        return _given(queued, "total")

    @display(description="waiting for")
    def waits(self, queued: QueuedTransaction) -> str:
        return age((clock.now() - queued.accepted_at).total_seconds())

    @display(description="problem")
    def problem(self, queued: QueuedTransaction) -> str | None:
        return Truncator(as_line(queued.errors)).chars(SHOWN_OF_ERRORS) or None

    @display(description="what is wrong with it")
    def problems(self, queued: QueuedTransaction) -> SafeString | None:
        return as_list(queued.errors) or None

    @display(description="body as posted")
    def posted(self, queued: QueuedTransaction) -> SafeString:
        body = json.dumps(queued.body, ensure_ascii=False, indent=2, sort_keys=True)
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', body)


def _given(queued: QueuedTransaction, name: str) -> Any:
    return queued.body.get(name) if isinstance(queued.body, dict) else None

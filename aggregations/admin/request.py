"""Requests for recalculation in the admin: who waits, what failed, and another try."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone as clock
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.decorators import display

from aggregations import outbox
from aggregations.admin.lag import lag_tiles
from aggregations.models import RecalculationRequest
from aggregations.nudge import nudge
from omneo.admin import BoundedChangeList, RetryingAdmin, Standing, age
from profiles.admin.search import identified_profiles
from profiles.models import Profile

FAILING, WAITING = "failing", "waiting"
SHOWN_OF_ERROR = 80  # characters in the list


class StateFilter(admin.SimpleListFilter):
    """Those that failed, and those that were not tried yet."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: RecalculationRequestAdmin) -> list:
        return [(FAILING, "failing"), (WAITING, "waiting")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[RecalculationRequest]
    ) -> QuerySet[RecalculationRequest]:
        if self.value() == FAILING:
            return queryset.filter(attempts__gt=0)
        return queryset.filter(attempts=0) if self.value() == WAITING else queryset


class RequestChangeList(BoundedChangeList):
    """Requests with the names of their profiles, which no foreign key leads to."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        profiles = Profile.objects.in_bulk({row.profile_id for row in self.result_list})
        for row in self.result_list:
            row.known_profile = profiles.get(row.profile_id)


@admin.register(RecalculationRequest)
class RecalculationRequestAdmin(RetryingAdmin):
    """Who waits, the next to be taken first."""

    list_display = ["profile", "state", "lane", "waits", "failed", "next_try", "reason"]
    list_display_links = None
    list_filter = [StateFilter, "lane"]
    what_is_retried = "recalculation"
    why_some_are_left = "that a worker takes anyway"
    list_before_template = "omneo/tiles.html"
    ordering = ["lane", "id"]
    search_fields = ["profile_id"]
    search_help_text = "Profile: email, phone, card number or id"
    fields = ["profile", "lane", "requested_at", "waits", "failed", "next_try", "whole_error"]

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[RequestChangeList]:
        return RequestChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"tiles": lag_tiles(moment=clock.now())}
        return super().changelist_view(request, context | (extra_context or {}))

    def get_object(self, *args: Any, **options: Any) -> RecalculationRequest | None:
        waiting = super().get_object(*args, **options)
        if waiting is not None:
            waiting.known_profile = Profile.objects.filter(pk=waiting.profile_id).first()
        return waiting

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[RecalculationRequest], search_term: str
    ) -> tuple[QuerySet[RecalculationRequest], bool]:
        if search_term:
            queryset = queryset.filter(profile_id__in=identified_profiles(search_term))
        return queryset, False

    def standing(self, row: RecalculationRequest) -> Standing:
        if not row.attempts:
            return Standing("waiting", "info", "It is tried as soon as a worker comes to it.")
        text = f"It failed {_times(row.attempts)}."
        if (wait := _seconds_until_retry(row)) > 0:
            text += f" It is tried again by itself in {age(wait)}."
            return Standing("failing", "danger", text, may_be_retried=True)
        return Standing("due again", "warning", f"{text} It is about to be tried again.")

    def retry(self, rows: QuerySet[RecalculationRequest]) -> int:
        if retried := outbox.retry(rows):
            nudge()
        return retried

    @display(description="profile")
    def profile(self, waiting: RecalculationRequest) -> SafeString:
        if waiting.known_profile is None:
            return format_html("{} (gone)", waiting.profile_id)
        address = reverse("admin:profiles_profile_change", args=[waiting.profile_id])
        return format_html('<a class="text-link" href="{}">{}</a>', address, waiting.known_profile)

    @display(
        description="state", label={"waiting": "info", "due again": "warning", "failing": "danger"}
    )
    def state(self, waiting: RecalculationRequest) -> str:
        return self.standing(waiting).label

    @display(description="waiting for", ordering="requested_at")
    def waits(self, waiting: RecalculationRequest) -> str:
        return age((clock.now() - waiting.requested_at).total_seconds())

    @display(description="failed")
    def failed(self, waiting: RecalculationRequest) -> str | None:
        return _times(waiting.attempts) if waiting.attempts else None

    @display(description="next try")
    def next_try(self, waiting: RecalculationRequest) -> str:
        wait = _seconds_until_retry(waiting)
        return f"in {age(wait)}" if wait > 0 else "now"

    @display(description="error")
    def reason(self, waiting: RecalculationRequest) -> SafeString | None:
        if not waiting.error:
            return None
        address = reverse("admin:aggregations_recalculationrequest_change", args=[waiting.pk])
        shown = Truncator(waiting.error.partition("\n")[0]).chars(SHOWN_OF_ERROR)
        return format_html('<a class="text-link" href="{}">{}</a>', address, shown)

    @display(description="error")
    def whole_error(self, waiting: RecalculationRequest) -> SafeString | None:
        if not waiting.error:
            return None
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', waiting.error)


def _times(attempts: int) -> str:
    return "once" if attempts == 1 else f"{attempts} times"


def _seconds_until_retry(waiting: RecalculationRequest) -> float:
    if waiting.retry_at is None:
        return 0
    return (waiting.retry_at - clock.now()).total_seconds()

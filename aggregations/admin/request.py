"""Requests for recalculation in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone as clock
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.decorators import display

from aggregations.admin.readonly import ReadOnlyAdmin
from aggregations.models import RecalculationRequest
from profiles.admin.search import identified_profiles


@admin.register(RecalculationRequest)
class RecalculationRequestAdmin(ReadOnlyAdmin):
    """Who waits, the next to be taken first."""

    list_display = ["id", "profile", "lane", "age", "attempts", "retry_at", "error"]
    list_filter = ["lane"]
    ordering = ["lane", "id"]
    search_fields = ["profile_id"]
    search_help_text = "Profile: email, phone, card number or id"
    fields = ["profile", "lane", "requested_at", "age", "attempts", "retry_at", "error"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[RecalculationRequest], search_term: str
    ) -> tuple[QuerySet[RecalculationRequest], bool]:
        if search_term:
            queryset = queryset.filter(profile_id__in=identified_profiles(search_term))
        return queryset, False

    @display(description="profile")
    def profile(self, waiting: RecalculationRequest) -> SafeString:
        address = reverse("admin:profiles_profile_change", args=[waiting.profile_id])
        return format_html('<a class="text-link" href="{}">{}</a>', address, waiting.profile_id)

    @display(description="waiting for", ordering="requested_at")
    def age(self, waiting: RecalculationRequest) -> str:
        return timesince(waiting.requested_at, clock.now())

"""Tiers, and who held them when, in the admin."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone as clock
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from locations.admin import SelectFilter
from omneo.admin import LargeTableAdmin, ModelAdmin, changelist_url
from profiles.admin.search import identified_profiles
from profiles.models import ProfileTier, Tier


@admin.register(Tier)
class TierAdmin(ModelAdmin):
    list_display = ["name", "handle", "sort_order", "lasts", "absolute_expiry", "group_name"]
    ordering = ["sort_order", "name", "id"]
    search_fields = ["name", "handle", "code", "group_name"]
    search_help_text = "Name, handle, code, group"
    prepopulated_fields = {"handle": ["name"]}
    readonly_fields = ["holders", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["name", "handle", "sort_order", "code", "holders"]}),
        ("How long it is held", {"fields": ["period", "period_type", "absolute_expiry"]}),
        ("Group", {"fields": ["group_name", "group_handle"]}),
        (
            "Texts",
            {
                "fields": [
                    "short_description",
                    "description",
                    "long_description",
                    "earn_instructions",
                    "terms_conditions",
                    "internal_notes",
                ]
            },
        ),
        (
            "Looks",
            {
                "fields": [
                    "icon",
                    "image_url",
                    ("colour", "text_colour"),
                    ("primary_colour", "secondary_colour"),
                ]
            },
        ),
        ("Further", {"fields": ["timezone", ("created_at", "updated_at")]}),
    ]

    @display(description="held for", ordering="period")
    def lasts(self, tier: Tier) -> str:
        if tier.period is None:
            return "-"
        return f"{tier.period} {tier.get_period_type_display().lower()}"

    @display(description="held by")
    def holders(self, tier: Tier) -> SafeString | None:
        if tier.pk is None:
            return None
        address = changelist_url(ProfileTier, tier__id__exact=tier.pk)
        return format_html('<a class="text-link" href="{}">Profiles</a>', address)


def holding_state(holding: ProfileTier, moment: datetime) -> str:
    """Return whether a holding is removed, upcoming, expired or current at a moment."""
    if holding.removed_at and holding.removed_at <= moment:
        return "removed"
    if holding.started_at > moment:
        return "upcoming"
    if holding.expires_at and holding.expires_at <= moment:
        return "expired"
    return "current"


@admin.register(ProfileTier)
class ProfileTierAdmin(LargeTableAdmin):
    list_display = ["profile", "tier", "state", "started_at", "expires_at", "removed_at"]
    list_filter = [("tier", SelectFilter)]
    list_select_related = ["profile", "tier"]
    ordering = ["-id"]
    search_fields = ["profile__email"]
    search_help_text = "Profile: email, phone, card number or id"
    autocomplete_fields = ["profile", "tier"]
    readonly_fields = ["created_at", "updated_at"]
    fields = [
        "profile",
        "tier",
        "started_at",
        "expires_at",
        "removed_at",
        ("created_at", "updated_at"),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ProfileTier], search_term: str
    ) -> tuple[QuerySet[ProfileTier], bool]:
        if search_term:
            queryset = queryset.filter(profile__in=identified_profiles(search_term))
        return queryset, False

    @display(
        description="state",
        label={"current": "success", "upcoming": "info", "expired": "", "removed": "danger"},
    )
    def state(self, holding: ProfileTier) -> str:
        return holding_state(holding, clock.now())

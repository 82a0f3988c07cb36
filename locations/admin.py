"""Places in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import RelatedFieldListFilter
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from locations.models import (
    Brand,
    Country,
    Department,
    Location,
    LocationAddress,
    NormalHours,
    Region,
    RegionMember,
    SpecialHours,
)
from omneo.admin import ModelAdmin, StackedInline, TabularInline

ADDRESS_FIELDS = [
    ("name", "type"),
    "company",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    ("city", "postcode"),
    ("state", "iso_state"),
    ("country", "iso"),
    ("latitude", "longitude"),
    ("phone", "external_id"),
    "notes",
    "meta",
    "custom_fields",
]
CATALOGUED_FIELDS = [
    "description",
    "short_description",
    "url",
    "image_url",
    "internal_note",
    "meta",
]


class SelectFilter(RelatedFieldListFilter):
    """A filter by a related row, as a drop-down."""

    template = "omneo/select_filter.html"


class AddressInline(StackedInline):
    model = LocationAddress
    fields = ADDRESS_FIELDS
    verbose_name = verbose_name_plural = "address"


class NormalHoursInline(TabularInline):
    model = NormalHours
    fields = ["day_of_week", "open_at", "close_at"]


class SpecialHoursInline(TabularInline):
    model = SpecialHours
    fields = ["name", "start_at", "end_at", "is_repeating", "open_at", "close_at"]


class DepartmentInline(TabularInline):
    model = Department
    fields = ["name", "handle", "brand", "external_id", "external_code"]
    autocomplete_fields = ["brand"]
    show_change_link = True
    hide_title = False


@admin.register(Location)
class LocationAdmin(ModelAdmin):
    list_display = ["name", "type", "external_id", "place", "timezone", "business"]
    list_filter = ["is_published", "is_permanently_closed", ("region", SelectFilter)]
    list_select_related = ["address", "region"]
    ordering = ["name", "id"]
    search_fields = ["name", "external_id", "external_code", "handle", "address__city"]
    search_help_text = "Name, city, external id or code"
    autocomplete_fields = ["region"]
    readonly_fields = ["created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["name", "type", "handle", "description"]}),
        ("Business", {"fields": ["is_published", "is_permanently_closed"]}),
        ("Place and time", {"fields": ["timezone", "country_iso_3", "region"]}),
        ("Contact", {"fields": ["phone", "email", "image_url", "icon"]}),
        ("Keys of other systems", {"fields": ["external_id", "external_code"]}),
        (
            "Further",
            {"fields": ["tags", "custom_fields", ("created_at", "updated_at")]},
        ),
    ]
    inlines = [AddressInline, NormalHoursInline, SpecialHoursInline, DepartmentInline]

    @display(description="place", ordering="address__city")
    def place(self, location: Location) -> str:
        address = getattr(location, "address", None)
        parts = (address.city, address.iso_state or address.iso) if address else ()
        return ", ".join(part for part in parts if part) or location.country_iso_3 or "-"

    @display(
        description="business",
        label={"open": "success", "unpublished": "warning", "closed": "danger"},
        ordering="is_permanently_closed",
    )
    def business(self, location: Location) -> str:
        if location.is_permanently_closed:
            return "closed"
        return "open" if location.is_published else "unpublished"


@admin.register(Department)
class DepartmentAdmin(ModelAdmin):
    list_display = ["name", "location", "brand", "handle", "external_id"]
    list_select_related = ["location", "brand"]
    ordering = ["name", "id"]
    search_fields = ["name", "handle", "external_id", "external_code", "location__name"]
    search_help_text = "Name, handle, external id or code, location"
    autocomplete_fields = ["location", "brand"]
    readonly_fields = ["created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["location", "name", "handle", "brand"]}),
        ("Keys of other systems", {"fields": ["external_id", "external_code"]}),
        ("Further", {"fields": [*CATALOGUED_FIELDS, ("created_at", "updated_at")]}),
    ]


@admin.register(Brand)
class BrandAdmin(ModelAdmin):
    list_display = ["name", "handle", "external_id", "external_code", "updated_at"]
    ordering = ["name", "id"]
    search_fields = ["name", "handle", "external_id", "external_code"]
    search_help_text = "Name, handle, external id or code"
    prepopulated_fields = {"handle": ["name"]}
    readonly_fields = ["created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["name", "handle"]}),
        ("Keys of other systems", {"fields": ["external_id", "external_code"]}),
        ("Further", {"fields": [*CATALOGUED_FIELDS, ("created_at", "updated_at")]}),
    ]


class RegionMemberInline(TabularInline):
    model = RegionMember
    fields = ["iso"]
    tab = False
    verbose_name = "country or state"
    verbose_name_plural = "countries and states"


@admin.register(Region)
class RegionAdmin(ModelAdmin):
    list_display = ["name", "handle", "member_count", "is_default"]
    ordering = ["name", "id"]
    search_fields = ["name", "handle", "members__iso"]
    search_help_text = "Name, handle, or code of a country or state"
    prepopulated_fields = {"handle": ["name"]}
    readonly_fields = ["created_at", "updated_at"]
    fields = ["name", "handle", "is_default", ("created_at", "updated_at")]
    inlines = [RegionMemberInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Region]:
        return super().get_queryset(request).annotate(member_count=Count("members"))

    @display(description="countries and states", ordering="member_count")
    def member_count(self, region: Region) -> int:
        return region.member_count


@admin.register(Country)
class CountryAdmin(ModelAdmin):
    """The countries come with the product, so they are shown only."""

    list_display = ["name", "iso_2", "iso_3"]
    ordering = ["name"]
    search_fields = ["name", "iso_2", "iso_3"]
    search_help_text = "Name or code"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Country | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Country | None = None) -> bool:
        return False

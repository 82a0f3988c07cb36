"""What profiles add to the locations in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from locations import admin as below
from locations.models import Location
from omneo.admin import changelist_url
from profiles.models import Profile, Transaction

admin.site.unregister(Location)


@admin.register(Location)
class LocationAdmin(below.LocationAdmin):
    """A location, with the way to what happened there."""

    readonly_fields = [*below.LocationAdmin.readonly_fields, "history"]
    fieldsets = [*below.LocationAdmin.fieldsets, ("History", {"fields": ["history"]})]

    @display(description="made here")
    def history(self, location: Location) -> SafeString | None:
        if location.pk is None:
            return None
        return format_html(
            '<a class="text-link" href="{}">Transactions</a> · '
            '<a class="text-link" href="{}">Profiles that joined</a>',
            changelist_url(Transaction, location__id__exact=location.pk),
            changelist_url(Profile, joined_location__id__exact=location.pk),
        )

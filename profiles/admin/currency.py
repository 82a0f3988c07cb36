"""Currencies in the admin."""

from django.contrib import admin

from omneo.admin import ModelAdmin
from profiles.models import Currency


@admin.register(Currency)
class CurrencyAdmin(ModelAdmin):
    list_display = ["__str__", "from_code", "to_code", "rate", "is_system", "updated_at"]
    list_filter = ["is_system"]
    ordering = ["from_code", "to_code"]
    search_fields = ["from_code", "to_code"]
    search_help_text = "Code, such as AUD"
    readonly_fields = ["created_at", "updated_at"]
    fieldsets = [
        (
            None,
            {
                "fields": ["from_code", "to_code", "rate", "is_system"],
                "description": "A transaction keeps the rate that it was saved with: a new rate "
                "is for later ones.",
            },
        ),
        ("Further", {"fields": [("created_at", "updated_at")]}),
    ]

"""What surrounds every page of the admin: the sidebar, by subject, and the icon."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.text import capfirst

from omneo.admin.base import changelist_url

SUBJECTS = {
    "Customers": {
        "profiles.Profile": "person",
        "profiles.Transaction": "receipt_long",
        "aggregations.Aggregation": "monitoring",
    },
    "Programme": {
        "profiles.Tier": "workspace_premium",
        "profiles.ProfileTier": "history",
        "profiles.Currency": "currency_exchange",
    },
    "Places": {
        "locations.Location": "storefront",
        "locations.Department": "meeting_room",
        "locations.Brand": "sell",
        "locations.Region": "map",
        "locations.Country": "public",
    },
    "Work in hand": {
        "aggregations.RecalculationRequest": "sync",
        "profiles.QueuedTransaction": "pending_actions",
        "profiles.ProfileBatch": "group_add",
    },
    "System": {
        "api.ApiToken": "key",
        "auth.User": "manage_accounts",
        "auth.Group": "groups",
    },
}


def sidebar(request: HttpRequest) -> list[dict]:
    """Return the groups of links to the lists that the user may see."""
    groups = []
    for subject, models in SUBJECTS.items():
        items = []
        for label, icon in models.items():
            model = apps.get_model(label)
            if admin.site.get_model_admin(model).has_view_or_change_permission(request):
                title = capfirst(model._meta.verbose_name_plural)
                items.append({"title": title, "icon": icon, "link": changelist_url(model)})
        if items:
            groups.append({"title": subject, "items": items})
    return groups


def favicon(request: HttpRequest) -> str:
    """Return the address of the icon that browsers show beside the title."""
    return static("omneo/favicon.svg")

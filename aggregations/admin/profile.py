"""What aggregations add to the profiles in the admin."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone as clock
from django.views.decorators.http import require_POST
from unfold.decorators import display

from aggregations import reading
from aggregations.admin.fresh import FreshChangeList
from aggregations.admin.panel import subjects
from aggregations.calculation import despite_purges, recalculate
from aggregations.models import Aggregation
from profiles import admin as below
from profiles.models import Profile

admin.site.unregister(Profile)


@admin.register(Profile)
class ProfileAdmin(below.ProfileAdmin):
    """A profile, with what its history comes to."""

    list_display = [*below.ProfileAdmin.list_display, "spend", "recency"]
    list_select_related = [*below.ProfileAdmin.list_select_related, "aggregation"]
    change_form_outer_before_template = "aggregations/panel.html"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[FreshChangeList]:
        return FreshChangeList

    def get_urls(self) -> list[URLPattern]:
        recalculation = path(
            "<path:object_id>/recalculate/",
            self.admin_site.admin_view(require_POST(self.recalculate_view)),
            name="profiles_profile_recalculate",
        )
        return [recalculation, *super().get_urls()]

    def recalculate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Recalculate the profile's row and say what came of it."""
        profile = self.get_object(request, unquote(object_id))
        if profile is None:
            raise Http404
        if not self.has_change_permission(request, profile):
            raise PermissionDenied
        try:
            changed = despite_purges(
                lambda: recalculate(profile_ids=[profile.pk], moment=clock.now())
            )
        except (DataError, IntegrityError) as error:
            self.message_user(request, f"It cannot be calculated: {error}", messages.ERROR)
        else:
            outcome = "There are new values." if changed else "No value has changed."
            self.message_user(request, f"Recalculated. {outcome}", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:profiles_profile_change", args=[profile.pk]))

    def change_form_context(self, request: HttpRequest, obj: Profile | None) -> dict[str, Any]:
        context = super().change_form_context(request, obj)
        if obj is not None and request.user.has_perm("aggregations.view_aggregation"):
            context["aggregations"] = aggregations_panel(obj.pk)
        return context

    def get_deleted_objects(
        self, objs: Iterable[Profile], request: HttpRequest
    ) -> tuple[list, dict, set, list]:
        """Let the row, which nobody may delete by itself, go with its profile."""
        deleted, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, forbidden - {Aggregation._meta.verbose_name}, protected

    @display(description="spend", ordering="aggregation__spend_all")
    def spend(self, profile: Profile) -> Any:
        return profile.aggregation.spend_all

    @display(
        description="recency",
        label={"RC": "success", "RS": "info", "RA": "warning", "RI": "danger"},
    )
    def recency(self, profile: Profile) -> str:
        return profile.aggregation.dimension_recency


def aggregations_panel(profile_id: uuid.UUID) -> dict[str, Any]:
    """Return what the panel shows: the row, true now; or why there is none."""
    moment = clock.now()
    try:
        with transaction.atomic():
            row = reading.current(profile_id=profile_id, moment=moment)
    except (DataError, IntegrityError) as error:
        return {"error": error}
    return {"reading": row, "subjects": subjects(row), "moment": moment}

"""Locations, by the API."""

from __future__ import annotations

from django.db.models import Case, Prefetch, Value, When

from locations.filters import LocationFilterSet
from locations.models import DAYS_OF_WEEK, Department, Location, NormalHours, SpecialHours
from locations.serializers import LocationSerializer
from omneo.resources.views import ResourceViewSet

BY_DAY = Case(*(When(day_of_week=day, then=Value(n)) for n, day in enumerate(DAYS_OF_WEEK)))


class LocationViewSet(ResourceViewSet):
    """Locations: stores, web shops, warehouses, with their address, hours and departments."""

    resource = "locations"
    queryset = Location.objects.select_related("address").prefetch_related(
        Prefetch("normal_hours", NormalHours.objects.order_by(BY_DAY, "open_at")),
        Prefetch("special_hours", SpecialHours.objects.order_by("start_at", "id")),
        Prefetch("departments", Department.objects.select_related("brand").order_by("id")),
    )
    serializer_class = LocationSerializer
    filterset_class = LocationFilterSet
    ordering_fields = ["id", "name", "external_id", "created_at", "updated_at"]
    conflicts = {
        "normal_hours_once": ("normal_hours", "They open twice at the same time of a day."),
        "special_hours_dates_in_order": ("special_hours", "They cannot end before they start."),
        "department_handle": ("departments", "A handle is there twice."),
        "locations_department_external_id_key": ("departments", "An external_id exists already."),
    }

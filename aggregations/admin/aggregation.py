"""Rows of aggregations in the admin."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone as clock
from django.utils.formats import localize
from unfold.decorators import display

from aggregations.admin.fresh import FreshChangeList
from aggregations.admin.panel import SUBJECTS
from aggregations.models import Aggregation
from aggregations.overtaken import brought_forward, overtaken_of
from locations.models import Country
from omneo.admin import ReadOnlyAdmin
from profiles.admin.search import as_uuid, identified_profiles

RECENCY = {
    "RC": "RC · within 3 months",
    "RS": "RS · within 6 months",
    "RA": "RA · within 12 months",
    "RI": "RI · earlier",
    "R0": "R0 · never",
}
FREQUENCY = {
    "F0": "F0 · never",
    "F1": "F1 · once",
    "F2": "F2 · twice",
    "FL": "FL · seldom",
    "FH": "FH · often",
}
JOIN = {
    "JN": "JN · within 90 days",
    "JC": "JC · within a year",
    **{f"J{years}": f"J{years} · within {years + 1} years" for years in range(1, 10)},
}
CHANNEL = {
    "CM": "CM · both",
    "CF": "CF · point of sale only",
    "CO": "CO · website only",
}


class CodeFilter(SimpleListFilter):
    """Rows with a code, out of those that there are; looking for them would read the table."""

    codes: dict[str, str]
    template = "omneo/select_filter.html"

    def lookups(self, request: HttpRequest, model_admin: AggregationAdmin) -> Iterable:
        return self.codes.items()

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Aggregation]
    ) -> QuerySet[Aggregation]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class FrequencyFilter(CodeFilter):
    title, parameter_name, codes = "frequency", "dimension_frequency", FREQUENCY


class RecencyFilter(CodeFilter):
    title, parameter_name, codes = "recency", "dimension_recency", RECENCY


class JoinFilter(CodeFilter):
    title, parameter_name, codes = "join", "dimension_join", JOIN


class ChannelFilter(CodeFilter):
    title, parameter_name, codes = "channel", "channel", CHANNEL


class CountryFilter(CodeFilter):
    title, parameter_name = "likely country", "likely_country_iso"

    def lookups(self, request: HttpRequest, model_admin: AggregationAdmin) -> Iterable:
        return Country.objects.order_by("name").values_list("iso_2", "name")


@admin.register(Aggregation)
class AggregationAdmin(ReadOnlyAdmin):
    """All rows, read only for everybody."""

    list_display = [
        "profile",
        "spend_all",
        "spend_12m_now",
        "shop_count",
        "frequency",
        "recency",
        "join",
        "channel",
        "likely_country",
    ]
    list_filter = [FrequencyFilter, RecencyFilter, JoinFilter, ChannelFilter, CountryFilter]
    list_select_related = ["profile"]
    ordering = ["pk"]
    sortable_by = ["spend_all", "spend_12m_now", "shop_count"]
    search_fields = ["profile__email"]
    search_help_text = "Profile: email, phone, card number or id"
    fieldsets = [
        ("Profile", {"fields": ["profile", "calculated", "next_change", "changed_at"]}),
        *((subject, {"fields": names}) for subject, names in SUBJECTS.items()),
    ]

    def get_changelist(self, request: HttpRequest, **options: object) -> type[FreshChangeList]:
        return FreshChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Aggregation], search_term: str
    ) -> tuple[QuerySet[Aggregation], bool]:
        if search_term:
            queryset = queryset.filter(pk__in=identified_profiles(search_term))
        return queryset, False

    def change_view(
        self, request: HttpRequest, object_id: str, *args: object, **options: object
    ) -> HttpResponse:
        moment = clock.now()
        profile_id = as_uuid(object_id)
        overtaken = overtaken_of([profile_id] if profile_id else [], moment=moment)
        with brought_forward(overtaken, moment=moment):
            return super().change_view(request, object_id, *args, **options)

    @display(description="calculated at")
    def calculated(self, row: Aggregation) -> str:
        return localize(row.calculated_at)

    @display(description="next change at")
    def next_change(self, row: Aggregation) -> str | None:
        at = row.next_change_at
        return "Known once the row is stored anew." if at and at <= clock.now() else localize(at)

    @display(description="frequency")
    def frequency(self, row: Aggregation) -> str:
        return row.dimension_frequency

    @display(
        description="recency",
        label={"RC": "success", "RS": "info", "RA": "warning", "RI": "danger"},
    )
    def recency(self, row: Aggregation) -> str:
        return row.dimension_recency

    @display(description="join")
    def join(self, row: Aggregation) -> str:
        return row.dimension_join

"""Batches of profiles in the admin: how far each is, and what became of its rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from omneo.admin import BoundedChangeList, ReadOnlyAdmin, Standing, changelist_url, counted, number
from profiles.admin.problems import as_list
from profiles.admin.search import as_uuid
from profiles.models import ProfileBatch, ProfileBatchRow

SHOWN = 50  # rows on a batch's page
FINISHED, UNFINISHED = "finished", "unfinished"
KINDS = {"created": "success", "updated": "success", "error": "danger", "waiting": "info"}

Status = ProfileBatchRow.Status


class StateFilter(admin.SimpleListFilter):
    """Batches in hand, and those that are done."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: ProfileBatchAdmin) -> list:
        return [(UNFINISHED, "in hand"), (FINISHED, "finished")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ProfileBatch]
    ) -> QuerySet[ProfileBatch]:
        if self.value() in (FINISHED, UNFINISHED):
            return queryset.filter(finished_at__isnull=self.value() == UNFINISHED)
        return queryset


class BatchChangeList(BoundedChangeList):
    """Batches with their progress, counted for those on the page alone."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shown = [batch.pk for batch in self.result_list]
        counts = ProfileBatch.objects.select_related("accepted_from").with_progress()
        with_progress = counts.in_bulk(shown)
        # One that was removed in between is left out.
        self.result_list = [with_progress[key] for key in shown if key in with_progress]


@admin.register(ProfileBatch)
class ProfileBatchAdmin(ReadOnlyAdmin):
    list_display = [
        "accepted_at",
        "accepted_from",
        "match_criteria",
        "state",
        "progress",
        "failed",
        "finished_at",
    ]
    list_filter = [StateFilter, "accepted_at"]
    ordering = ["-accepted_at", "-id"]
    search_fields = ["id"]
    search_help_text = "Id of the batch"
    fields = [
        "id",
        "accepted_at",
        "accepted_from",
        "match_criteria",
        "progress",
        "outcomes",
        "finished_at",
    ]
    change_form_outer_before_template = "omneo/standing.html"
    change_form_outer_after_template = "profiles/batch_rows.html"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[BatchChangeList]:
        return BatchChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ProfileBatch], search_term: str
    ) -> tuple[QuerySet[ProfileBatch], bool]:
        if term := search_term.strip():
            queryset = queryset.filter(pk=as_uuid(term))
        return queryset, False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> ProfileBatch | None:
        batch = super().get_object(request, object_id, from_field)
        return batch and ProfileBatch.objects.with_progress().filter(pk=batch.pk).first()

    def change_form_context(self, request: HttpRequest, obj: ProfileBatch | None) -> dict[str, Any]:
        return {"standing": standing(obj), "batch_rows": rows_of(obj)}

    @display(
        description="state",
        label={
            "waiting": "info",
            "importing": "info",
            "done": "success",
            "done with errors": "warning",
        },
    )
    def state(self, batch: ProfileBatch) -> str:
        return standing(batch).label

    @display(description="progress")
    def progress(self, batch: ProfileBatch) -> SafeString:
        done, failed = batch.total - batch.waiting, batch.failed
        return format_html(
            '<div style="min-width: 9rem">{} of {}'
            '<div class="bg-base-100 flex flex-row mt-1 overflow-hidden rounded-default '
            'dark:bg-base-800" style="height: 6px">'
            '<div class="bg-green-500" style="width: {}%"></div>'
            '<div class="bg-red-500" style="width: {}%"></div></div></div>',
            number(done),
            number(batch.total),
            *(f"{100 * part / (batch.total or 1):.2f}" for part in (done - failed, failed)),
        )

    @display(description="failed")
    def failed(self, batch: ProfileBatch) -> SafeString | str:
        if not batch.failed:
            return number(0)
        link = changelist_url(ProfileBatchRow, batch__id__exact=batch.pk, status__exact="error")
        return format_html('<a class="text-link" href="{}">{}</a>', link, number(batch.failed))

    @display(description="outcomes")
    def outcomes(self, batch: ProfileBatch) -> str:
        parts = ("created", "updated", "failed", "waiting")
        return ", ".join(f"{number(getattr(batch, part))} {part}" for part in parts)


def standing(batch: ProfileBatch) -> Standing:
    """Return how things stand with a batch that has its progress."""
    if batch.finished_at is None:
        left = f"{counted(batch.waiting, 'profile')} to come, in the order of the batch."
        is_begun = batch.waiting < batch.total
        return Standing("importing" if is_begun else "waiting", "info", left)
    if batch.failed:
        text = (
            f"{counted(batch.failed, 'profile')} failed. What was posted is not kept: put it right "
            "where it comes from, and post it again."
        )
        return Standing("done with errors", "warning", text)
    return Standing("done", "success", "Every profile was imported.")


def rows_of(batch: ProfileBatch) -> dict[str, Any]:
    """Return the table of a batch's rows, the failed ones first, and where all of them are."""
    failed_first = Case(When(status=Status.ERROR, then=Value(0)), default=Value(1))
    rows = batch.rows.defer("body").order_by(failed_first, "index")[:SHOWN]
    return {
        "table": {
            "headers": ["index", "outcome", "profile", "what is wrong with it"],
            "rows": [
                [row.index, row.status, profile_link(row), as_list(row.errors) or "-"]
                for row in rows
            ],
        },
        "shown": SHOWN if batch.total > SHOWN else None,
        "all": changelist_url(ProfileBatchRow, batch__id__exact=batch.pk),
    }


def profile_link(row: ProfileBatchRow) -> SafeString | str:
    """Return the way to the profile that a row made or changed."""
    if row.profile_id is None:
        return "-"
    address = reverse("admin:profiles_profile_change", args=[row.profile_id])
    return format_html('<a class="text-link" href="{}">{}</a>', address, row.profile_id)


@admin.register(ProfileBatchRow)
class ProfileBatchRowAdmin(ReadOnlyAdmin):
    """Reached from the batches, which show their first rows."""

    list_display = ["index", "outcome", "profile", "problem", "whole"]
    list_display_links = None
    list_filter = ["status"]
    list_select_related = ["batch"]
    ordering = ["batch", "index"]
    search_fields = ["profile_id"]
    search_help_text = "Id of the profile or of the batch"
    fields = ["whole", "index", "outcome", "profile", "problem"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProfileBatchRow]:
        return super().get_queryset(request).defer("body")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ProfileBatchRow], search_term: str
    ) -> tuple[QuerySet[ProfileBatchRow], bool]:
        if term := search_term.strip():
            key = as_uuid(term)
            queryset = queryset.filter(Q(profile_id=key) | Q(batch=key)) if key else queryset.none()
        return queryset, False

    @display(description="outcome", label=KINDS)
    def outcome(self, row: ProfileBatchRow) -> str:
        return row.status

    @display(description="profile")
    def profile(self, row: ProfileBatchRow) -> SafeString | str:
        return profile_link(row)

    @display(description="what is wrong with it")
    def problem(self, row: ProfileBatchRow) -> SafeString | None:
        return as_list(row.errors) or None

    @display(description="batch")
    def whole(self, row: ProfileBatchRow) -> SafeString:
        address = reverse("admin:profiles_profilebatch_change", args=[row.batch_id])
        return format_html('<a class="text-link" href="{}">{}</a>', address, row.batch)

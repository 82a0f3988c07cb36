"""Pages of rows that the product writes itself; those that failed may be tried again by staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from omneo.admin.base import LargeTableAdmin, changelist_url
from omneo.admin.tiles import counted, number


class ReadOnlyAdmin(LargeTableAdmin):
    """Rows that are shown to everybody who may see them, and changed by nobody."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@dataclass(frozen=True)
class Standing:
    """How things stand with a row. `kind`: success, info, warning, danger or nothing."""

    label: str
    kind: str
    text: str
    may_be_retried: bool = False


class RetryingAdmin(ReadOnlyAdmin):
    """Rows that may have failed: who has the permission `retry_<model>` has them tried again."""

    actions = ["try_again"]
    change_form_outer_before_template = "omneo/standing.html"
    what_is_retried: str
    why_some_are_left: str

    def standing(self, row: Model) -> Standing:
        """Return how things stand with a row."""
        raise NotImplementedError

    def retry(self, rows: QuerySet) -> int:
        """Have rows tried again; return how many."""
        raise NotImplementedError

    def has_retry_permission(self, request: HttpRequest) -> bool:
        permission = f"{self.opts.app_label}.retry_{self.opts.model_name}"
        return self.has_view_permission(request) and request.user.has_perm(permission)

    @admin.action(description="Try again now", permissions=["retry"])
    def try_again(self, request: HttpRequest, rows: QuerySet) -> None:
        chosen = rows.count()
        with transaction.atomic():
            retried = self.retry(rows)
        said = "None will be tried again."
        if retried:
            said = f"{counted(retried, self.what_is_retried)} will be tried again now."
        if left := chosen - retried:
            said += f" Left as they are: {number(left)} {self.why_some_are_left}."
        self.message_user(request, said, messages.SUCCESS if retried else messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        trying_again = path(
            "<path:object_id>/try-again/",
            self.admin_site.admin_view(require_POST(self.try_again_view)),
            name=f"{self.opts.app_label}_{self.opts.model_name}_try_again",
        )
        return [trying_again, *super().get_urls()]

    def try_again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Have the row of a page tried again. The page may be gone then, so the list comes next."""
        if not self.has_retry_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            gone = "It is not there any more: it was tried again meanwhile."
            self.message_user(request, gone, messages.WARNING)
        else:
            self.try_again(request, self.get_queryset(request).filter(pk=row.pk))
        return HttpResponseRedirect(changelist_url(self.model))

    def change_form_context(self, request: HttpRequest, obj: Model | None) -> dict[str, Any]:
        return {
            "standing": self.standing(obj),
            "try_again": f"admin:{self.opts.app_label}_{self.opts.model_name}_try_again",
            "has_retry_permission": self.has_retry_permission(request),
        }

"""What the admin's log says of rows that are about customers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

NOT_SAID = "…"


class KeyedLog:
    """Logs under its key what staff did with a row, and never under a name.

    The log outlives the row: who is purged could not be found in what was logged of rows that had
    been deleted before.
    """

    def log_addition(self, request: HttpRequest, obj: Model, message: list[dict]) -> LogEntry:
        (entry,) = self._log(request, [obj], ADDITION, message)
        return entry

    def log_change(self, request: HttpRequest, obj: Model, message: list[dict]) -> LogEntry:
        (entry,) = self._log(request, [obj], CHANGE, message)
        return entry

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> list[LogEntry]:
        return self._log(request, queryset, DELETION, [])

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict]:
        message = super().construct_change_message(request, form, formsets, add)
        for part in message:
            for about in part.values():
                if "object" in about:
                    about["object"] = NOT_SAID
        return message

    def _log(
        self, request: HttpRequest, rows: Iterable[Model], action: int, message: list[dict]
    ) -> list[LogEntry]:
        kind = ContentType.objects.get_for_model(self.model)
        return LogEntry.objects.bulk_create(
            LogEntry(
                user_id=request.user.pk,
                content_type=kind,
                object_id=str(row.pk),
                object_repr=f"{self.opts.verbose_name} {row.pk}",
                action_flag=action,
                change_message=json.dumps(message) if message else "",
            )
            for row in rows
        )

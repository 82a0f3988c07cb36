"""Rows: bodies as they were posted, read and judged one by one, before the database is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from rest_framework.exceptions import ValidationError

from omneo.resources.messages import messages_by_field
from profiles.serializers.transaction import TransactionBody

Errors = dict[str, list[str]]

# Made once: to build the fields takes longer than to read a body with them.
BODY = TransactionBody()
NEEDED = ["profile_id", "total"]


class Match(Enum):
    """Which transaction a row is about."""

    UPSERT = "that of its external id, else that of its id, else a new one"
    CREATE = "a new one"
    UPDATE = "that of its id"


class Status(StrEnum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    ERROR = "error"


@dataclass
class Outcome:
    """What became of a row, with its transaction, or what is wrong with it by field."""

    status: Status
    id: int | None = None
    external_id: str | None = None
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class Posted:
    """A body as the API takes it, and when it was accepted.

    That is when a new transaction was made whose body does not say.
    """

    body: Any
    accepted_at: datetime


@dataclass
class Row:
    """What a posted body gives, by the names in the body, and what has become of it so far."""

    accepted_at: datetime
    match: Match
    given: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None

    @property
    def has_failed(self) -> bool:
        return self.outcome is not None and self.outcome.status == Status.ERROR

    def fail(self, errors: Errors) -> None:
        self.outcome = Outcome(
            Status.ERROR, external_id=self.given.get("external_id"), errors=errors
        )


def read(posted: Posted, *, match: Match = Match.UPSERT, pk: int | None = None) -> Row:
    """Judge a body by itself. `pk`: the transaction that it is about, whatever its own id says."""
    row = Row(accepted_at=posted.accepted_at, match=match)
    try:
        row.given = BODY.run_validation(posted.body)
    except ValidationError as error:
        row.fail(dict(messages_by_field(error.detail)))
        row.outcome.external_id = _external_id(posted.body)
        return row
    if pk is not None:
        row.given["id"] = pk
    names_one = row.given.get("external_id") is not None or row.given.get("id") is not None
    if not names_one and (errors := missing(row.given)):
        row.fail(errors)
    return row


def missing(given: Mapping[str, Any]) -> Errors:
    """Tell what is not given that a new transaction cannot do without."""
    return {name: ["This field is required."] for name in NEEDED if name not in given}


def _external_id(body: Any) -> str | None:
    """Return by what the client will know a body with errors."""
    given = body.get("external_id") if isinstance(body, Mapping) else None
    return given if isinstance(given, str) else None

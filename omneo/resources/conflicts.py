"""What the database refuses, told as the client's affair: by field, or as a conflict.

Uniqueness is not looked up before a write: two clients that write at once would both find nothing.
The database says which constraint was violated, and the constraint's name says the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import Error, models
from django.db.models import ProtectedError
from psycopg import errors as refusals
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError

# The name of a constraint -> the field that the client knows and what it is told about it.
Conflicts = Mapping[str, tuple[str, str]]


class Conflict(APIException):
    """409: it would be right, were it not for what else there is."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "Something else that was written at the same moment is in the way. Try again."
    default_code = "conflict"


class InUse(Conflict):
    """409: the row is pointed to. `counts`: by how many of what."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        told = ", ".join(f"{kind} ({count})" for kind, count in counts.items())
        super().__init__(f"It is in use by {told}.")


def explain(error: Error, conflicts: Conflicts | None = None) -> APIException | None:
    """Return what to tell a client about a database error; None where it is no affair of his.

    `conflicts` has the field and the words for constraints by their names. What it leaves out
    speaks with the words of the model's constraint.
    """
    if isinstance(error, ProtectedError):
        return Conflict("It is in use.")
    refusal = error.__cause__
    match refusal:
        case refusals.ForeignKeyViolation():
            return Conflict("It points to, or is pointed to by, something that changed just now.")
        case refusals.DeadlockDetected() | refusals.SerializationFailure():
            return Conflict()
        case refusals.UniqueViolation() | refusals.CheckViolation() | refusals.NotNullViolation():
            field, message = _field_and_message(refusal.diag, conflicts or {})
            return ValidationError({field: [message]} if field else [message])
        case refusals.DataError():
            return ValidationError(["A value is out of range."])
    return None


def users_of(row: models.Model) -> dict[str, int]:
    """Return how many rows keep this one from being deleted, by what they are to it."""
    counts = {}
    for relation in row._meta.related_objects:
        if relation.on_delete is models.PROTECT:
            users = relation.related_model._base_manager.filter(**{relation.field.name: row})
            if count := users.count():
                counts[relation.get_accessor_name().replace("_", " ")] = count
    return dict(sorted(counts.items()))


def _field_and_message(diag: Any, conflicts: Conflicts) -> tuple[str | None, str]:
    name = diag.constraint_name or ""
    if name in conflicts:
        return conflicts[name]
    if diag.column_name:
        return diag.column_name, "This field may not be null."
    for constraint in _constraints_of(diag.table_name):
        if constraint.name == name:
            columns = getattr(constraint, "fields", ())
            said = constraint.violation_error_message
            if said == constraint.default_violation_error_message:
                said = "That exists already." if columns else "The value is not allowed."
            return (columns[-1] if columns else None), str(said)
    # What PostgreSQL calls the constraint of a column that is unique by itself
    column = name.removeprefix(f"{diag.table_name}_").removesuffix("_key")
    return column, "That exists already."


def _constraints_of(table: str) -> Iterator[models.BaseConstraint]:
    for model in apps.get_models():
        if model._meta.db_table == table:
            yield from model._meta.constraints

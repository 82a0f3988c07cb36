"""Importing profiles in batches: accepted at once, done by a worker, row by row in their order."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Lower
from rest_framework.exceptions import APIException, ValidationError

from omneo import deadlocks
from omneo.db import OF_NO_ROW
from omneo.resources.conflicts import explain
from omneo.resources.messages import messages_by_field
from profiles.conflicts import PROFILE_CONFLICTS
from profiles.ingestion.references import EMAIL
from profiles.living import LIVING
from profiles.models import Profile, ProfileBatch, ProfileBatchRow
from profiles.names import PHONE, names_of
from profiles.serializers import ProfileSerializer

LARGEST = 1000  # profiles in a batch
AT_ONCE = 100  # rows in a database transaction

Status = ProfileBatchRow.Status
logger = logging.getLogger(__name__)


@transaction.atomic
def accept(
    *,
    match_criteria: str,
    profiles: Sequence[Any],
    accepted_from: AbstractBaseUser | None,
    moment: datetime,
) -> ProfileBatch:
    """Keep the bodies of profiles, to be imported by a worker."""
    batch = ProfileBatch.objects.create(
        match_criteria=match_criteria, accepted_from=accepted_from, accepted_at=moment
    )
    ProfileBatchRow.objects.bulk_create(
        ProfileBatchRow(batch=batch, index=index, body=body) for index, body in enumerate(profiles)
    )
    return batch


@transaction.atomic
def import_waiting(*, moment: datetime) -> bool:
    """Import some rows of the batch that waits longest; tell whether there was one.

    A batch is one worker's at a time, so that its rows have their effect in their order.
    """
    waiting = ProfileBatch.objects.filter(finished_at=None).order_by("accepted_at", "id")
    batch = waiting.select_for_update(skip_locked=True).first()
    if batch is None:
        return False
    # Held, so that a purge comes before a row or after it, and never between.
    waiting_rows = batch.rows.filter(status=Status.WAITING).order_by("index")
    rows = list(waiting_rows.select_for_update()[:AT_ONCE])
    for row in rows:
        _import(row, match_criteria=batch.match_criteria)
    ProfileBatchRow.objects.bulk_update(rows, ["body", "status", "profile_id", "errors"])
    if len(rows) < AT_ONCE:
        batch.finished_at = moment
        batch.save()
    return True


def forget(profile: Profile) -> None:
    """Give up the rows that name the profile, which is about to go, as it is or was known."""
    known = names_of(profile)
    named = Q(lower_email__in=known[EMAIL]) | Q(body__mobile_phone__in=known[PHONE])
    for handle, identifiers in known.items():
        for identifier in identifiers:
            name = {"handle": handle, "identifier": identifier}
            named |= Q(body__identities__contains=[name])
    rows = ProfileBatchRow.objects.alias(lower_email=Lower(KT("body__email")))
    rows.filter(named, status=Status.WAITING).update(
        body=None, status=Status.ERROR, errors={"profile": ["It was purged."]}
    )


def _import(row: ProfileBatchRow, *, match_criteria: str) -> None:
    body, row.body = row.body, None
    try:
        try:
            row.status, row.profile_id = _upsert(body, match_criteria=match_criteria)
        except IntegrityError:
            # Somebody else may have made the profile after it was looked for.
            row.status, row.profile_id = _upsert(body, match_criteria=match_criteria)
    except OF_NO_ROW:
        raise
    except Exception as error:
        if isinstance(error, DatabaseError):
            error = explain(error, PROFILE_CONFLICTS) or error
        if not isinstance(error, APIException):
            logger.exception("Row %s of batch %s cannot be imported", row.index, row.batch_id)
            error = ValidationError("This profile cannot be stored.")
        row.status, row.errors = Status.ERROR, dict(messages_by_field(error.detail))


@deadlocks.atomic
def _upsert(body: Any, *, match_criteria: str) -> tuple[Status, Any]:
    profile = _matching(body, match_criteria) if isinstance(body, dict) else None
    serializer = ProfileSerializer(profile, data=body, partial=profile is not None)
    serializer.is_valid(raise_exception=True)
    return Status.CREATED if profile is None else Status.UPDATED, serializer.save().pk


def _matching(body: dict[str, Any], match_criteria: str) -> Profile | None:
    """Return the profile that the body is about, held; None where it is not there yet."""
    held = LIVING.select_for_update(of=["self"], no_key=True)
    if match_criteria == EMAIL:
        email = body.get(EMAIL)
        if not isinstance(email, str) or not email:
            raise ValidationError({EMAIL: ["It is what profiles are matched by."]})
        return held.alias(lower_email=Lower("email")).filter(lower_email=email.lower()).first()
    identities = body.get("identities")
    names = [
        identity["identifier"]
        for identity in (identities if isinstance(identities, list) else ())
        if isinstance(identity, dict)
        and identity.get("handle") == match_criteria
        and isinstance(identity.get("identifier"), str)
    ]
    if len(names) != 1:
        told = f"One of the handle {match_criteria} is what profiles are matched by."
        raise ValidationError({"identities": [told]})
    return held.filter(identities__handle=match_criteria, identities__identifier=names[0]).first()

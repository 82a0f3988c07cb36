"""Under which names a profile is known, or was: what waits for it may say any of them."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Lower

from profiles.ingestion.references import EMAIL
from profiles.living import LIVING
from profiles.models import FormerName, Profile

PHONE = "mobile_phone"

OTHERS = LIVING.exclude(pk=OuterRef("profile_id"))
IDENTIFIER = OuterRef("identifier")
TAKEN_BY_ANOTHER = (
    Q(Exists(OTHERS.alias(lower_email=Lower("email")).filter(lower_email=IDENTIFIER)), handle=EMAIL)
    | Q(Exists(OTHERS.filter(mobile_phone=IDENTIFIER)), handle=PHONE)
    | Exists(
        OTHERS.filter(identities__handle=OuterRef("handle"), identities__identifier=IDENTIFIER)
    )
)


def names_of(profile: Profile) -> dict[str, list[str]]:
    """Return the identifiers of a profile by their handles, in one query.

    Emails, in lower case, and mobile numbers have handles of their own, and are always there. A
    former name that another living profile has taken is that one's alone.
    """
    itself = Profile.objects.filter(pk=profile.pk)
    former = FormerName.objects.filter(profile=profile.pk).exclude(TAKEN_BY_ANOTHER)
    found = profile.identities.values_list("handle", "identifier").union(
        former.values_list("handle", "identifier"),
        itself.exclude(email=None).values_list(Value(EMAIL), Lower("email")),
        itself.exclude(mobile_phone=None).values_list(Value(PHONE), "mobile_phone"),
    )
    names: dict[str, list[str]] = {EMAIL: [], PHONE: []}
    for handle, identifier in found:
        names.setdefault(handle, []).append(identifier)
    return names

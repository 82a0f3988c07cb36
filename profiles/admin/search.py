"""What is found by what is typed into the search of profiles, by means of indexes."""

from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from profiles.models import Identity, Profile


def identified_profiles(term: str) -> list[uuid.UUID]:
    """Return the profiles whose id, email, phone or number in another system is exactly that.

    Emails are compared whatever their case, phones with and without their blanks.
    """
    term = term.strip()
    found = Profile.objects.alias(address=Lower("email")).filter(address=term.lower())
    by_phone = Profile.objects.filter(mobile_phone__in={term, term.replace(" ", "")})
    queries = [found, by_phone]
    if (key := as_uuid(term)) is not None:
        queries.append(Profile.objects.filter(pk=key))
    keys = [query.values_list("pk", flat=True) for query in queries]
    keys.append(Identity.objects.filter(identifier=term).values_list("profile", flat=True))
    return list(keys[0].union(*keys[1:]))


def as_uuid(term: str) -> uuid.UUID | None:
    """Return the id that is written there, with or without dashes; None for anything else."""
    try:
        return uuid.UUID(term)
    except ValueError:
        return None


def search_profiles(queryset: QuerySet[Profile], term: str) -> QuerySet[Profile]:
    """Return those that the term identifies, else those whose names or email begin so."""
    if exactly := identified_profiles(term):
        return queryset.filter(pk__in=exactly)
    words = term.split()
    if len(words) == 1:
        [word] = words
        return queryset.alias(address=Lower("email")).filter(
            Q(first_name__istartswith=word)
            | Q(last_name__istartswith=word)
            | Q(address__startswith=word.lower())
        )
    for word in words:
        queryset = queryset.filter(Q(first_name__istartswith=word) | Q(last_name__istartswith=word))
    return queryset

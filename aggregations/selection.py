"""Which profiles a recalculation is for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from aggregations.models import RecalculationRequest
from profiles.models import Profile, Transaction


@dataclass(frozen=True)
class Selection:
    """Profiles that meet every condition that is given; everybody where none is.

    Times are ISO 8601 with an offset. `stale_at`: what waits for its recalculation, was never
    calculated, or is overtaken by the clock at that moment.
    """

    profiles: list[str] = field(default_factory=list)
    joined_since: str | None = None
    transacted_since: str | None = None
    location: int | None = None
    stale_at: str | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Selection:
        """Return the selection that `as_json` wrote."""
        return cls(**{f.name: stored[f.name] for f in fields(cls) if f.name in stored})

    def as_json(self) -> dict[str, Any]:
        """Return what it takes to make the same selection again; nothing for everybody."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def is_everybody(self) -> bool:
        return not self.as_json()

    def queryset(self) -> QuerySet[Profile]:
        """Return the selected profiles."""
        selected = Profile.objects.all()
        if self.profiles:
            selected = selected.filter(pk__in=self.profiles)
        if self.joined_since:
            selected = selected.annotate(joined=Coalesce("joined_at", "created_at")).filter(
                joined__gte=self.joined_since
            )
        transactions = Transaction.objects.filter(profile=OuterRef("pk"))
        if self.transacted_since:
            selected = selected.filter(
                Exists(transactions.filter(transacted_at__gte=self.transacted_since))
            )
        if self.location:
            selected = selected.filter(Exists(transactions.filter(location=self.location)))
        if self.stale_at:
            waiting = RecalculationRequest.objects.filter(profile_id=OuterRef("pk"))
            selected = selected.filter(
                Exists(waiting)
                | Q(freshness=None)
                | Q(freshness__next_change_at__lte=self.stale_at)
            )
        return selected

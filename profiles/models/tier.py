"""Tiers and who held them when. The API calls a tier a status."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from dateutil.relativedelta import relativedelta
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Expression, F, Q
from django.utils import timezone as clock

from omneo.db import TimestampedModel, WatchedModel, optional_text, optional_url, timezone_field
from profiles.models.profile import Profile

LONGEST_PERIOD = 36500

COLOUR = RegexValidator(r"^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$", "A colour is written like #1a2b3c.")


def colour_field() -> models.CharField:
    return optional_text(7, validators=[COLOUR])


class Tier(WatchedModel, TimestampedModel):
    """A level of a loyalty programme, such as Gold."""

    watched = ("sort_order",)

    class PeriodType(models.TextChoices):
        DAYS = "days"
        WEEKS = "weeks"
        MONTHS = "months"
        YEARS = "years"

    name = models.CharField(max_length=255)
    handle = models.SlugField(max_length=255, unique=True)
    sort_order = models.IntegerField(default=0, help_text="The best tier has the lowest.")
    description = optional_text(5000)
    short_description = optional_text(255)
    long_description = optional_text(20000)
    terms_conditions = optional_text(20000)
    icon = optional_text(255)
    image_url = optional_url()
    earn_instructions = optional_text(5000)
    colour = colour_field()
    primary_colour = colour_field()
    secondary_colour = colour_field()
    text_colour = colour_field()
    code = optional_text(100)
    internal_notes = optional_text(5000)
    group_name = optional_text(255)
    group_handle = optional_text(255)
    timezone = timezone_field(null=True, blank=True)
    period = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_PERIOD)],
        help_text=f"How long a profile holds it, in the unit below; at most {LONGEST_PERIOD:,}.",
    )
    period_type = models.CharField(max_length=6, choices=PeriodType, null=True, blank=True)
    absolute_expiry = models.DateTimeField(
        null=True, blank=True, help_text="Nobody holds it longer than until then."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(period__range=(0, LONGEST_PERIOD)) | Q(period=None),
                name="tier_period_in_range",
            ),
            models.CheckConstraint(
                condition=Q(period=None, period_type=None)
                | Q(
                    period__isnull=False,
                    period_type__isnull=False,
                    period_type__in=["days", "weeks", "months", "years"],
                ),
                name="tier_period_and_unit",
                violation_error_message="A period needs its unit, and a unit its period.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def expiry(self, started_at: datetime) -> datetime | None:
        """Return when a profile that starts then will hold it no more; None for never.

        The earlier of the period's end and the absolute expiry, never before the start.
        """
        ends = []
        if self.period is not None:
            # A period that leads past the calendar's end never ends.
            with suppress(OverflowError, ValueError):
                ends.append(started_at + relativedelta(**{self.period_type: self.period}))
        if self.absolute_expiry is not None:
            ends.append(max(self.absolute_expiry, started_at))
        return min(ends, default=None)


class ProfileTierQuerySet(models.QuerySet):
    def held_at(self, moment: datetime | Expression) -> ProfileTierQuerySet:
        """Return the holdings that have begun by the moment, and neither expired nor ended."""
        return self.filter(
            Q(removed_at=None) | Q(removed_at__gt=moment),
            Q(expires_at=None) | Q(expires_at__gt=moment),
            started_at__lte=moment,
        )


class ProfileTier(WatchedModel, TimestampedModel):
    """A profile's holding of a tier, from its start to its expiry or removal."""

    watched = ("profile_id",)
    settled = ("expires_at",)

    objects = ProfileTierQuerySet.as_manager()

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="tiers")
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="holdings")
    started_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Where left out, what the tier's period makes of it."
    )
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gte=F("started_at")) | Q(expires_at=None),
                name="profile_tier_expires_after_start",
                violation_error_message="It cannot expire before it starts.",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__gte=F("started_at")) | Q(removed_at=None),
                name="profile_tier_removed_after_start",
                violation_error_message="It cannot be removed before it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} from {self.started_at:%Y-%m-%d}"

    def settle(self) -> None:
        if self.stored is None and self.expires_at is None:
            self.expires_at = self.tier.expiry(self.started_at)

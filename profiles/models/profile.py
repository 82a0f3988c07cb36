"""Profiles: the people a retailer knows."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from locations.models import Address, Location
from omneo.db import (
    DATE_RANGE,
    TimestampedModel,
    WatchedModel,
    date_range_constraint,
    optional_text,
    optional_url,
)
from profiles.models.currency import Currency


class Profile(WatchedModel, TimestampedModel):
    """A customer."""

    watched = (
        "created_at",
        "joined_at",
        "joined_location_id",
        "preferred_location_id",
        "referred_by_id",
    )
    settled = ("merged_into",)

    class Type(models.TextChoices):
        ACTIVE = "active"
        DELETED = "deleted"
        DEPENDANT = "dependant"
        INCOMPLETE = "incomplete"
        PENDING = "pending"
        SYSTEM = "system"
        TEMPORARY = "temporary"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile_type = models.CharField(max_length=10, choices=Type, default=Type.ACTIVE)
    title = optional_text(50)
    first_name = optional_text(255)
    last_name = optional_text(255)
    email = models.EmailField(null=True, blank=True, help_text="Unique, whatever its case.")
    gender = optional_text(50)
    mobile_phone = optional_text(30, unique=True)
    mobile_phone_country = optional_text(2)
    joined_at = models.DateTimeField(
        null=True,
        blank=True,
        validators=DATE_RANGE,
        help_text="Where left out, the profile joined when it was created.",
    )
    joined_location = models.ForeignKey(
        Location, null=True, blank=True, on_delete=models.PROTECT, related_name="joined_profiles"
    )
    preferred_location = models.ForeignKey(
        Location,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="preferring_profiles",
    )
    birth_day = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    birth_month = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    birth_year = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1900), MaxValueValidator(2100)]
    )
    company = optional_text(255)
    occupation = optional_text(255)
    avatar_url = optional_url()
    currency = models.ForeignKey(
        Currency, null=True, blank=True, on_delete=models.PROTECT, related_name="profiles"
    )
    referred_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="referrals"
    )
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="merged",
        help_text="The same person, who keeps what this one had and is purged with it.",
    )
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    meta = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [
            models.Index("created_at", "id", name="profile_newest"),
            models.Index(
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="profile_merged_into",
            ),
        ]
        constraints = [
            # Serves look-ups by the beginning of an address too.
            models.UniqueConstraint(
                OpClass(Lower("email"), name="text_pattern_ops"),
                name="profile_email",
                violation_error_message="The email exists",
            ),
            date_range_constraint("joined_at", name="profile_joined_at_in_range"),
            models.CheckConstraint(
                condition=~Q(referred_by=F("id")), name="profile_not_referred_by_itself"
            ),
            models.CheckConstraint(
                condition=Q(birth_day__range=(1, 31)) | Q(birth_day=None),
                name="profile_birth_day",
            ),
            models.CheckConstraint(
                condition=Q(birth_month__range=(1, 12)) | Q(birth_month=None),
                name="profile_birth_month",
            ),
            models.CheckConstraint(
                condition=Q(birth_year__range=(1900, 2100)) | Q(birth_year=None),
                name="profile_birth_year",
            ),
        ]

    def __str__(self) -> str:
        name = " ".join(part for part in (self.first_name, self.last_name) if part)
        return name or self.email or str(self.id)

    def settle(self) -> None:
        if self.profile_type != self.Type.DELETED:
            self.merged_into = None  # brought back, it is a person of its own


class Identity(TimestampedModel):
    """The name by which another system knows a profile, such as its loyalty card number."""

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="identities")
    handle = models.SlugField(max_length=100, db_index=False, help_text="The other system.")
    identifier = models.CharField(max_length=255, help_text="The profile's name there.")
    is_primary = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(fields=["handle", "identifier"], name="identity_once"),
        ]
        indexes = [models.Index(fields=["identifier"], name="identity_identifier")]

    def __str__(self) -> str:
        return f"{self.handle}: {self.identifier}"


class ProfileAddress(Address):
    """An address that a profile stored."""

    watched = ("profile_id",)

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="addresses")
    is_default = models.BooleanField(default=False, help_text="One address at most is the default.")

    class Meta(Address.Meta):
        verbose_name_plural = "profile addresses"
        constraints = [
            *Address.Meta.constraints,
            models.UniqueConstraint(
                fields=["profile"], condition=Q(is_default=True), name="profile_one_default_address"
            ),
        ]

"""Locations: stores, web shops, warehouses, and their parts."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from locations.models.address import Address
from locations.models.brand import Brand, Catalogued
from locations.models.region import Region
from omneo.db import TimestampedModel, WatchedModel, optional_text, optional_url, timezone_field

DAYS_OF_WEEK = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]


class Location(WatchedModel, TimestampedModel):
    """A place where people buy."""

    watched = ("name", "timezone", "region_id", "country_iso_3")

    type = optional_text(50)
    name = models.CharField(max_length=255)
    handle = models.SlugField(max_length=255, null=True, blank=True, unique=True)
    description = optional_text(5000)
    phone = optional_text(50)
    email = models.EmailField(null=True, blank=True)
    timezone = timezone_field(
        null=True,
        blank=True,
        help_text="Cuts the days of the purchases made here that name no time zone of their own.",
    )
    external_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    external_code = optional_text(255)
    is_published = models.BooleanField(default=True)
    is_permanently_closed = models.BooleanField(default=False)
    region = models.ForeignKey(
        Region,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="locations",
        help_text="Where left out: the region of its state, else of its country.",
    )
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    icon = optional_text(255)
    image_url = optional_url()
    country_iso_3 = models.CharField(
        "country code",
        max_length=3,
        null=True,
        blank=True,
        validators=[RegexValidator("^[A-Z]{3}$")],
        help_text="ISO 3166-1 alpha-3. Its address's country goes before it.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(country_iso_3__regex="^[A-Z]{3}$") | Q(country_iso_3=None),
                name="location_country_iso_3",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LocationAddress(Address):
    """The address of a location."""

    watched = ("location_id", "iso", "iso_state")

    location = models.OneToOneField(Location, on_delete=models.CASCADE, related_name="address")

    class Meta(Address.Meta):
        verbose_name_plural = "location addresses"


class NormalHours(TimestampedModel):
    """When a location is open on a day of the week."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="normal_hours")
    day_of_week = models.CharField(max_length=3, choices=[(day, day) for day in DAYS_OF_WEEK])
    open_at = models.TimeField()
    close_at = models.TimeField()

    class Meta:
        verbose_name_plural = "normal hours"
        constraints = [
            models.CheckConstraint(
                condition=Q(day_of_week__in=DAYS_OF_WEEK), name="normal_hours_day_of_week"
            ),
            models.UniqueConstraint(
                fields=["location", "day_of_week", "open_at"], name="normal_hours_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day_of_week} {self.open_at:%H:%M}–{self.close_at:%H:%M}"


class SpecialHours(TimestampedModel):
    """When a location is open on particular dates; without times it is closed then."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="special_hours")
    name = models.CharField(max_length=255)
    is_repeating = models.BooleanField(default=False, help_text="Comes again every year.")
    open_at = models.TimeField(null=True, blank=True)
    close_at = models.TimeField(null=True, blank=True)
    start_at = models.DateField()
    end_at = models.DateField()

    class Meta:
        verbose_name_plural = "special hours"
        constraints = [
            models.CheckConstraint(
                condition=Q(end_at__gte=F("start_at")),
                name="special_hours_dates_in_order",
                violation_error_message="They cannot end before they start.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Department(Catalogued):
    """A part of a location, often the corner of one brand."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="departments")
    brand = models.ForeignKey(
        Brand, null=True, blank=True, on_delete=models.PROTECT, related_name="departments"
    )
    handle = models.SlugField(max_length=255)
    external_id = models.CharField(max_length=255, null=True, blank=True, unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["location", "handle"], name="department_handle"),
        ]

"""What a postal address is, whoever it belongs to."""

from __future__ import annotations

import pycountry
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from omneo.db import TimestampedModel, WatchedModel, optional_text

COUNTRY = r"^[A-Z]{2}$"
STATE = r"^[A-Z]{2}-[A-Z0-9]{1,3}$"


class Address(WatchedModel, TimestampedModel):
    """A postal address. Its ISO codes are what the likely place of a profile is voted on."""

    settled = ("iso", "iso_state")

    name = optional_text(255)
    type = optional_text(50)
    address_line_1 = optional_text(255)
    address_line_2 = optional_text(255)
    address_line_3 = optional_text(255)
    company = optional_text(255)
    latitude = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    city = optional_text(255)
    postcode = optional_text(20)
    state = optional_text(100)
    country = optional_text(100, help_text="The country as it was entered.")
    iso = models.CharField(
        "country code",
        max_length=2,
        null=True,
        blank=True,
        validators=[RegexValidator(COUNTRY)],
        help_text="ISO 3166-1 alpha-2. Taken from the state's code or the country's name "
        "where it is left out.",
    )
    iso_state = models.CharField(
        "state code",
        max_length=6,
        null=True,
        blank=True,
        validators=[RegexValidator(STATE)],
        help_text="ISO 3166-2, such as AU-VIC.",
    )
    phone = optional_text(50)
    notes = optional_text(5000)
    external_id = optional_text(255)
    meta = models.JSONField(default=list, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(iso__regex=COUNTRY) | Q(iso=None), name="%(class)s_iso"
            ),
            models.CheckConstraint(
                condition=Q(iso_state__regex=STATE) | Q(iso_state=None),
                name="%(class)s_iso_state",
            ),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90)) | Q(latitude=None),
                name="%(class)s_latitude",
            ),
            models.CheckConstraint(
                condition=Q(longitude__range=(-180, 180)) | Q(longitude=None),
                name="%(class)s_longitude",
            ),
        ]

    def __str__(self) -> str:
        parts = (self.address_line_1, self.city, self.country or self.iso)
        return ", ".join(part for part in parts if part) or "an address"

    def clean(self) -> None:
        if self.iso and pycountry.countries.get(alpha_2=self.iso) is None:
            raise ValidationError({"iso": f"{self.iso} is not an ISO 3166-1 country."})
        if self.iso_state and pycountry.subdivisions.get(code=self.iso_state) is None:
            raise ValidationError({"iso_state": f"{self.iso_state} is not an ISO 3166-2 state."})
        if self.iso and self.iso_state and not self.iso_state.startswith(f"{self.iso}-"):
            raise ValidationError({"iso_state": f"{self.iso_state} is not in {self.iso}."})

    def settle(self) -> None:
        self.iso = self.iso or country_code(name=self.country, state=self.iso_state)
        self.iso_state = self.iso_state or None


def country_code(*, name: str | None, state: str | None = None) -> str | None:
    """Return the alpha-2 code of a state's country, else of a country's name or code.

    None where neither says it: a name that ISO 3166-1 does not know is kept, but not voted on.
    """
    if state:
        return state[:2]
    if not name:
        return None
    try:
        return pycountry.countries.lookup(name).alpha_2
    except LookupError:
        return None

"""The row of aggregations, and the catalogue of what its fields mean.

The `help_text` of each field is its meaning for everybody: the admin shows it, the API's schema
and the field reference are made from it.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models

from locations.models import Location
from profiles.models import Currency, Profile, Tier


class ReadOnlyModelError(TypeError):
    """Raised when something other than the calculation tries to write a calculated row."""


def count_field(meaning: str) -> models.IntegerField:
    return models.IntegerField(db_default=0, help_text=meaning)


def days_field(meaning: str) -> models.IntegerField:
    return models.IntegerField(null=True, help_text=meaning)


def money_field(meaning: str, **options) -> models.DecimalField:
    return models.DecimalField(max_digits=20, decimal_places=2, help_text=meaning, **options)


def code_field(meaning: str, *, max_length: int, **options) -> models.CharField:
    return models.CharField(max_length=max_length, help_text=meaning, **options)


def place_field(meaning: str) -> models.ForeignKey:
    # Not held by the database: the row follows when a location goes, a moment later, and a
    # location that is deleted must not wait for five look-ups in the largest table.
    return models.ForeignKey(
        Location,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text=meaning,
    )


def names_field(meaning: str) -> ArrayField:
    return ArrayField(models.CharField(max_length=255), db_default=[], help_text=meaning)


def score_field(of: str) -> models.SmallIntegerField:
    return models.SmallIntegerField(
        null=True,
        help_text=f"Strength of the guess of the {of}, by its share of all weight: 1 from 80 %, "
        "2 from 60 %, 3 from 40 %, 4 from 20 %, else 5.",
    )


class Aggregation(models.Model):
    """What a profile's history comes to: one row a profile, written by the calculation alone.

    A purchase is a transaction that is not void and has a total above 0. Money is in the system
    currency unless said otherwise. A shop date is the calendar date of a purchase in its own time
    zone. Months are calendar months. Averages in whole numbers round half up.
    """

    profile = models.OneToOneField(
        Profile,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="aggregation",
        help_text="The profile that the row is of.",
    )
    shop_days = days_field(
        "Average days between purchases: days from the first to the last shop date, divided by "
        "the number of purchases less one. Nothing below two purchases."
    )
    spend_12m = money_field(
        "Net amount of all transactions in the 12 months before the calculation.", db_default=0
    )
    spend_12m_now = money_field(
        "Net amount of all transactions in the 12 months before now.", db_default=0
    )
    spend_all = money_field("Net amount of all transactions.", db_default=0)
    spend_atv_12m = money_field(
        "Net amount of the 12 months before the calculation, divided by the number of purchases "
        "in them. Nothing without one.",
        null=True,
    )
    spend_atv_all = money_field(
        "Net amount of all transactions, divided by the number of purchases. Nothing without one.",
        null=True,
    )
    discount_avg = models.DecimalField(
        max_digits=20,
        decimal_places=2,
        null=True,
        help_text="Average discount in percent of the original total, over the purchases that "
        "state one above 0; each purchase counts the same.",
    )
    spend_first_date = models.DateTimeField(
        null=True, help_text="When the first transaction was made, refunds among them; in UTC."
    )
    spend_last_date = models.DateTimeField(
        null=True, help_text="When the last transaction was made, refunds among them; in UTC."
    )
    dimension_frequency = code_field(
        "F0 never purchased, F1 once, F2 twice; from three purchases on FL where the average days "
        "between them exceed 30, else FH.",
        max_length=2,
        db_default="F0",
    )
    dimension_recency = code_field(
        "By the latest purchase: RC within the last 3 months, RS within 6, RA within 12, RI "
        "earlier, R0 never purchased.",
        max_length=2,
        db_default="R0",
    )
    dimension_join = code_field(
        "By whole days since the profile joined: JN to 90, JC to 365, J1 to 730, J2 to 1095, and "
        "so on by 365.",
        max_length=8,
        db_default="JN",
    )
    channel = code_field(
        "CM purchased both at a point of sale and on the website, CF at a point of sale only, CO "
        "on the website only.",
        max_length=2,
        null=True,
    )
    shop_count = count_field("Number of purchases.")
    total_referred = count_field("Number of profiles that this profile referred.")
    store_join = place_field("Where the earliest purchase that has a location was made.")
    likely_country = code_field(
        "The country that purchases of the last 24 months, joined location, preferred location "
        "and stored addresses speak for.",
        max_length=100,
        null=True,
    )
    likely_country_score = score_field("country")
    purchased_brands = names_field(
        "Names of all brands purchased, sorted. Void lines and lines given back do not count."
    )
    total_shop_days = count_field("Number of distinct shop dates.")
    first_shop_days = days_field(
        "Days from joining (a date in UTC) to the first shop date, never below 0."
    )
    second_shop_days = days_field("Days from the first to the second distinct shop date.")
    latest_shop_days = days_field("Days from the last but one to the last distinct shop date.")
    average_shop_days = days_field(
        "Days from the first to the last shop date, divided by the number of distinct shop dates. "
        "Nothing below three of them."
    )
    second_shop_date = models.DateField(null=True, help_text="The second distinct shop date.")
    previous_shop_date = models.DateField(
        null=True, help_text="The last but one distinct shop date."
    )
    at_risk_date = models.DateField(
        null=True, help_text="The last shop date plus three times the average shop days."
    )
    most_transacted_location = place_field(
        "Where most purchases of the last 24 months were made; where there are none, most of all. "
        "Ties: the most recent purchase wins, then the older location."
    )
    most_spend_location = place_field(
        "Where the net amount of all transactions is highest, and above 0. Ties as above."
    )
    most_spend_12m_location = place_field(
        "Where the net amount of the 12 months before the calculation is highest, and above 0."
    )
    latest_shop_spend = money_field("The latest purchase's total, in its own currency.", null=True)
    latest_shop_currency = models.ForeignKey(
        Currency,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="The latest purchase's currency; nothing where it names none.",
    )
    latest_transacted_location = place_field(
        "Where the latest purchase that has a location was made."
    )
    transacted_locations = names_field("Names of all locations with a purchase, sorted.")
    likely_country_iso = code_field(
        "ISO 3166-1 alpha-2 code of the likely country.", max_length=2, null=True
    )
    likely_country_iso_score = score_field("country")
    likely_state_iso = code_field(
        "ISO 3166-2 code of the likely state, voted on within the likely country.",
        max_length=6,
        null=True,
    )
    likely_state_iso_score = score_field("state")
    likely_region = code_field(
        "Name of the likely region, voted on as the country is.", max_length=255, null=True
    )
    likely_region_score = score_field("region")
    top_historic_status = models.ForeignKey(
        Tier,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="The best tier that the profile ever held, by sort order, then by its start.",
    )
    changed_at = models.DateTimeField(
        help_text="The calculation or clock refresh that last changed a value: the row's version."
    )

    class Meta:
        # Each makes every recalculation that changes a value dearer: what they are for, and what
        # was left without one, is told in docs/segments.md.
        indexes = [
            models.Index(fields=["-spend_all", "profile"], name="aggregation_spend_all"),
            models.Index(fields=["-spend_last_date", "profile"], name="aggregation_last_date"),
            models.Index(fields=["at_risk_date", "profile"], name="aggregation_at_risk"),
        ]

    def __str__(self) -> str:
        return f"Aggregations of {self.profile_id}"

    def save(self, *args, **kwargs) -> None:
        raise ReadOnlyModelError("Aggregations are calculated; ask for a recalculation instead.")

    @property
    def calculated_at(self) -> datetime:
        """The moment of the last recalculation."""
        return self.profile.freshness.calculated_at

    @property
    def next_change_at(self) -> datetime | None:
        """The first moment at which the clock alone will change a value."""
        return self.profile.freshness.next_change_at


class Freshness(models.Model):
    """When a profile's row was calculated, and when the clock will overtake it.

    Apart from the row itself so that a recalculation which changes nothing writes these few
    bytes and not the whole row. It is also what recalculations lock, in the order of its key.
    """

    profile = models.OneToOneField(
        Profile, primary_key=True, on_delete=models.CASCADE, related_name="freshness"
    )
    calculated_at = models.DateTimeField(help_text="The moment of the last recalculation.")
    next_change_at = models.DateTimeField(
        null=True,
        help_text="The first moment at which spend_12m_now, dimension_recency or dimension_join "
        "will differ though nothing happens.",
    )

    class Meta:
        verbose_name_plural = "freshness"
        indexes = [
            models.Index(
                fields=["next_change_at"],
                condition=models.Q(next_change_at__isnull=False),
                name="freshness_due",
            ),
        ]

    def __str__(self) -> str:
        return f"calculated {self.calculated_at:%Y-%m-%d %H:%M:%S}"

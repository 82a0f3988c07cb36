"""Currencies and the rates that turn them into the system currency."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from omneo.db import TimestampedModel

CODE = r"^[A-Z]{3}$"


class Currency(TimestampedModel):
    """What one unit of a currency is worth in the system currency.

    A transaction freezes the rate when it is saved; a new rate is for later transactions.
    """

    from_code = models.CharField(
        "from", max_length=3, validators=[RegexValidator(CODE)], help_text="ISO 4217, such as AUD."
    )
    to_code = models.CharField(
        "to", max_length=3, validators=[RegexValidator(CODE)], help_text="ISO 4217."
    )
    rate = models.DecimalField(
        max_digits=18, decimal_places=8, help_text="Units of “to” for one unit of “from”."
    )
    is_system = models.BooleanField(
        default=False, help_text="The currency that all aggregations are in. There is one at most."
    )

    class Meta:
        verbose_name_plural = "currencies"
        constraints = [
            models.CheckConstraint(
                condition=Q(rate__gt=0),
                name="currency_rate_above_0",
                violation_error_message="A rate is above 0.",
            ),
            models.CheckConstraint(
                condition=Q(from_code__regex=CODE, to_code__regex=CODE), name="currency_codes"
            ),
            models.CheckConstraint(
                condition=Q(is_system=False) | Q(rate=1),
                name="currency_system_rate_is_1",
                violation_error_message="The system currency's rate is 1.",
            ),
            models.UniqueConstraint(fields=["from_code", "to_code"], name="currency_once"),
            models.UniqueConstraint(
                fields=["is_system"],
                condition=Q(is_system=True),
                name="currency_one_system",
                violation_error_message="There is a system currency already.",
            ),
        ]

    def __str__(self) -> str:
        return self.from_code if self.is_system else f"{self.from_code} → {self.to_code}"

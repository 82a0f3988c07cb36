"""Countries: the reference table that turns codes into names."""

from django.db import models
from django.db.models import Q


class Country(models.Model):
    """A country of ISO 3166-1. The rows come with a migration and are not edited."""

    iso_2 = models.CharField(primary_key=True, max_length=2, help_text="ISO 3166-1 alpha-2 code.")
    iso_3 = models.CharField(max_length=3, unique=True, help_text="ISO 3166-1 alpha-3 code.")
    name = models.CharField(max_length=100, unique=True, help_text="The short English name.")

    class Meta:
        verbose_name_plural = "countries"
        constraints = [
            models.CheckConstraint(condition=Q(iso_2__regex="^[A-Z]{2}$"), name="country_iso_2"),
            models.CheckConstraint(condition=Q(iso_3__regex="^[A-Z]{3}$"), name="country_iso_3"),
        ]

    def __str__(self) -> str:
        return self.name

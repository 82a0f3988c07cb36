"""Regions: a retailer's own grouping of countries and states."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from omneo.db import TimestampedModel, WatchedModel

COUNTRY_OR_STATE = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"


class Region(WatchedModel, TimestampedModel):
    """A market such as “ANZ” or “New England”: countries, states or both."""

    watched = ("name",)

    name = models.CharField(max_length=255)
    handle = models.SlugField(max_length=255, unique=True)
    is_default = models.BooleanField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="region_one_default",
                violation_error_message="There is a default region already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RegionMember(WatchedModel):
    """A country (`AU`) or a state (`AU-VIC`) of a region. Each belongs to one region at most.

    A place is in the region of its state where that has one, else in that of its country.
    """

    watched = ("region_id", "iso")

    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="members")
    iso = models.CharField(
        max_length=6,
        unique=True,
        validators=[RegexValidator(COUNTRY_OR_STATE)],
        help_text="ISO 3166-1 alpha-2 code of a country or ISO 3166-2 code of a state.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(iso__regex=COUNTRY_OR_STATE), name="region_member"),
        ]

    def __str__(self) -> str:
        return self.iso

    def clean(self) -> None:
        from_another = RegionMember.objects.filter(iso=self.iso).exclude(pk=self.pk)
        if taken := from_another.select_related("region").first():
            raise ValidationError({"iso": f"{self.iso} is in the region {taken.region} already."})

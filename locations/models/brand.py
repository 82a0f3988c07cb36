"""Brands: who makes what is sold."""

from django.db import models

from omneo.db import TimestampedModel, WatchedModel, optional_text, optional_url


class Catalogued(TimestampedModel):
    """What a brand and a department say of themselves alike."""

    name = models.CharField(max_length=255)
    external_code = optional_text(255)
    description = optional_text(5000)
    short_description = optional_text(255)
    url = optional_url()
    image_url = optional_url()
    internal_note = optional_text(5000)
    meta = models.JSONField(default=list, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Brand(WatchedModel, Catalogued):
    """A brand. Items name theirs, departments may have one."""

    watched = ("name",)

    handle = models.SlugField(max_length=255, unique=True)
    external_id = models.CharField(max_length=255, null=True, blank=True, unique=True)

    class Meta:
        # Each sale names its brands.
        indexes = [models.Index(fields=["name", "id"], name="brand_name")]

"""Under which names profiles were known before."""

from __future__ import annotations

from django.db import models

from profiles.models.profile import Profile


class FormerName(models.Model):
    """A name that a profile gave up: its email, its mobile number, or that of an identity.

    Somebody may still use it, such as a sale that waits: who is purged has to be found under it.
    Triggers of the database write these rows, whatever it is that takes a name from a profile.
    """

    # Deleting a profile takes its identities from it, which writes rows while it goes.
    profile = models.ForeignKey(
        Profile,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="former_names",
    )
    handle = models.CharField(
        max_length=100, help_text="That of an identity, or the field of the profile."
    )
    identifier = models.CharField(max_length=255, help_text="Of an email the lower case.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "handle", "identifier"], name="former_name_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.handle}: {self.identifier}"

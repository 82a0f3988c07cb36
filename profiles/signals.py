"""Signals that this app sends."""

from django.dispatch import Signal

# Sent by every path that writes profiles or what hangs on them around `save()`: COPY,
# bulk_create(), update(), raw SQL; inside the writer's own database transaction.
# `profile_ids`: a collection of the keys whose history may be another now.
# `is_live`: somebody waits for what follows, as after a sale; left out, it goes behind all such.
history_changed = Signal()

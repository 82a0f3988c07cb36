"""Changes of rows by `save()`, as staff and the API make them."""

from __future__ import annotations

from typing import Any

from django.db.models import Model


def edit(row: Model, **values: Any) -> None:
    """Save a row with other values; a function makes its value when it comes to that."""
    for name, value in values.items():
        setattr(row, name, value() if callable(value) else value)
    row.save()

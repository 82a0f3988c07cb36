"""Writes docs/fields.md from the models: `make docs` runs it."""

from __future__ import annotations

import os
from pathlib import Path

import django
from django.db import models

PAGE = Path(__file__).with_name("fields.md")

HEAD = """# What each field means

{introduction}

Made from the models by `make docs`.

| field | type in JSON | meaning |
|---|---|---|
"""


def json_type(field: models.Field) -> str:
    """Return what the API shows a field as."""
    match field:
        case models.ForeignKey():
            kind = (
                "status"
                if field.name == "top_historic_status"
                else field.related_model._meta.verbose_name
            )
        case models.IntegerField():
            kind = "integer"
        case models.DecimalField():
            kind = "number"
        case models.DateTimeField():
            kind = "string, `YYYY-MM-DD HH:MM:SS`"
        case models.DateField():
            kind = "string, `YYYY-MM-DD`"
        case models.CharField() | models.UUIDField():
            kind = "string"
        case _:
            return "array of strings"
    return f"{kind} or null" if field.null else kind


def reference() -> str:
    """Return the page."""
    from aggregations.models import Aggregation

    introduction = " ".join(line.strip() for line in Aggregation.__doc__.splitlines()).strip()
    fields = [
        f for f in Aggregation._meta.concrete_fields if f.name not in ("profile", "changed_at")
    ]
    rows = [f"| `profile_id` | string | {Aggregation._meta.get_field('profile').help_text} |"]
    rows += [f"| `{field.name}` | {json_type(field)} | {field.help_text} |" for field in fields]
    return HEAD.format(introduction=introduction.replace("  ", "\n\n")) + "\n".join(rows) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omneo.settings")
    django.setup()
    PAGE.write_text(reference())

"""What the admin of every app builds on. Imports no app."""

from omneo.admin.base import (
    SHOWN_OBSTACLES,
    LargeTableAdmin,
    ModelAdmin,
    StackedInline,
    TabularInline,
    changelist_url,
)
from omneo.admin.pagination import BoundedChangeList
from omneo.admin.readonly import ReadOnlyAdmin, RetryingAdmin, Standing
from omneo.admin.tiles import Tile, age, counted, number, tiles_of

__all__ = [
    "SHOWN_OBSTACLES",
    "BoundedChangeList",
    "LargeTableAdmin",
    "ModelAdmin",
    "ReadOnlyAdmin",
    "RetryingAdmin",
    "StackedInline",
    "Standing",
    "TabularInline",
    "Tile",
    "age",
    "changelist_url",
    "counted",
    "number",
    "tiles_of",
]

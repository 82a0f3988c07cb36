"""What the admin of every app builds on. Imports no app."""

from omneo.admin.base import (
    LargeTableAdmin,
    ModelAdmin,
    StackedInline,
    TabularInline,
    changelist_url,
)
from omneo.admin.pagination import BoundedChangeList

__all__ = [
    "BoundedChangeList",
    "LargeTableAdmin",
    "ModelAdmin",
    "StackedInline",
    "TabularInline",
    "changelist_url",
]

"""Aggregations in the admin: on pages of their own, and as a panel on the profile."""

from aggregations.admin.aggregation import AggregationAdmin
from aggregations.admin.dashboard import dashboard
from aggregations.admin.profile import ProfileAdmin
from aggregations.admin.request import RecalculationRequestAdmin

__all__ = ["AggregationAdmin", "ProfileAdmin", "RecalculationRequestAdmin", "dashboard"]

"""What the calculation writes and what it is asked for."""

from aggregations.models.aggregation import Aggregation, Freshness, ReadOnlyModelError
from aggregations.models.count import RecalculationCount
from aggregations.models.request import RecalculationRequest
from aggregations.models.run import RecalculationRange, RecalculationRun

__all__ = [
    "Aggregation",
    "Freshness",
    "ReadOnlyModelError",
    "RecalculationCount",
    "RecalculationRange",
    "RecalculationRequest",
    "RecalculationRun",
]

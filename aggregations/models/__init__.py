"""What the calculation writes and what it is asked for."""

from aggregations.models.aggregation import Aggregation, Freshness, ReadOnlyModelError
from aggregations.models.count import RecalculationCount
from aggregations.models.request import RecalculationRequest
from aggregations.models.run import RecalculationRange, RecalculationRun
from aggregations.models.shared import SharedChange
from aggregations.models.warning import LagWarning

__all__ = [
    "Aggregation",
    "Freshness",
    "LagWarning",
    "ReadOnlyModelError",
    "RecalculationCount",
    "RecalculationRange",
    "RecalculationRequest",
    "RecalculationRun",
    "SharedChange",
]

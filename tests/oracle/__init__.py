"""An independent calculation, in plain Python, to hold the real one against."""

from tests.oracle.agreement import (
    differences,
    differences_at,
    differences_from,
    load,
    stored,
)
from tests.oracle.meanings import calculate
from tests.oracle.past import known_at

__all__ = [
    "calculate",
    "differences",
    "differences_at",
    "differences_from",
    "known_at",
    "load",
    "stored",
]

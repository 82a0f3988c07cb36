"""An independent calculation, in plain Python, to hold the real one against."""

from tests.oracle.agreement import differences, load, stored
from tests.oracle.meanings import calculate

__all__ = ["calculate", "differences", "load", "stored"]

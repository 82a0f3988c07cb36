"""The message that makes a recalculation quick. What it says stands in the database already."""

from aggregations.tasks import recalculate_waiting
from omneo.nudge import Nudge

nudge = Nudge(recalculate_waiting)

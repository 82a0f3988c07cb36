"""The messages that make a recalculation quick. What they say stands in the database already."""

from aggregations.tasks import hand_out, recalculate_waiting, refresh_due
from omneo.nudge import Nudge

nudge = Nudge(recalculate_waiting)
nudge_to_hand_out = Nudge(hand_out)
nudge_to_refresh = Nudge(refresh_due)

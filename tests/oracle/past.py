"""What was known of a profile at a moment in the past, as the aggregations look back at it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tests.oracle.meanings import History


def known_at(history: History, moment: datetime) -> History:
    """Return the history without what happened later.

    A sale happens when it is made, a tier when it is first held, a referral when the referred
    profile joins. All else is known at any time, as it is now.
    """
    return replace(
        history,
        sales=[sale for sale in history.sales if not sale.transacted_at > moment],
        holdings=[holding for holding in history.holdings if not holding.started_at > moment],
        referrals=[joined_at for joined_at in history.referrals if not joined_at > moment],
    )

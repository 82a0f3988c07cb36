"""What tests of the calculation share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from aggregations.calculation import recalculate
from aggregations.models import Aggregation
from profiles.models import Profile
from tests.factories import ProfileFactory, utc


@pytest.fixture
def profile(db: None) -> Profile:
    return ProfileFactory(joined_at=utc("2025-01-15 00:00"))


@pytest.fixture
def calculated(moment: datetime) -> Callable[..., Aggregation]:
    """Return the function that recalculates a profile and reads its row."""

    def calculate(profile: Profile, *, at: datetime = moment) -> Aggregation:
        recalculate(profile_ids=[profile.id], moment=at)
        return Aggregation.objects.select_related("profile__freshness").get(profile=profile)

    return calculate

"""Real purchases, all of them: 2,469 households, 155,848 baskets, 1,469,307 lines of a year."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.core.management import call_command

from aggregations.calculation import recalculate
from profiles.models import Profile, Transaction
from tests.factories import utc
from tests.oracle.agreement import differences

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("swept")]


@pytest.fixture
def households() -> list[UUID]:
    call_command("load_completejourney", "--keep-dates", verbosity=0)
    return list(Profile.objects.values_list("pk", flat=True))


def test_every_field_of_every_household_is_what_the_oracle_says(households: list[UUID]):
    # After the year's end, so that some purchases have left the windows and some have not.
    moment = utc("2018-04-15 12:00")

    recalculate(profile_ids=households, moment=moment)

    assert len(households) == 2469
    assert Transaction.objects.count() == 155_848
    assert differences(households, moment=moment) == []

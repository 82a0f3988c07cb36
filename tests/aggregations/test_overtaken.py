"""Selections of rows that the clock has overtaken."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from django.db.models import Count

from aggregations.calculation import recalculate
from aggregations.models import Aggregation
from aggregations.overtaken import all_overtaken, brought_forward, overtaken_of
from profiles.models import Profile
from tests.factories import ProfileFactory, TransactionFactory, utc

pytestmark = pytest.mark.django_db

SOLD_AT = utc("2024-06-30 08:00")
CALCULATED_AT = utc("2024-07-01 08:00")


@pytest.fixture
def moment() -> datetime:
    return utc("2025-07-15 08:00")


@pytest.fixture
def overtaken() -> UUID:
    """A profile whose only sale was within the last three months when its row was stored."""
    profile = TransactionFactory(transacted_at=SOLD_AT, total=100).profile
    Profile.objects.update(joined_at=utc("2020-01-01"))
    recalculate(profile_ids=[profile.pk], moment=CALCULATED_AT)
    return profile.pk


def recency(moment: datetime, *profile_ids: UUID) -> list[str]:
    with brought_forward(profile_ids, moment=moment):
        return list(Aggregation.objects.values_list("dimension_recency", flat=True))


def test_who_is_overtaken_is_found_by_the_moment(overtaken: UUID, moment: datetime):
    assert all_overtaken(moment=moment) == [overtaken]
    assert all_overtaken(moment=CALCULATED_AT) == []


def test_those_of_some_profiles_are_found_among_all(overtaken: UUID, moment: datetime):
    TransactionFactory(transacted_at=SOLD_AT)

    assert overtaken_of([overtaken], moment=moment) == [overtaken]
    assert overtaken_of([ProfileFactory().pk], moment=moment) == []


def test_a_selection_sees_what_the_clock_has_made_of_a_row(overtaken: UUID, moment: datetime):
    with brought_forward([overtaken], moment=moment):
        row = Aggregation.objects.get()

    assert (row.dimension_recency, row.spend_12m_now, row.dimension_join) == ("RI", 0, "J5")
    assert (row.spend_all, row.shop_count) == (100, 1)


def test_it_selects_and_sorts_and_counts_by_it(overtaken: UUID, moment: datetime):
    lapsed = Aggregation.objects.filter(dimension_recency="RI")
    counted = Aggregation.objects.values("dimension_recency").annotate(rows=Count("pk"))

    with brought_forward([overtaken], moment=moment):
        assert lapsed.count() == 1
        assert lapsed.order_by("-spend_12m_now").first().pk == overtaken
        assert counted.get()["rows"] == 1


def test_it_reaches_rows_by_their_profiles(overtaken: UUID, moment: datetime):
    with brought_forward([overtaken], moment=moment):
        profile = Profile.objects.select_related("aggregation").get()

    assert profile.aggregation.dimension_recency == "RI"


def test_it_may_have_values_with_percent_signs(overtaken: UUID, moment: datetime):
    within = Aggregation.objects.filter(dimension_recency__contains="I", likely_region=None)

    with brought_forward([overtaken], moment=moment):
        assert within.exists()
        assert not within.filter(dimension_recency__contains="%").exists()


def test_the_selection_after_it_sees_what_is_stored(overtaken: UUID, moment: datetime):
    assert recency(moment, overtaken) == ["RI"]
    assert recency(moment) == ["RC"]


def test_what_was_stored_meanwhile_counts(overtaken: UUID, moment: datetime):
    with brought_forward([overtaken], moment=moment):
        recalculate(profile_ids=[overtaken], moment=moment)
        Aggregation.objects.filter(pk=overtaken).update(dimension_recency="RS")

        assert Aggregation.objects.get().dimension_recency == "RS"


def test_a_row_that_is_not_overtaken_is_as_it_is_stored(overtaken: UUID, moment: datetime):
    assert recency(CALCULATED_AT, overtaken) == ["RC"]

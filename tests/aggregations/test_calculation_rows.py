"""Which rows a recalculation writes: all that were asked for, anew from what is there now."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from aggregations.calculation import recalculate
from aggregations.models import Aggregation, ReadOnlyModelError
from profiles.models import Transaction
from tests.factories import (
    BrandFactory,
    LocationFactory,
    ProfileFactory,
    TransactionFactory,
    TransactionItemFactory,
    utc,
)
from tests.oracle import stored


def test_a_profile_that_was_never_calculated_gets_a_row(profile, moment):
    assert recalculate(profile_ids=[profile.id], moment=moment) == 1

    assert Aggregation.objects.filter(profile=profile).exists()


def test_the_row_of_a_profile_without_a_history_says_so(profile, calculated):
    row = calculated(profile)

    assert (row.shop_count, row.total_referred, row.total_shop_days) == (0, 0, 0)
    assert (row.dimension_frequency, row.dimension_recency) == ("F0", "R0")
    assert (row.purchased_brands, row.transacted_locations) == ([], [])
    assert row.channel is None


def test_several_profiles_are_calculated_at_once(db, moment):
    profiles = [ProfileFactory() for _ in range(3)]
    for number, profile in enumerate(profiles):
        for _ in range(number):
            TransactionFactory(profile=profile)

    recalculate(profile_ids=[profile.id for profile in profiles], moment=moment)

    assert [profile.aggregation.shop_count for profile in profiles] == [0, 1, 2]


def test_profiles_that_were_not_asked_for_are_left_alone(db, moment):
    asked, other = ProfileFactory(), ProfileFactory()

    recalculate(profile_ids=[asked.id], moment=moment)

    assert not Aggregation.objects.filter(profile=other).exists()


def test_a_profile_that_is_named_twice_is_calculated_once(profile, moment):
    assert recalculate(profile_ids=[profile.id, profile.id], moment=moment) == 1


def test_an_unknown_profile_is_passed_over(profile, moment):
    assert recalculate(profile_ids=[uuid.uuid4(), profile.id], moment=moment) == 1


def test_no_profiles_are_no_rows(db, moment):
    assert recalculate(profile_ids=[], moment=moment) == 0


def test_a_row_that_is_true_already_is_not_written(profile, calculated, moment):
    TransactionFactory(profile=profile, at="2025-06-01 12:00")
    calculated(profile)
    later = moment + timedelta(hours=1)

    assert recalculate(profile_ids=[profile.id], moment=later) == 0

    row = Aggregation.objects.get(profile=profile)
    assert row.changed_at == moment
    assert row.calculated_at == later


def test_a_row_that_changes_has_the_moment_as_its_version(profile, calculated, moment):
    calculated(profile)
    TransactionFactory(profile=profile, at="2025-06-01 12:00")
    later = moment + timedelta(hours=1)

    row = calculated(profile, at=later)

    assert (row.changed_at, row.calculated_at) == (later, later)


def test_a_row_can_be_written_by_nothing_else(profile, calculated):
    row = calculated(profile)

    with pytest.raises(ReadOnlyModelError):
        row.save()


def test_a_row_goes_with_its_profile(profile, calculated):
    calculated(profile)

    profile.delete()

    assert Aggregation.objects.count() == 0


def test_the_order_in_which_transactions_arrived_does_not_matter(db, moment):
    ordered, backdated = ProfileFactory(), ProfileFactory()
    location, days = LocationFactory(), ["2024-01-05", "2025-03-01", "2025-05-30"]
    for day in days:
        TransactionFactory(profile=ordered, location=location, at=day)
    for day in reversed(days):
        TransactionFactory(profile=backdated, location=location, at=day)
        recalculate(profile_ids=[backdated.id], moment=moment)

    recalculate(profile_ids=[ordered.id], moment=moment)

    rows = stored([ordered.id, backdated.id])
    for row in rows.values():
        del row["profile_id"], row["next_change_at"]
    assert rows[ordered.id] == rows[backdated.id]


def test_a_deleted_transaction_leaves_no_trace(profile, calculated):
    location = LocationFactory()
    transaction = TransactionFactory(profile=profile, location=location, systems=["pos"])
    TransactionItemFactory(transaction=transaction, brand=BrandFactory())
    untouched = ProfileFactory(joined_at=profile.joined_at)
    calculated(profile)
    transaction.delete()

    calculated(profile)
    calculated(untouched)

    rows = stored([profile.id, untouched.id])
    for row in rows.values():
        del row["profile_id"]
    assert rows[profile.id] == rows[untouched.id]


def test_a_transaction_that_moves_counts_for_its_new_profile_alone(profile, calculated):
    other = ProfileFactory()
    transaction = TransactionFactory(profile=profile, total=70)
    transaction.profile = other
    transaction.save()

    assert calculated(profile).spend_all == 0
    assert calculated(other).spend_all == 70


def test_a_history_that_is_merged_into_another_is_one_history(profile, calculated):
    other = ProfileFactory()
    brand = BrandFactory(name="Acme")
    for day, owner in [("2025-03-01", other), ("2025-03-02", profile), ("2025-03-04", other)]:
        transaction = TransactionFactory(profile=owner, at=day, total=10)
        TransactionItemFactory(transaction=transaction, brand=brand)
    Transaction.objects.filter(profile=other).update(profile=profile)

    row = calculated(profile)

    assert (row.shop_count, row.spend_all, row.total_shop_days) == (3, 30, 3)
    assert row.purchased_brands == ["Acme"]
    assert calculated(other).purchased_brands == []


def test_the_moment_decides_and_not_the_clock_on_the_wall(profile, calculated):
    TransactionFactory(profile=profile, at="2001-03-01 12:00")

    row = calculated(profile, at=utc("2001-04-01 12:00"))

    assert row.spend_12m == 100
    assert row.dimension_recency == "RC"
    assert row.calculated_at == utc("2001-04-01 12:00")

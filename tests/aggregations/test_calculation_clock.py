"""What changes as time passes though nothing happens, and when it changes next.

The `profile` joined on 15 January 2025 at 0:00: its join stage changes on 16 April 2025, on
16 January 2026 and a year later.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from aggregations.calculation import refresh_clock
from aggregations.models import Aggregation
from profiles.models import Profile
from tests.factories import (
    CurrencyFactory,
    LocationFactory,
    ProfileFactory,
    TransactionFactory,
    utc,
)


@pytest.fixture
def refreshed() -> Callable[..., Aggregation]:
    """Return the function that lets a profile's clock catch up and reads its row."""

    def refresh(profile: Profile, *, at: str) -> Aggregation:
        refresh_clock(profile_ids=[profile.id], moment=utc(at))
        return Aggregation.objects.select_related("profile__freshness").get(profile=profile)

    return refresh


@pytest.fixture
def next_changes(calculated) -> Callable[..., list[datetime]]:
    """Return the function that recalculates at each change that is announced."""

    def follow(profile: Profile, *, at: str, times: int) -> list[str]:
        changes, moment = [], utc(at)
        for _ in range(times):
            moment = calculated(profile, at=moment).next_change_at
            changes.append(f"{moment:%Y-%m-%d %H:%M}")
        return changes

    return follow


class TestNextChange:
    def test_of_a_profile_without_purchases_is_that_of_its_join_stage(self, profile, next_changes):
        assert next_changes(profile, at="2025-02-01", times=4) == [
            "2025-04-16 00:00",
            "2026-01-16 00:00",
            "2027-01-16 00:00",
            "2028-01-16 00:00",
        ]

    def test_of_who_joins_in_the_future_is_91_days_after_that(self, profile, next_changes):
        assert next_changes(profile, at="2024-02-01", times=1) == ["2025-04-16 00:00"]

    def test_comes_as_a_purchase_passes_3_6_and_12_months(self, profile, next_changes):
        TransactionFactory(profile=profile, at="2025-05-10 08:30")

        assert next_changes(profile, at="2025-07-01", times=4) == [
            "2025-08-10 08:30",
            "2025-11-10 08:30",
            "2026-01-16 00:00",  # joined 366 days ago
            "2026-05-10 08:30",
        ]

    def test_comes_as_any_transaction_leaves_the_12_months(self, profile, next_changes):
        TransactionFactory(profile=profile, at="2024-08-01 09:00")
        TransactionFactory(profile=profile, at="2024-08-02 09:00", total=-10)
        TransactionFactory(profile=profile, at="2025-06-30 09:00")

        assert next_changes(profile, at="2025-07-01", times=3) == [
            "2025-08-01 09:00",
            "2025-08-02 09:00",
            "2025-09-30 09:00",
        ]

    def test_does_not_come_for_voids_and_transactions_of_0(self, profile, next_changes):
        TransactionFactory(profile=profile, at="2024-08-01 09:00", is_void=True)
        TransactionFactory(profile=profile, at="2024-08-02 09:00", total=0)

        assert next_changes(profile, at="2025-07-01", times=1) == ["2026-01-16 00:00"]

    def test_does_not_come_for_recency_with_an_earlier_purchase(self, profile, next_changes):
        TransactionFactory(profile=profile, at="2025-04-20 09:00")
        TransactionFactory(profile=profile, at="2025-06-20 09:00")

        assert next_changes(profile, at="2025-07-01", times=1) == ["2025-09-20 09:00"]

    def test_comes_as_a_purchase_of_the_future_grows_old(self, profile, next_changes):
        TransactionFactory(profile=profile, at="2025-08-20 09:00")

        assert next_changes(profile, at="2025-07-01", times=1) == ["2025-11-20 09:00"]

    def test_is_after_the_moment_itself(self, profile, calculated):
        TransactionFactory(profile=profile, at="2025-04-01 09:00")

        row = calculated(profile, at=utc("2025-07-01 09:00"))

        assert row.dimension_recency == "RS"
        assert row.next_change_at == utc("2025-10-01 09:00")


class TestMonthsOfDifferentLength:
    def test_28_february_leaves_comes_back_on_29_and_leaves_for_good(self, profile, next_changes):
        TransactionFactory(profile=profile, at="2023-02-28 12:00", total=-10)

        assert next_changes(profile, at="2024-02-01", times=3) == [
            "2024-02-28 12:00",
            "2024-02-29 00:00",
            "2024-02-29 12:00",
        ]

    def test_29_february_leaves_when_1_march_begins(self, profile, next_changes, calculated):
        TransactionFactory(profile=profile, at="2024-02-29 12:00", total=-10)

        assert next_changes(profile, at="2025-02-01", times=1) == ["2025-03-01 00:00"]

    def test_30_november_grows_old_when_1_march_begins(self, profile, next_changes):
        TransactionFactory(profile=profile, at="2024-11-30 12:00")

        assert next_changes(profile, at="2025-02-20", times=1) == ["2025-03-01 00:00"]

    def test_30_april_grows_old_twice_in_july(self, profile, next_changes):
        TransactionFactory(profile=profile, at="2025-04-30 12:00")

        assert next_changes(profile, at="2025-07-01", times=4) == [
            "2025-07-30 12:00",
            "2025-07-31 00:00",
            "2025-07-31 12:00",
            "2025-10-30 12:00",
        ]

    def test_28_february_grows_old_four_times_in_may(self, profile, next_changes):
        TransactionFactory(profile=profile, at="2025-02-28 12:00")

        assert next_changes(profile, at="2025-05-01", times=7) == [
            "2025-05-28 12:00",
            "2025-05-29 00:00",
            "2025-05-29 12:00",
            "2025-05-30 00:00",
            "2025-05-30 12:00",
            "2025-05-31 00:00",
            "2025-05-31 12:00",
        ]


class TestRefresh:
    def test_brings_up_to_date_what_the_clock_changed(self, profile, calculated, refreshed):
        TransactionFactory(profile=profile, at="2024-08-01 09:00", total=30)
        TransactionFactory(profile=profile, at="2025-06-01 09:00", total=100)
        row = calculated(profile)
        assert (row.spend_12m_now, row.dimension_recency) == (130, "RC")

        row = refreshed(profile, at="2025-09-01 09:00")
        assert (row.spend_12m_now, row.dimension_recency) == (100, "RS")

        row = refreshed(profile, at="2026-01-16 00:00")
        assert (row.dimension_recency, row.dimension_join) == ("RA", "J1")

        row = refreshed(profile, at="2026-06-01 09:00")
        assert (row.spend_12m_now, row.dimension_recency) == (0, "RI")

    def test_leaves_everything_else_as_it_was_calculated(self, profile, calculated, refreshed):
        location = LocationFactory()
        TransactionFactory(profile=profile, at="2024-08-01 09:00", location=location)
        calculated(profile)

        row = refreshed(profile, at="2027-01-01 00:00")

        assert (row.spend_12m, row.spend_atv_12m) == (100, 100)
        assert row.most_spend_12m_location == location
        assert row.calculated_at == utc("2025-07-01 12:00")

    def test_announces_the_change_that_comes_after(self, profile, calculated, refreshed):
        TransactionFactory(profile=profile, at="2025-06-01 09:00")
        calculated(profile)

        row = refreshed(profile, at="2025-09-01 09:00")

        assert row.next_change_at == utc("2025-12-01 09:00")

    def test_does_nothing_a_microsecond_too_early(self, profile, calculated, refreshed):
        TransactionFactory(profile=profile, at="2025-06-01 09:00")
        before = calculated(profile)

        row = refreshed(profile, at="2025-09-01 08:59:59.999999")

        assert row.dimension_recency == "RC"
        assert row.next_change_at == utc("2025-09-01 09:00")
        assert row.changed_at == before.changed_at

    def test_moves_the_rows_version_when_a_value_changed(self, profile, calculated, refreshed):
        TransactionFactory(profile=profile, at="2025-06-01 09:00")
        calculated(profile)

        row = refreshed(profile, at="2025-09-02 00:00")

        assert row.changed_at == utc("2025-09-02 00:00")

    def test_catches_up_with_several_changes_at_once(self, profile, calculated, refreshed):
        TransactionFactory(profile=profile, at="2025-06-01 09:00")
        calculated(profile)

        row = refreshed(profile, at="2030-01-01 00:00")

        assert (row.dimension_recency, row.dimension_join) == ("RI", "J4")
        assert row.spend_12m_now == 0
        assert row.next_change_at == utc("2030-01-15 00:00")

    def test_counts_the_rows_that_it_changed(self, db, calculated, moment):
        due, not_due = (ProfileFactory(joined_at=utc(day)) for day in ("2025-04-15", "2025-06-15"))
        for profile in (due, not_due):
            calculated(profile)
        profile_ids = [due.id, not_due.id]

        assert refresh_clock(profile_ids=profile_ids, moment=utc("2025-07-15 00:00")) == 1
        assert refresh_clock(profile_ids=profile_ids, moment=utc("2025-07-15 00:00")) == 0

    def test_adds_amounts_in_the_system_currency(self, profile, calculated, refreshed):
        TransactionFactory(profile=profile, at="2024-08-01 09:00", total=30)
        TransactionFactory(profile=profile, total=100, currency=CurrencyFactory(rate="0.5"))
        calculated(profile)

        assert refreshed(profile, at="2025-08-01 09:00").spend_12m_now == 50

    def test_is_undone_by_a_recalculation_at_an_earlier_moment(
        self, profile, calculated, refreshed, moment
    ):
        TransactionFactory(profile=profile, at="2025-06-01 09:00")
        calculated(profile)
        refreshed(profile, at="2030-01-01 00:00")

        row = calculated(profile, at=moment)

        assert (row.dimension_recency, row.dimension_join) == ("RC", "JC")
        assert row.next_change_at == utc("2025-09-01 09:00")

"""What is stored, held against the calculation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from aggregations import comparison
from aggregations.calculation import recalculate, refresh_clock
from aggregations.models import Aggregation, Freshness, RecalculationRequest
from aggregations.outbox import request
from profiles.models import Profile, Transaction
from tests.factories import BrandFactory, TransactionFactory, TransactionItemFactory, utc
from tests.waiting import forget_who_waits

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile(moment: datetime) -> Profile:
    """A profile with a true row: a buyer of the last weeks."""
    sale = TransactionFactory(profile__joined_at=utc("2025-01-15"), at="2025-06-01 12:00")
    TransactionItemFactory(transaction=sale, brand=BrandFactory(name="Acme"))
    recalculate(profile_ids=[sale.profile_id], moment=moment)
    return sale.profile


def store(profile: Profile, **values: Any) -> None:
    """Write into the row as only a fault can."""
    Aggregation.objects.filter(profile=profile).update(**values)


def sell_unnoticed(profile: Profile) -> None:
    """Add a sale past all signals, so that nobody asks for a recalculation."""
    sale = Transaction(profile=profile, total=50, transacted_at=utc("2025-06-02"))
    sale.settle()
    Transaction.objects.bulk_create([sale])


def named(differences: Iterable[comparison.Difference]) -> dict[str, tuple[Any, Any]]:
    return {each.field: (each.stored, each.calculated) for each in differences}


class TestErrors:
    def found(self, profile: Profile, moment: datetime) -> dict[str, tuple[Any, Any]]:
        return named(comparison.errors(profile_ids=[profile.pk], moment=moment))

    def test_are_none_in_a_row_that_is_true(self, profile, moment):
        assert self.found(profile, moment) == {}

    def test_are_named_by_profile_and_field(self, profile, moment):
        store(profile, shop_count=7)

        (error,) = comparison.errors(profile_ids=[profile.pk], moment=moment)

        assert str(error) == f"{profile.pk} shop_count: 7 is stored, 1 is true"

    @pytest.mark.parametrize(
        ("field", "wrong", "true"),
        [
            ("spend_all", Decimal("100.01"), Decimal("100.00")),
            ("spend_12m_now", Decimal("0.00"), Decimal("100.00")),
            ("dimension_join", "J1", "JC"),
            ("purchased_brands", ["Zest"], ["Acme"]),
            ("store_join_id", 1, None),
            ("spend_first_date", None, utc("2025-06-01 12:00")),
        ],
    )
    def test_are_seen_in_values_of_every_kind(self, profile, moment, field, wrong, true):
        store(profile, **{field: wrong})

        assert self.found(profile, moment) == {field: (wrong, true)}

    def test_are_judged_by_the_row_s_own_moment(self, profile, moment):
        later = moment + timedelta(days=400)
        refresh_clock(profile_ids=[profile.pk], moment=later)

        assert self.found(profile, later) == {}

    def test_are_none_where_the_clock_has_overtaken_a_row(self, profile, moment):
        assert self.found(profile, moment + timedelta(days=400)) == {}

    def test_are_seen_beside_what_the_clock_has_overtaken(self, profile, moment):
        store(profile, shop_count=7)

        assert self.found(profile, moment + timedelta(days=400)) == {"shop_count": (7, 1)}

    def test_are_none_while_a_profile_waits_for_its_recalculation(self, profile, moment):
        TransactionFactory(profile=profile)

        assert self.found(profile, moment) == {}

    def test_are_what_nobody_asked_to_recalculate(self, profile, moment):
        sell_unnoticed(profile)

        assert self.found(profile, moment)["spend_all"] == (Decimal("100.00"), Decimal("150.00"))

    def test_are_none_where_nothing_was_calculated_yet(self, moment):
        sale = TransactionFactory()
        forget_who_waits()

        assert self.found(sale.profile, moment) == {}

    def test_are_all_values_of_a_row_that_is_gone(self, profile, moment):
        Aggregation.objects.all().delete()

        assert self.found(profile, moment)["shop_count"] == (None, 1)

    def test_are_seen_in_each_of_many_rows_of_several_moments(self, profile, moment):
        another = TransactionFactory().profile
        recalculate(profile_ids=[another.pk], moment=moment + timedelta(hours=1))
        for each in (profile, another):
            store(each, shop_count=7)

        errors = comparison.errors(
            profile_ids=[profile.pk, another.pk], moment=moment + timedelta(hours=1)
        )

        assert {each.profile_id for each in errors} == {profile.pk, another.pk}


class TestChanges:
    def found(self, profile: Profile, moment: datetime) -> dict[str, tuple[Any, Any]]:
        return named(comparison.changes(profile_ids=[profile.pk], moment=moment))

    def test_are_none_where_the_row_is_true(self, profile, moment):
        assert self.found(profile, moment) == {}

    def test_are_what_a_recalculation_then_changes(self, profile, moment):
        TransactionFactory(profile=profile, at="2025-06-01 13:00", total=Decimal("50.50"))
        before = Aggregation.objects.values().get()

        changes = self.found(profile, moment)

        recalculate(profile_ids=[profile.pk], moment=moment)
        after = Aggregation.objects.values().get()
        assert "spend_all" in changes
        assert changes == {
            field: (before[field], after[field])
            for field in before
            if before[field] != after[field]
        }

    def test_are_also_what_the_clock_has_moved(self, profile, moment):
        later = moment + timedelta(days=400)

        assert self.found(profile, later)["dimension_recency"] == ("RC", "RI")

    def test_are_every_value_where_there_is_no_row(self, moment):
        sale = TransactionFactory()

        changes = self.found(sale.profile, moment)

        assert changes["shop_count"] == (None, 1)
        assert changes["store_join_id"] == (None, None)

    def test_write_nothing(self, profile, moment):
        request([profile.pk])
        before = (Aggregation.objects.values().get(), Freshness.objects.values().get())

        list(comparison.changes(profile_ids=[profile.pk], moment=moment + timedelta(days=400)))

        assert (Aggregation.objects.values().get(), Freshness.objects.values().get()) == before
        assert RecalculationRequest.objects.count() == 1

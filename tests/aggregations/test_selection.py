"""Which profiles a recalculation is for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aggregations.calculation import recalculate
from aggregations.models import Freshness
from aggregations.outbox import request
from aggregations.selection import Selection
from profiles.models import Profile
from tests.factories import LocationFactory, ProfileFactory, TransactionFactory, utc
from tests.waiting import forget_who_waits

pytestmark = pytest.mark.django_db


def selected(**conditions) -> set[Profile]:
    """Return whom the conditions select, also after they were stored as JSON."""
    selection = Selection(**conditions)
    assert Selection.from_json(selection.as_json()) == selection
    return set(selection.queryset())


def test_nothing_given_selects_everybody():
    profiles = ProfileFactory.create_batch(3)

    assert selected() == set(profiles)
    assert Selection().is_everybody


def test_profiles_are_selected_by_their_ids():
    one, another, _ = ProfileFactory.create_batch(3)

    assert selected(profiles=[str(one.pk), str(another.pk)]) == {one, another}


class TestJoinedSince:
    def test_begins_at_the_moment_itself(self):
        there = ProfileFactory(joined_at=utc("2025-01-01 00:00"))
        ProfileFactory(joined_at=utc("2024-12-31 23:59:59"))

        assert selected(joined_since="2025-01-01T00:00:00+00:00") == {there}

    def test_takes_the_creation_for_the_joining_where_nothing_else_is_known(self):
        there = ProfileFactory()
        Profile.objects.filter(pk=there.pk).update(created_at=utc("2025-01-01"))
        before = ProfileFactory()
        Profile.objects.filter(pk=before.pk).update(created_at=utc("2024-12-31"))

        assert selected(joined_since="2025-01-01T00:00:00+00:00") == {there}


class TestTransactedSince:
    def test_selects_who_has_a_transaction_since_then_of_any_kind(self):
        buyer = TransactionFactory(at="2025-01-01 00:00").profile
        voided = TransactionFactory(at="2025-02-01 00:00", is_void=True).profile
        TransactionFactory(at="2024-12-31 23:59:59")
        ProfileFactory()

        assert selected(transacted_since="2025-01-01T00:00:00+00:00") == {buyer, voided}

    def test_selects_a_profile_once_however_many_it_has(self):
        buyer = TransactionFactory(at="2025-01-01 00:00").profile
        TransactionFactory(profile=buyer, at="2025-01-02 00:00")

        chosen = Selection(transacted_since="2025-01-01T00:00:00+00:00").queryset()

        assert list(chosen) == [buyer]


def test_a_location_selects_who_transacted_there():
    store = LocationFactory()
    buyer = TransactionFactory(location=store).profile
    TransactionFactory(profile=buyer, location=store)
    TransactionFactory(location=LocationFactory())

    assert selected(location=store.pk) == {buyer}


class TestStale:
    @pytest.fixture
    def current(self, moment) -> Profile:
        """A row that waits for nothing."""
        profile = ProfileFactory(joined_at=utc("2025-06-01"))
        recalculate(profile_ids=[profile.pk], moment=moment)
        return profile

    def stale(self, moment) -> set[Profile]:
        return selected(stale_at=moment.isoformat())

    def test_is_not_what_is_calculated_and_waits_for_nothing(self, current, moment):
        assert self.stale(moment) == set()

    def test_is_what_was_never_calculated(self, current, moment):
        new = ProfileFactory()
        forget_who_waits()

        assert self.stale(moment) == {new}

    def test_is_what_waits_for_its_recalculation(self, current, moment):
        request([current.pk, current.pk])

        assert self.stale(moment) == {current}

    def test_is_what_the_clock_has_overtaken_from_that_moment_on(self, current, moment):
        due = Freshness.objects.get().next_change_at

        assert self.stale(due - timedelta(microseconds=1)) == set()
        assert self.stale(due) == {current}


def test_every_condition_given_must_be_met():
    store = LocationFactory()
    wanted = TransactionFactory(location=store, profile__joined_at=utc("2025-05-01")).profile
    TransactionFactory(location=store, profile__joined_at=utc("2024-05-01"))
    TransactionFactory(profile__joined_at=utc("2025-05-01"))

    assert selected(location=store.pk, joined_since="2025-01-01T00:00:00+00:00") == {wanted}

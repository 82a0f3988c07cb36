"""Two profiles become one, and one is forgotten. Both rows are true afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aggregations.models import Aggregation, Freshness
from profiles.merging import CannotBeMergedError, merge, purge
from profiles.models import Profile, ProfileTier, QueuedTransaction, Transaction, TransactionItem
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
    IdentityFactory,
    LocationFactory,
    ProfileAddressFactory,
    ProfileFactory,
    ProfileTierFactory,
    TransactionFactory,
    TransactionItemFactory,
    utc,
)
from tests.oracle.agreement import differences
from tests.waiting import forget_who_waits, who_waits, work_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Profile:
    return ProfileFactory(first_name="Ada")


@pytest.fixture
def destination() -> Profile:
    return ProfileFactory(last_name="Lovelace")


def merged(source: Profile, destination: Profile, *, moment: datetime) -> Profile:
    merge(source_id=source.pk, destination_id=destination.pk, moment=moment)
    source.refresh_from_db()
    destination.refresh_from_db()
    return destination


def buy(profile: Profile, **values: Any) -> Transaction:
    transaction = TransactionFactory(profile=profile, location=LocationFactory(), **values)
    TransactionItemFactory(transaction=transaction, brand=BrandFactory())
    return transaction


class TestMerging:
    def test_transactions_move_with_their_items(self, source, destination, moment):
        transaction = buy(source)

        merged(source, destination, moment=moment)

        assert Transaction.objects.get().profile == destination
        assert TransactionItem.objects.get().profile == destination
        assert TransactionItem.objects.get().transaction == transaction

    @pytest.mark.parametrize(
        "factory", [ProfileAddressFactory, IdentityFactory, ProfileTierFactory]
    )
    def test_what_hangs_on_the_source_moves(self, source, destination, moment, factory):
        row = factory(profile=source)

        merged(source, destination, moment=moment)

        row.refresh_from_db()
        assert row.profile == destination
        assert row.updated_at == moment

    def test_whom_the_source_referred_the_destination_referred(self, source, destination, moment):
        referred = ProfileFactory(referred_by=source)

        merged(source, destination, moment=moment)

        referred.refresh_from_db()
        assert referred.referred_by == destination

    def test_who_referred_the_source_referred_the_destination(self, destination, moment):
        referrer = ProfileFactory()

        assert (
            merged(ProfileFactory(referred_by=referrer), destination, moment=moment).referred_by
            == referrer
        )

    def test_nobody_comes_to_refer_himself(self, source, moment):
        destination = ProfileFactory(referred_by=source)
        assert merged(source, destination, moment=moment).referred_by is None

    def test_a_source_that_its_destination_referred_is_no_referral_any_more(
        self, destination, moment
    ):
        source = ProfileFactory(referred_by=destination)

        merged(source, destination, moment=moment)

        assert source.referred_by is destination.referred_by is None

    def test_the_destination_takes_over_what_it_does_not_say(self, moment):
        location = LocationFactory()
        said = {
            "title": "Dr",
            "email": "ada@example.com",
            "mobile_phone": "+61400",
            "birth_day": 10,
            "currency": CurrencyFactory(),
            "preferred_location": location,
        }
        source = ProfileFactory(**said)

        destination = merged(source, ProfileFactory(), moment=moment)

        assert {name: getattr(destination, name) for name in said} == said

    def test_what_the_destination_says_counts(self, moment):
        destination = ProfileFactory(email="new@example.com", first_name="Ada", birth_year=1915)
        source = ProfileFactory(email="old@example.com", first_name="A.", birth_day=10)

        merged(source, destination, moment=moment)

        assert destination.email == "new@example.com"
        assert destination.first_name == "Ada"
        assert (destination.birth_year, destination.birth_day) == (1915, None)

    def test_tags_and_other_data_are_joined(self, moment):
        source = ProfileFactory(tags=["a", "b"], meta={"x": 1, "y": 1})
        destination = ProfileFactory(tags=["b", "c"], meta={"y": 2})

        merged(source, destination, moment=moment)

        assert destination.tags == ["b", "c", "a"]
        assert destination.meta == {"x": 1, "y": 2}

    @pytest.mark.parametrize(("first", "second"), [("2020-01-01", "2021-01-01")])
    @pytest.mark.parametrize("swapped", [False, True])
    def test_it_joined_when_the_first_of_the_two_did(self, first, second, swapped, moment):
        joined = [utc(second), utc(first)] if swapped else [utc(first), utc(second)]
        source, destination = (ProfileFactory(joined_at=each) for each in joined)

        assert merged(source, destination, moment=moment).joined_at == utc(first)

    def test_there_is_one_default_address_still(self, source, destination, moment):
        kept = ProfileAddressFactory(profile=destination, is_default=True)
        ProfileAddressFactory(profile=source, is_default=True)

        merged(source, destination, moment=moment)

        assert [row.pk for row in destination.addresses.filter(is_default=True)] == [kept.pk]

    def test_the_sources_default_address_stays_one_where_there_is_no_other(
        self, source, destination, moment
    ):
        address = ProfileAddressFactory(profile=source, is_default=True)

        merged(source, destination, moment=moment)

        assert destination.addresses.get(is_default=True) == address

    def test_there_is_one_primary_identity_of_a_handle_still(self, source, destination, moment):
        for profile in (source, destination):
            IdentityFactory(profile=profile, handle="card", is_primary=True)
        IdentityFactory(profile=source, handle="app", is_primary=True)

        merged(source, destination, moment=moment)

        primary = destination.identities.filter(is_primary=True).order_by("handle")
        assert [identity.handle for identity in primary] == ["app", "card"]

    def test_the_source_is_left_empty_and_deleted(self, source, destination, moment):
        buy(source)
        ProfileTierFactory(profile=source)

        merged(source, destination, moment=moment)

        assert source.profile_type == "deleted"
        assert not source.transactions.exists()
        assert not ProfileTier.objects.filter(profile=source).exists()

    def test_both_rows_are_true_afterwards(self, source, destination, moment):
        for profile in (source, destination):
            buy(profile)
            buy(profile, total=-20, at="2025-06-10 12:00")
            ProfileAddressFactory(profile=profile, iso="AU")
            ProfileTierFactory(profile=profile)
            ProfileFactory(referred_by=profile)
        work_off(moment=moment)

        merged(source, destination, moment=moment)
        work_off(moment=moment)

        assert Aggregation.objects.get(profile=destination).shop_count == 2
        assert Aggregation.objects.get(profile=source).shop_count == 0
        assert not differences([source.pk, destination.pk], moment=moment)

    def test_it_takes_the_same_number_of_statements_however_much_there_is(
        self, source, destination, moment
    ):
        def count(number: int) -> int:
            source, destination = ProfileFactory(), ProfileFactory()
            for _ in range(number):
                buy(source)
                IdentityFactory(profile=source)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                merged(source, destination, moment=moment)
            return len(queries)

        assert count(1) == count(5)

    def test_a_profile_is_not_merged_into_itself(self, source, moment):
        with pytest.raises(CannotBeMergedError):
            merge(source_id=source.pk, destination_id=source.pk, moment=moment)

    def test_one_that_is_not_there_is_not_merged(self, source, moment):
        with pytest.raises(Profile.DoesNotExist):
            merge(source_id=source.pk, destination_id=uuid4(), moment=moment)

    def test_one_that_is_deleted_is_not_merged(self, destination, moment):
        deleted = ProfileFactory(profile_type="deleted")

        with pytest.raises(Profile.DoesNotExist):
            merge(source_id=deleted.pk, destination_id=destination.pk, moment=moment)


class TestPurging:
    def test_nothing_of_the_profile_is_left(self, source, moment):
        buy(source)
        for factory in (ProfileAddressFactory, IdentityFactory, ProfileTierFactory):
            factory(profile=source)
        work_off(moment=moment)

        purge(profile_id=source.pk)

        for model in (Profile, Transaction, TransactionItem, Aggregation, Freshness):
            assert not model.objects.exists()

    def test_others_are_left_alone(self, source, destination):
        kept = buy(destination)

        purge(profile_id=source.pk)

        assert Transaction.objects.get() == kept
        assert TransactionItem.objects.exists()

    def test_whom_it_referred_stays_and_who_referred_it_is_recalculated(self, destination):
        source = ProfileFactory(referred_by=destination)
        referred = ProfileFactory(referred_by=source)
        forget_who_waits()

        purge(profile_id=source.pk)

        referred.refresh_from_db()
        assert referred.referred_by is None
        assert destination.pk in who_waits()

    def test_what_waits_for_it_goes_too(self, source, moment):
        QueuedTransaction.objects.create(
            body={"profile_id": str(source.pk), "total": 1}, accepted_at=moment
        )

        purge(profile_id=source.pk)

        assert not QueuedTransaction.objects.exists()

    def test_it_takes_the_same_number_of_statements_however_much_there_is(self):
        def count(number: int) -> int:
            profile = ProfileFactory()
            for _ in range(number):
                buy(profile)
            with CaptureQueriesContext(connection) as queries:
                purge(profile_id=profile.pk)
            return len(queries)

        count(1)  # what Django keeps after the first time
        assert count(1) == count(5)

    def test_one_that_is_not_there_is_not_purged(self):
        with pytest.raises(Profile.DoesNotExist):
            purge(profile_id=uuid4())

"""Whatever happens to profiles, in whichever order, their rows are true when nothing waits.

Steps at random: writers, one of them slow to commit, workers that take a part of what waits, one of
them slow too, recalculations of a range, readers, and a clock that moves on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from rest_framework.test import APIClient

from aggregations import outbox, reading
from aggregations.calculation import recalculate_range, refresh_due
from aggregations.outbox import recalculate_waiting
from omneo.api.models import ApiToken
from profiles.ingestion import Posted, delete_transaction, upsert_transactions
from profiles.merging import merge, purge
from profiles.models import Profile, Transaction, TransactionItem
from profiles.signals import history_changed
from tests.concurrency import Session, another_session
from tests.editing import edit
from tests.factories import ProfileAddressFactory, ProfileTierFactory
from tests.histories import (
    MOMENTS,
    STORED_ADDRESSES,
    TIMEZONES,
    Customer,
    Receipt,
    customers,
    instants,
    joinings,
    make_setting,
    of,
    receipts,
    write,
)
from tests.interleaving import Interleaved, any_of, execute, impatient, unless_refused

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]

START = MOMENTS[2]  # a leap day
STEPS = 30
EXAMPLES_OF_OTHERS = 10  # take the time of one of these

EMPTY = """
SET LOCAL lock_timeout = 0;
TRUNCATE profiles_profile, profiles_tier, locations_location, locations_brand, locations_region,
    aggregations_recalculationrequest CASCADE
"""

which = st.integers(0, 5)
ENDS = st.sampled_from([Session.commit, Session.commit, Session.roll_back])
by_whom = st.sampled_from(["at once", "at once", "slowly"])


class AnyOrder(Interleaved):
    """What may happen."""

    @initialize(customers=customers(START, at_least=2, at_most=4))
    def begin(self, customers: list[Customer]) -> None:
        self.end(Session.roll_back)
        with transaction.atomic():
            execute(EMPTY)
        self.now = START
        self.setting = make_setting()
        self.arrive(customers)

    # Writers

    @rule(customers=customers(START, at_most=2))
    def arrive(self, customers: list[Customer]) -> None:
        """By a path around `save()`, which does not know what a location's zone is now."""
        for receipt in chain.from_iterable(each.receipts for each in customers):
            receipt.timezone = receipt.timezone or "UTC"
        with transaction.atomic():
            history_changed.send(sender=None, profile_ids=write(customers, setting=self.setting))

    @rule(by=by_whom, one=which, receipt=receipts(instants(START)))
    def sell(self, by: str, one: int, receipt: Receipt) -> None:
        def save() -> None:
            sale = Transaction(profile=any_of(Profile, one))
            self.fill(sale, receipt)
            for line in receipt.lines:
                brand = of(self.setting.brands, line.brand)
                TransactionItem.objects.create(
                    transaction=sale, brand=brand, quantity=line.quantity, is_void=line.is_void
                )

        self.write(by, save)

    @rule(by=by_whom, one=which, receipt=receipts(instants(START)))
    def edit(self, by: str, one: int, receipt: Receipt) -> None:
        self.write(by, lambda: self.fill(any_of(Transaction, one), receipt))

    @rule(by=by_whom, one=which)
    def void_or_not(self, by: str, one: int) -> None:
        def save() -> None:
            sale = any_of(Transaction, one)
            sale.is_void = not sale.is_void
            sale.save()

        self.write(by, save)

    @rule(by=by_whom, one=which, to=which)
    def move(self, by: str, one: int, to: int) -> None:
        self.change(by, Transaction, one, profile=lambda: any_of(Profile, to))

    @rule(by=by_whom, one=which)
    def delete(self, by: str, one: int) -> None:
        self.write(by, lambda: delete_transaction(any_of(Transaction, one).pk))

    @rule(
        by=by_whom, one=which, name=which, total=st.sampled_from([12.5, -3, 0]), void=st.booleans()
    )
    def post(self, by: str, one: int, name: int, total: float, void: bool) -> None:
        def ingest() -> None:
            body = {
                "profile_id": str(any_of(Profile, one).pk),
                "external_id": f"T-{name}",
                "total": total,
                "is_void": void,
                "items": [{"name": "Socks", "brand": "Zest"}],
            }
            upsert_transactions([Posted(body, self.now)], is_live=True)

        self.write(by, ingest)

    @rule(by=by_whom, source=which, destination=which)
    def merge(self, by: str, source: int, destination: int) -> None:
        def merge_two() -> None:
            keys = {
                "source_id": any_of(Profile, source).pk,
                "destination_id": any_of(Profile, destination).pk,
            }
            merge(**keys, moment=self.now)

        self.write(by, merge_two)

    @rule(by=by_whom, one=which)
    def forget(self, by: str, one: int) -> None:
        self.write(by, lambda: purge(profile_id=any_of(Profile, one).pk))

    @rule(by=by_whom, one=which, joined_at=st.none() | joinings(START), place=which)
    def say_of_oneself(self, by: str, one: int, joined_at: Any, place: int) -> None:
        self.change(
            by, Profile, one, joined_at=joined_at, joined_location=self.setting.locations[place]
        )

    @rule(by=by_whom, one=which, referrer=which)
    def refer(self, by: str, one: int, referrer: int) -> None:
        self.change(by, Profile, one, referred_by=lambda: any_of(Profile, referrer))

    @rule(by=by_whom, one=which, place=st.sampled_from(STORED_ADDRESSES), is_default=st.booleans())
    def move_house(
        self, by: str, one: int, place: tuple[str | None, str | None], is_default: bool
    ) -> None:
        def save() -> None:
            profile, (iso, state) = any_of(Profile, one), place
            profile.addresses.filter(is_default=True).delete()
            ProfileAddressFactory(profile=profile, iso=iso, iso_state=state, is_default=is_default)

        self.write(by, save)

    @rule(by=by_whom, one=which, tier=st.integers(0, 4), at=instants(START))
    def hold_tier(self, by: str, one: int, tier: int, at: Any) -> None:
        def save() -> None:
            profile = any_of(Profile, one)
            if holding := profile.tiers.first():
                holding.delete()
            ProfileTierFactory(profile=profile, tier=self.setting.tiers[tier], started_at=at)

        self.write(by, save)

    # What many share

    @rule(by=by_whom, one=st.integers(0, 4), rank=st.integers(-2, 2))
    def rank_tier(self, by: str, one: int, rank: int) -> None:
        self.change_shared(by, self.setting.tiers[one], sort_order=rank)

    @rule(by=by_whom, one=st.integers(0, 4), name=st.sampled_from(["Zest", "Acme", "été"]))
    def rename_brand(self, by: str, one: int, name: str) -> None:
        self.change_shared(by, self.setting.brands[one], name=name)

    @rule(
        by=by_whom,
        one=st.integers(0, 8),
        zone=st.sampled_from([None, *TIMEZONES]),
        country=st.sampled_from([None, "AUS", "USA"]),
    )
    def change_place(self, by: str, one: int, zone: str | None, country: str | None) -> None:
        place = self.setting.locations[one]
        self.change_shared(by, place, timezone=zone, country_iso_3=country)

    @rule(by=by_whom, one=st.integers(0, 5), place=st.sampled_from(STORED_ADDRESSES))
    def relocate(self, by: str, one: int, place: tuple[str | None, str | None]) -> None:
        address = getattr(self.setting.locations[one], "address", None)
        if address is not None:
            self.change_shared(by, address, iso=place[0], iso_state=place[1])

    # The clock, workers and readers

    @rule(hours=st.sampled_from([1, 12, 24, 24 * 31, 24 * 91, 24 * 366]))
    def pass_time(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(batch=st.sampled_from([1, 2, 1000]))
    def work(self, batch: int) -> None:
        with patch.object(outbox, "BATCH", batch):
            unless_refused(lambda: recalculate_waiting(moment=self.now))

    @precondition(lambda self: not self.worker.is_open)
    @rule(batch=st.sampled_from([1, 2, 1000]))
    def work_slowly(self, batch: int) -> None:
        self.worker.begin()
        with patch.object(outbox, "BATCH", batch):
            self.worker.do(unless_refused, lambda: recalculate_waiting(moment=self.now))

    @rule()
    def hand_out(self) -> None:
        unless_refused(outbox.hand_out)

    @precondition(lambda self: not self.worker.is_open)
    @rule()
    def hand_out_slowly(self) -> None:
        self.worker.begin()
        self.worker.do(unless_refused, outbox.hand_out)

    @rule(first=which, last=which)
    def recalculate_range(self, first: int, last: int) -> None:
        def recalculate() -> None:
            low, high = sorted(any_of(Profile, one).pk for one in (first, last))
            recalculate_range(first=low, last=high, moment=self.now)

        unless_refused(recalculate)

    @rule()
    def refresh(self) -> None:
        unless_refused(lambda: refresh_due(moment=self.now))

    @rule(one=which)
    def read(self, one: int) -> None:
        unless_refused(lambda: reading.current(profile_id=any_of(Profile, one).pk, moment=self.now))

    @precondition(lambda self: self.slow.is_open)
    @rule(end=ENDS)
    def end_slow_writer(self, end: Callable[[Session], None]) -> None:
        self.end_one(self.slow, end)

    @precondition(lambda self: self.worker.is_open)
    @rule(end=ENDS)
    def end_slow_worker(self, end: Callable[[Session], None]) -> None:
        self.end_one(self.worker, end)

    @rule()
    def settle(self) -> None:
        super().settle()

    def teardown(self) -> None:
        if hasattr(self, "now"):
            self.settle()

    # How

    def change(self, by: str, model: type[Model], one: int, **values: Any) -> None:
        self.write(by, lambda: edit(any_of(model, one), **values))

    def change_shared(self, by: str, row: Model, **values: Any) -> None:
        self.write(by, lambda: edit(type(row).objects.get(pk=row.pk), **values))

    def fill(self, sale: Transaction, receipt: Receipt) -> None:
        sale.location = of(self.setting.locations, receipt.location)
        sale.currency = of(self.setting.currencies, receipt.currency)
        for name in ("total", "total_original", "timezone", "transacted_at", "systems", "is_void"):
            setattr(sale, name, getattr(receipt, name))
        sale.save()


@override_settings(API_REQUESTS_PER_MINUTE=0)
def test_every_row_is_true_when_nothing_waits() -> None:
    user = User.objects.create(username="reader")
    _, token = ApiToken.objects.create(user, name="reader", scopes=["aggregations:read"])
    with another_session() as slow, another_session() as worker, impatient(slow, worker):
        AnyOrder.slow, AnyOrder.worker = slow, worker
        AnyOrder.api = APIClient(headers={"Authorization": f"Bearer {token}"})
        run_state_machine_as_test(
            AnyOrder,
            settings=settings(
                max_examples=settings.default.max_examples // EXAMPLES_OF_OTHERS,
                stateful_step_count=STEPS,
                suppress_health_check=list(HealthCheck),
            ),
        )

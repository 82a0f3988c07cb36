"""The outbox: what waits for recalculation, and how workers take it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from aggregations import outbox
from aggregations.calculation import recalculate
from aggregations.models import Aggregation, Freshness, RecalculationRequest
from aggregations.outbox import Lane, recalculate_waiting, request
from profiles.merging import purge
from profiles.models import Profile, Transaction
from tests.concurrency import LIMIT, Session, another_session, impatient
from tests.factories import (
    CurrencyFactory,
    ProfileAddressFactory,
    ProfileFactory,
    TransactionFactory,
    TransactionItemFactory,
)
from tests.oracle import differences

pytestmark = pytest.mark.django_db

concurrent = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session() -> Iterator[Session]:
    with another_session() as session:
        yield session


@pytest.fixture
def second() -> Iterator[Session]:
    with another_session() as session:
        yield session


@pytest.fixture
def many() -> list[Profile]:
    """Profiles that have a sale each, of which nobody asked anything yet."""
    profiles = [TransactionFactory().profile for _ in range(8)]
    RecalculationRequest.objects.all().delete()
    return profiles


def make_impossible(profile: Profile) -> Transaction:
    """Let a profile buy for more than the row has room for."""
    return TransactionFactory(
        profile=profile, total="999999999999.99", currency=CurrencyFactory(rate="9999999999")
    )


def take_in_hand(profile: Profile) -> None:
    """Lock a profile's requests, as a worker does first."""
    list(RecalculationRequest.objects.filter(profile_id=profile.pk).select_for_update())


def waiting() -> list:
    """Return whose requests are left, the oldest first."""
    return list(RecalculationRequest.objects.order_by("id").values_list("profile_id", flat=True))


def calculated() -> set:
    return set(Freshness.objects.values_list("profile_id", flat=True))


class TestABatch:
    def test_makes_the_rows_true_and_takes_their_requests_away(self, moment):
        sale = TransactionFactory()

        assert recalculate_waiting(moment=moment) == 1

        assert differences([sale.profile_id], moment=moment) == []
        assert waiting() == []

    def test_is_nothing_where_nothing_waits(self, moment):
        assert recalculate_waiting(moment=moment) == 0

    def test_recalculates_a_profile_once_however_often_it_was_requested(self, moment, monkeypatch):
        monkeypatch.setattr(outbox, "BATCH", 100)
        sale = TransactionFactory()
        with transaction.atomic():
            for total in range(100):
                sale.total = total
                sale.save()

        rounds = list(iter(lambda: recalculate_waiting(moment=moment), 0))

        assert sum(rounds) <= 3
        assert differences([sale.profile_id], moment=moment) == []
        assert waiting() == []

    def test_takes_as_many_queries_for_many_profiles_as_for_one(self, many, moment):
        request([many[0].pk])
        with CaptureQueriesContext(connection) as for_one:
            recalculate_waiting(moment=moment)
        request([profile.pk for profile in many])

        with CaptureQueriesContext(connection) as for_many:
            assert recalculate_waiting(moment=moment) == len(many)

        assert len(for_many) == len(for_one)

    def test_takes_live_requests_before_bulk_ones_and_older_before_newer(
        self, many, moment, monkeypatch
    ):
        monkeypatch.setattr(outbox, "BATCH", 1)
        imported, first, second, *_ = (profile.pk for profile in many)
        request([imported], lane=Lane.BULK)
        request([first])
        request([second])

        for left in ([imported, second], [imported], []):
            recalculate_waiting(moment=moment)
            assert waiting() == left

    def test_leaves_what_is_more_than_a_batch_to_the_next(self, many, moment, monkeypatch):
        monkeypatch.setattr(outbox, "BATCH", 5)
        request([profile.pk for profile in many])

        assert [recalculate_waiting(moment=moment) for _ in range(3)] == [5, 3, 0]

    def test_has_done_with_a_profile_that_is_gone(self, moment):
        profile = ProfileFactory()
        request([profile.pk])
        profile.delete()

        recalculate_waiting(moment=moment)

        assert waiting() == []
        assert calculated() == set()

    @concurrent
    def test_passes_over_what_another_worker_has_in_hand(self, many, moment, session):
        taken, *others = many
        request([profile.pk for profile in many])
        session.begin()
        session.do(take_in_hand, taken)

        with impatient():
            assert recalculate_waiting(moment=moment) == len(others)

        assert calculated() == {profile.pk for profile in others}
        assert waiting() == [taken.pk]

    @concurrent
    def test_is_waiting_again_where_its_worker_dies(self, many, moment, session):
        request([profile.pk for profile in many])
        session.begin()
        assert session.do(recalculate_waiting, moment=moment) == len(many)

        session.roll_back()

        assert set(waiting()) == {profile.pk for profile in many}
        assert calculated() == set()


class TestAProfileThatCannotBeCalculated:
    @pytest.fixture
    def impossible(self, many: list[Profile], moment: datetime) -> Profile:
        """One among others, which all were tried."""
        make_impossible(many[3])
        RecalculationRequest.objects.all().delete()
        request([profile.pk for profile in many])
        recalculate_waiting(moment=moment)
        return many[3]

    def test_does_not_hold_up_the_others(self, many, impossible, moment):
        others = [profile.pk for profile in many if profile != impossible]

        assert calculated() == set(others)
        assert differences(others, moment=moment) == []

    def test_waits_for_its_next_try_with_its_error(self, impossible, moment):
        left = RecalculationRequest.objects.get()

        assert left.profile_id == impossible.pk
        assert left.attempts == 1
        assert "numeric field overflow" in left.error
        assert left.retry_at == moment + timedelta(seconds=10)

    def test_is_not_tried_before_its_time(self, impossible, moment):
        assert recalculate_waiting(moment=moment + timedelta(seconds=9)) == 0

    def test_is_tried_later_each_time(self, impossible, moment):
        delays = []
        for _ in range(60):
            moment = RecalculationRequest.objects.get().retry_at
            assert recalculate_waiting(moment=moment) == 1
            delays.append((RecalculationRequest.objects.get().retry_at - moment).total_seconds())

        assert delays[:4] == [20, 40, 80, 160]
        assert delays[-1] == max(delays) == 5120

    def test_keeps_its_place_and_the_time_of_its_request(self, many, moment):
        make_impossible(many[0])
        RecalculationRequest.objects.all().delete()
        request([many[0].pk], lane=Lane.BULK)
        before = RecalculationRequest.objects.get()

        recalculate_waiting(moment=moment)

        after = RecalculationRequest.objects.get()
        assert (after.lane, after.requested_at) == (before.lane, before.requested_at)

    def test_is_forgotten_once_it_can_be(self, impossible, moment):
        Transaction.objects.get(profile=impossible, currency__isnull=False).delete()

        recalculate_waiting(moment=moment)

        assert differences([impossible.pk], moment=moment) == []
        assert waiting() == []


@concurrent
@pytest.mark.parametrize("before", [False, True], ids=["never calculated", "calculated before"])
def test_a_profile_that_is_purged_meanwhile_does_not_take_the_batch_with_it(
    moment, session, second, before
):
    one, other = (TransactionFactory().profile for _ in range(2))
    if before:
        recalculate_waiting(moment=moment)
        request([one.pk, other.pk])
    session.begin()
    session.do(purge, profile_id=one.pk)
    batch = second.start(recalculate_waiting, moment=moment)
    second.wait_until_blocked()
    session.commit()

    assert batch.result(LIMIT)
    assert not RecalculationRequest.objects.exists()
    assert differences([other.pk], moment=moment) == []


class TestARecalculation:
    def test_answers_the_requests_that_it_sees(self, moment):
        sale, another = TransactionFactory(), TransactionFactory()

        recalculate(profile_ids=[sale.profile_id], moment=moment)

        assert set(waiting()) == {another.profile_id}

    @concurrent
    def test_leaves_the_request_of_a_sale_that_commits_later(self, moment, session):
        profile = ProfileFactory()
        session.begin()
        session.do(TransactionFactory, profile=profile)

        recalculate(profile_ids=[profile.pk], moment=moment)
        session.commit()

        assert waiting() == [profile.pk]
        recalculate_waiting(moment=moment)
        assert differences([profile.pk], moment=moment) == []

    @concurrent
    def test_leaves_the_requests_that_a_worker_has_in_hand(self, moment, session):
        sale = TransactionFactory()
        session.begin()
        session.do(take_in_hand, sale.profile)

        with impatient():
            recalculate(profile_ids=[sale.profile_id], moment=moment)

        assert set(waiting()) == {sale.profile_id}

    @concurrent
    def test_makes_no_writer_wait(self, moment, session):
        sale = TransactionFactory()
        address = ProfileAddressFactory(profile=sale.profile)
        recalculate(profile_ids=[sale.profile_id], moment=moment)
        RecalculationRequest.objects.all().delete()
        session.begin()
        session.do(recalculate, profile_ids=[sale.profile_id], moment=moment)

        with impatient():
            TransactionFactory(profile=sale.profile)
            TransactionItemFactory(transaction=sale)
            sale.delete()
            address.delete()
            sale.profile.save()
            assert Aggregation.objects.get(profile=sale.profile).shop_count == 1

    @concurrent
    def test_makes_no_writer_wait_when_it_is_the_first(self, moment, session):
        profile = ProfileFactory()
        session.begin()
        session.do(recalculate, profile_ids=[profile.pk], moment=moment)

        with impatient():
            TransactionFactory(profile=profile)
            profile.save()


@concurrent
class TestTwoWorkersAtOnce:
    @pytest.mark.parametrize("slow", [0, 1])
    def test_do_not_let_the_slower_one_write_what_it_read_before_a_sale(
        self, session: Session, second: Session, moment: datetime, slow: int
    ) -> None:
        """The first has read the histories of two profiles and is held up at the row of one."""
        profiles = sorted(ProfileFactory.create_batch(2), key=lambda profile: profile.pk)
        recalculate(profile_ids=[profile.pk for profile in profiles], moment=moment)
        held, other = profiles[slow], profiles[1 - slow]
        TransactionFactory(profile=held)
        TransactionFactory(profile=other)
        with another_session() as holder:
            holder.begin()
            holder.do(lambda: list(Aggregation.objects.filter(profile=held).select_for_update()))
            first = session.start(recalculate_waiting, moment=moment)
            holder.wait_until_blocking()
            TransactionFactory(profile=other)
            later = second.start(recalculate_waiting, moment=moment)
            second.wait_until_blocked()
            holder.commit()
        first.result(LIMIT)
        later.result(LIMIT)

        assert differences([held.pk, other.pk], moment=moment) == []


@concurrent
class TestAWorkerThatHasNotCommitted:
    """A sale comes in that it has not seen, and another worker sees."""

    @pytest.fixture(params=["calculated before", "never calculated"])
    def profile(self, request: pytest.FixtureRequest, moment: datetime) -> Profile:
        profile = ProfileFactory()
        if request.param == "calculated before":
            recalculate(profile_ids=[profile.pk], moment=moment)
        RecalculationRequest.objects.all().delete()
        return profile

    @pytest.mark.parametrize("end", [Session.commit, Session.roll_back])
    @pytest.mark.parametrize(
        "begin",
        [
            lambda profile, moment: recalculate_waiting(moment=moment),
            lambda profile, moment: recalculate(profile_ids=[profile.pk], moment=moment),
        ],
        ids=["worker", "reader"],
    )
    def test_is_waited_for_by_the_other(
        self,
        profile: Profile,
        session: Session,
        second: Session,
        moment: datetime,
        begin: Callable[[Profile, datetime], int],
        end: Callable[[Session], None],
    ) -> None:
        request([profile.pk])
        session.begin()
        session.do(begin, profile, moment)
        TransactionFactory(profile=profile)

        later = second.start(recalculate_waiting, moment=moment)
        second.wait_until_blocked()
        end(session)
        later.result(LIMIT)

        assert differences([profile.pk], moment=moment) == []

"""The message that makes a recalculation quick, and what becomes of a save without it."""

from __future__ import annotations

import pytest
from django.db import transaction

from aggregations.models import RecalculationRequest
from aggregations.nudge import nudge
from profiles.models import Transaction
from tests import messages
from tests.factories import TransactionFactory

pytestmark = pytest.mark.django_db(transaction=True)

RECALCULATE = "aggregations.recalculate_waiting"


@pytest.fixture(autouse=True)
def _heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no failure of another test keep the messages back."""
    monkeypatch.setattr(nudge, "_silent_until", 0.0)


@pytest.fixture
def sale() -> Transaction:
    """A sale that nobody waits for any more."""
    sale = TransactionFactory()
    RecalculationRequest.objects.all().delete()
    messages.taken()
    return sale


class TestASave:
    def test_queues_the_task_once_it_is_committed(self, sale):
        with transaction.atomic():
            sale.save()
            assert messages.taken() == []

        assert messages.taken() == [RECALCULATE]

    def test_queues_nothing_where_it_is_rolled_back(self, sale):
        with transaction.atomic():
            sale.save()
            transaction.set_rollback(True)

        assert messages.taken() == []

    def test_queues_one_message_with_all_others_of_its_transaction(self, sale):
        with transaction.atomic():
            for _ in range(20):
                sale.save()
            TransactionFactory()

        assert messages.taken() == [RECALCULATE]

    def test_queues_it_where_one_before_it_was_rolled_back(self, sale):
        with transaction.atomic():
            with transaction.atomic():
                sale.save()
                transaction.set_rollback(True)
            sale.save()

        assert messages.taken() == [RECALCULATE]

    def test_queues_a_message_for_each_transaction(self, sale):
        sale.save()
        sale.save()

        assert messages.taken() == [RECALCULATE] * 2


class TestWhereTheBrokerIsAway:
    @pytest.fixture
    def closed(self) -> str:
        """The address of a broker that does not run."""
        return f"amqp://127.0.0.1:{messages.closed_port()}//"

    def test_a_save_succeeds_and_its_request_stays(self, sale, closed, caplog):
        with messages.sent_to(closed):
            sale.save()

        assert RecalculationRequest.objects.get().profile_id == sale.profile_id
        assert "The broker is away" in caplog.text

    def test_a_save_succeeds_though_the_broker_is_none_at_all(self, sale, caplog):
        with messages.sent_to("nowhere://"):
            sale.save()

        assert RecalculationRequest.objects.get().profile_id == sale.profile_id
        assert "nowhere" in caplog.text

    def test_no_more_is_tried_for_some_seconds(self, sale, closed, caplog):
        with messages.sent_to(closed):
            sale.save()
            caplog.clear()
            sale.save()

        sale.save()

        assert caplog.text == ""
        assert messages.taken() == []

    def test_it_is_tried_again_later(self, sale, closed, monkeypatch):
        with messages.sent_to(closed):
            sale.save()
        monkeypatch.setattr(nudge, "_silent_until", 0.0)

        sale.save()

        assert messages.taken() == [RECALCULATE]

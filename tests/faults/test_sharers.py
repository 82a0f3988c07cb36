"""What becomes of a change that many share, over every broker that the product runs on."""

from __future__ import annotations

import pytest
from django.db import connection

from aggregations.models import SharedChange
from aggregations.nudge import nudge_to_hand_out
from locations.models import Brand
from profiles.models import TransactionItem
from tests.concurrency import Session
from tests.factories import BrandFactory, TransactionItemFactory
from tests.faults.crew import Crew
from tests.faults.witness import eventually, nobody_waits, nobody_works, wrong_rows

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("broker", ["folder", "redis", "rabbitmq"], indirect=True),
]


@pytest.fixture
def brand(crew: Crew) -> Brand:
    """A brand that five have bought, whose rows say so."""
    crew.worker()
    brand = BrandFactory(name="Acme")
    for _ in range(5):
        TransactionItemFactory(brand=brand)
    assert eventually(nobody_waits)
    return brand


def rename(brand: Brand) -> None:
    brand.name = "Zest"
    brand.save()


def test_its_new_name_is_in_every_row_by_its_message_alone(brand: Brand) -> None:
    rename(brand)

    assert eventually(nobody_waits)
    assert wrong_rows() == []


def test_it_is_given_back_by_a_worker_that_is_killed_while_it_finds_out_whom_it_touches(
    crew: Crew, brand: Brand, session: Session
) -> None:
    worker = crew.worker()
    session.begin()
    session.do(lock_items)
    rename(brand)
    session.wait_until_blocking()

    worker.kill()
    session.roll_back()

    assert eventually(nobody_works)
    assert SharedChange.objects.get().key == str(brand.pk)
    crew.worker()
    nudge_to_hand_out()
    assert eventually(nobody_waits)
    assert wrong_rows() == []


def lock_items() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {TransactionItem._meta.db_table} IN ACCESS EXCLUSIVE MODE")

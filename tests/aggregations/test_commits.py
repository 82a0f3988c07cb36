"""Which commits wait for the disk: those of what cannot be computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connection, transaction

from aggregations import bulk
from aggregations.calculation import recalculate, refresh_due
from aggregations.models import Freshness
from aggregations.outbox import recalculate_waiting
from aggregations.selection import Selection
from profiles.models import Profile
from tests.factories import ProfileFactory, TransactionFactory

pytestmark = pytest.mark.django_db(transaction=True)

NOTE_HOW_IT_COMMITS = """
CREATE TABLE noted (setting text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO noted VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER note AFTER INSERT OR UPDATE ON aggregations_freshness
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
CREATE CONSTRAINT TRIGGER note AFTER INSERT OR UPDATE ON profiles_profile
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
"""


@pytest.fixture
def profile() -> Profile:
    return TransactionFactory().profile


@pytest.fixture(autouse=True)
def _noted(profile: Profile) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(NOTE_HOW_IT_COMMITS)
        # As in production; a server for tests alone may never wait.
        cursor.execute("SET synchronous_commit = on")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")
        cursor.execute("DROP FUNCTION note CASCADE; DROP TABLE noted")


def forget() -> None:
    """Leave what was written until now out of the account."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM noted")


def settings() -> set[str]:
    """Return how what was written since was committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting FROM noted")
        return {setting for (setting,) in cursor.fetchall()}


def test_a_worker_does_not_wait_for_the_disk(profile: Profile, moment: datetime) -> None:
    recalculate_waiting(moment=moment)

    assert settings() == {"off"}


def test_a_reader_that_recalculates_does_not(profile: Profile, moment: datetime) -> None:
    recalculate(profile_ids=[profile.pk], moment=moment)

    assert settings() == {"off"}


def test_a_refresh_by_the_clock_does_not(profile: Profile, moment: datetime) -> None:
    recalculate(profile_ids=[profile.pk], moment=moment)
    Freshness.objects.update(next_change_at=moment)
    forget()

    refresh_due(moment=moment)

    assert settings() == {"off"}


def test_a_range_of_a_run_does_not(profile: Profile, moment: datetime) -> None:
    bulk.recalculate_next(bulk.start(Selection()))

    assert settings() == {"off"}


def test_a_writer_waits(profile: Profile) -> None:
    ProfileFactory()

    assert settings() == {"on"}


def test_a_writer_waits_also_for_what_it_recalculates(profile: Profile, moment: datetime) -> None:
    with transaction.atomic():
        profile.save()
        recalculate(profile_ids=[profile.pk], moment=moment)
        recalculate_waiting(moment=moment)

    assert settings() == {"on"}


def test_a_writer_waits_again_after_a_recalculation(profile: Profile, moment: datetime) -> None:
    recalculate(profile_ids=[profile.pk], moment=moment)
    forget()

    profile.save()

    assert settings() == {"on"}

"""The calculation agrees with the oracle, which knows nothing of it, on generated histories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregations.calculation import recalculate, refresh_clock
from aggregations.models import Freshness
from tests.histories import MOMENTS, Customer, Setting, customers, make_setting, write
from tests.oracle import differences, differences_from, load, stored

pytestmark = [
    pytest.mark.django_db,
    # What failed is long until it is shrunk, and the differences say it in a line.
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]

# An example is many rows, and large and slow on purpose. The setting is written once for all of
# them on purpose too: each takes its own rows back.
many_rows = settings(
    suppress_health_check=[
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ]
)

Batch = tuple[datetime, list[Customer]]


@pytest.fixture
def setting() -> Setting:
    return make_setting()


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def batches(*, at_least: int = 1, at_most: int) -> st.SearchStrategy[Batch]:
    def at(moment: datetime) -> st.SearchStrategy[Batch]:
        return st.tuples(st.just(moment), customers(moment, at_least=at_least, at_most=at_most))

    return st.sampled_from(MOMENTS).flatmap(at)


@many_rows
@given(batch=batches(at_least=10, at_most=30))
def test_every_field_of_every_profile_is_what_the_oracle_says(
    setting: Setting, batch: Batch
) -> None:
    moment, profiles = batch
    with taken_back():
        profile_ids = write(profiles, setting=setting)

        recalculate(profile_ids=profile_ids, moment=moment)

        assert differences(profile_ids, moment=moment) == []


@many_rows
@given(batch=batches(at_most=6))
def test_one_profile_by_itself_comes_to_what_it_does_among_others(
    setting: Setting, batch: Batch
) -> None:
    moment, profiles = batch
    with taken_back():
        profile_ids = write(profiles, setting=setting)
        with taken_back():
            recalculate(profile_ids=profile_ids, moment=moment)
            among_others = stored(profile_ids)

        for profile_id in profile_ids:
            recalculate(profile_ids=[profile_id], moment=moment)

        assert stored(profile_ids) == among_others


@many_rows
@given(batch=batches(at_most=10), steps=st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_the_clock_changes_a_row_when_it_says_and_not_a_microsecond_before(
    setting: Setting, batch: Batch, steps: list[int]
) -> None:
    moment, profiles = batch
    with taken_back():
        profile_ids = write(profiles, setting=setting)
        recalculate(profile_ids=profile_ids, moment=moment)
        differences = partial(
            differences_from, *load(profile_ids), moments=dict.fromkeys(profile_ids, moment)
        )

        for step in steps:
            due = sorted(
                Freshness.objects.filter(profile__in=profile_ids).values_list(
                    "next_change_at", flat=True
                )
            )
            just_before = due[0] - timedelta(microseconds=1)
            assert differences(now=just_before) == []

            now = due[step % len(due)]
            refresh_clock(profile_ids=profile_ids, moment=now)
            assert differences(now=now) == []


@many_rows
@given(batch=batches(at_most=10))
def test_a_second_calculation_at_the_same_moment_changes_nothing(
    setting: Setting, batch: Batch
) -> None:
    moment, profiles = batch
    with taken_back():
        profile_ids = write(profiles, setting=setting)
        recalculate(profile_ids=profile_ids, moment=moment)

        assert recalculate(profile_ids=profile_ids, moment=moment) == 0

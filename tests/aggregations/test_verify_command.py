"""manage.py verify_aggregations"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from aggregations import bulk, outbox
from aggregations.calculation import recalculate
from aggregations.models import Aggregation, Freshness
from profiles.models import Profile
from tests.factories import BrandFactory, ProfileFactory, TransactionFactory, TransactionItemFactory
from tests.waiting import forget_who_waits, work_off

pytestmark = pytest.mark.django_db

Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    """Return the function that runs the command, which returns its exit status and all it says."""

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        try:
            call_command("verify_aggregations", *arguments)
        except CommandError as error:
            return error.returncode, f"{capsys.readouterr().out}{error}"
        return 0, capsys.readouterr().out

    return run


@pytest.fixture
def profiles() -> list[Profile]:
    """Five profiles with true rows, of as many moments."""
    profiles = [TransactionFactory().profile for _ in range(5)]
    now = timezone.now()
    for days, profile in enumerate(profiles):
        recalculate(profile_ids=[profile.pk], moment=now - timedelta(days=days))
    return profiles


def spoil(profile: Profile) -> None:
    Aggregation.objects.filter(profile=profile).update(shop_count=7)


def test_it_is_content_with_rows_that_are_true(verify, profiles):
    assert verify("--all") == (0, "5 rows verified, 0 of them wrong in 0 values.\n")


def test_it_names_the_profile_and_the_field_of_a_wrong_value(verify, profiles):
    spoil(profiles[2])

    status, said = verify("--all")

    assert status == 1
    assert f"{profiles[2].pk} shop_count: 7 is stored, 1 is true\n" in said
    assert "5 rows verified, 1 of them wrong in 1 values." in said


def test_it_writes_nothing(verify, profiles):
    spoil(profiles[2])

    verify("--all")

    assert Aggregation.objects.get(profile=profiles[2]).shop_count == 7


def test_it_reads_on_where_there_are_more_than_it_compares_at_a_time(verify, profiles, monkeypatch):
    monkeypatch.setattr(bulk, "PROFILES_A_RANGE", 2)
    for profile in profiles:
        spoil(profile)

    assert "5 rows verified, 5 of them wrong in 5 values." in verify("--all")[1]


def test_it_verifies_a_sample_of_the_size_wanted(verify, profiles):
    assert verify("--sample", "3") == (0, "3 rows verified, 0 of them wrong in 0 values.\n")


def test_it_leaves_out_who_waits_for_a_recalculation(verify, profiles):
    TransactionFactory(profile=profiles[0])

    assert verify("--all") == (0, "4 rows verified, 0 of them wrong in 0 values.\n")


def test_it_leaves_out_who_shares_what_has_changed(verify, profiles):
    sale = TransactionFactory(profile=profiles[0])
    item = TransactionItemFactory(transaction=sale, brand=BrandFactory())
    work_off(moment=timezone.now())
    item.brand.name = "Zest"
    item.brand.save()

    assert verify("--all") == (0, "4 rows verified, 0 of them wrong in 0 values.\n")


def test_it_leaves_out_who_comes_to_share_it_while_it_reads(verify, profiles, monkeypatch):
    sale = TransactionFactory(profile=profiles[0])
    item = TransactionItemFactory(transaction=sale, brand=BrandFactory())
    work_off(moment=timezone.now())
    monkeypatch.setattr(outbox, "hand_out", lambda: 0)
    item.brand.name = "Zest"
    item.brand.save()

    assert verify("--all") == (0, "5 rows verified, 0 of them wrong in 0 values.\n")


def test_it_leaves_out_who_was_never_calculated(verify, profiles):
    ProfileFactory()
    forget_who_waits()

    assert verify("--all") == (0, "5 rows verified, 0 of them wrong in 0 values.\n")


def test_it_forgives_what_the_clock_has_overtaken(verify, profiles):
    recalculate(profile_ids=[profiles[0].pk], moment=timezone.now() - timedelta(days=4000))
    assert Freshness.objects.filter(next_change_at__lte=timezone.now()).exists()

    assert verify("--all")[0] == 0


def test_it_takes_all_or_a_sample(verify, profiles):
    status, said = verify("--all", "--sample", "2")

    assert status != 0
    assert "not allowed with argument" in said


def test_a_sample_is_of_one_row_at_least(verify, profiles):
    assert "0 is not a whole number above 0" in verify("--sample", "0")[1]

"""manage.py recalculate_aggregations"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from aggregations import bulk
from aggregations.calculation import recalculate
from aggregations.models import Freshness, RecalculationRun
from profiles.models import Profile
from tests import messages
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
    LocationFactory,
    ProfileFactory,
    TransactionFactory,
    TransactionItemFactory,
    utc,
)
from tests.oracle import differences
from tests.waiting import work_off

pytestmark = pytest.mark.django_db

works = pytest.mark.django_db(transaction=True)

Command = Callable[..., str]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return the function that runs the command, which returns its output."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        call_command("recalculate_aggregations", *map(str, arguments))
        return capsys.readouterr().out

    return run


@pytest.fixture
def _small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PROFILES_A_RANGE", 2)


def calculated() -> set[Profile]:
    return set(Profile.objects.exclude(freshness=None))


def contents() -> dict[str, list]:
    """Return what stands in the tables that a recalculation writes."""
    tables = ("aggregation", "freshness", "recalculationrequest", "recalculationrun")
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM aggregations_{table} ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


@works
@pytest.mark.usefixtures("_small_ranges")
class TestItRecalculates:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_everybody(self, command, workers):
        for _ in range(5):
            TransactionFactory()

        command("--workers", workers)

        assert calculated() == set(Profile.objects.all())
        for row in Freshness.objects.all():
            assert differences([row.profile_id], moment=row.calculated_at) == []

    def test_who_is_named(self, command):
        one, another, _ = ProfileFactory.create_batch(3)

        command("--profile", one.pk, another.pk)

        assert calculated() == {one, another}

    def test_who_shares_what_has_changed_where_those_that_wait_are_wanted(self, command):
        item = TransactionItemFactory(brand=BrandFactory())
        ProfileFactory()
        work_off(moment=timezone.now())
        item.brand.name = "Zest"
        item.brand.save()

        assert command("--stale").startswith("1 profiles in ")

        freshness = Freshness.objects.get(profile=item.profile_id)
        assert differences([freshness.pk], moment=freshness.calculated_at) == []

    def test_and_closes_with_what_was_done(self, command):
        ProfileFactory.create_batch(3)

        closing = command()

        assert re.fullmatch(
            r"3 profiles in \d+\.\d seconds, [\d,]+ profiles per second; 3 rows changed\.\n",
            closing,
        )

    def test_and_says_that_nothing_changed(self, command):
        ProfileFactory.create_batch(3)
        command()

        assert command().endswith("; 0 rows changed.\n")

    def test_and_tells_its_progress_beside_the_output(self, capsys):
        ProfileFactory.create_batch(3)

        call_command("recalculate_aggregations")

        assert capsys.readouterr().err.startswith("3 of 3 profiles, ")


@works
@pytest.mark.usefixtures("_small_ranges")
class TestWhereARangeFails:
    @pytest.fixture
    def impossible(self) -> Profile:
        """The last of five profiles, which cannot be calculated."""
        profile = sorted(ProfileFactory.create_batch(5), key=lambda each: each.pk)[-1]
        TransactionFactory(
            profile=profile, total="999999999999.99", currency=CurrencyFactory(rate="9999999999")
        )
        return profile

    def test_it_fails_and_names_the_range_and_why(self, command, impossible):
        with pytest.raises(CommandError) as failure:
            command()

        assert failure.value.returncode == 1
        told = f"{impossible.pk} to {impossible.pk}: DataError: numeric field overflow"
        assert told in str(failure.value)

    def test_the_others_are_done(self, command, impossible):
        with pytest.raises(CommandError):
            command()

        assert calculated() == set(Profile.objects.exclude(pk=impossible.pk))

    def test_resume_tries_it_again(self, command, impossible):
        with pytest.raises(CommandError):
            command()
        impossible.transactions.all().delete()

        closing = command("--resume")

        assert closing.startswith("1 profiles in ")
        assert closing.endswith("; 1 rows changed.\n")
        assert calculated() == set(Profile.objects.all())


class TestADryRun:
    @pytest.fixture
    def stale(self) -> Profile:
        """One of two profiles: a sale came in since they were calculated."""
        stale, current = ProfileFactory.create_batch(2, joined_at=utc("2025-01-01"))
        recalculate(profile_ids=[stale.pk, current.pk], moment=timezone.now())
        TransactionFactory(profile=stale)
        return stale

    def test_counts_what_would_change_and_shows_it(self, command, stale):
        shown = command("--dry-run")

        assert f"{stale.pk} shop_count: 0 is stored, 1 is true\n" in shown
        assert shown.endswith("1 of 2 profiles would change.\n")

    def test_writes_nothing(self, command, stale):
        before = contents()

        command("--dry-run")

        assert contents() == before

    def test_shows_a_sample_and_counts_all(self, command):
        ProfileFactory.create_batch(3)

        *sample, closing = command("--dry-run").splitlines()

        assert len(sample) == 20
        assert closing == "3 of 3 profiles would change."


class TestTheOptionsThatSelect:
    """What they select is shown by dry runs: how many of how many would change."""

    @pytest.fixture(autouse=True)
    def store(self) -> int:
        """A store where one of three shopped, who joined last and shops since."""
        store = LocationFactory()
        ProfileFactory(joined_at=utc("2025-01-01"))
        TransactionFactory(profile__joined_at=utc("2024-01-01"), at="2024-02-01 10:00")
        TransactionFactory(
            profile__joined_at=utc("2025-05-31"), at="2025-06-01 10:00", location=store
        )
        current = ProfileFactory(joined_at=utc("2023-01-01"))
        recalculate(profile_ids=[current.pk], moment=timezone.now())
        return store.pk

    @pytest.mark.parametrize(
        ("options", "selected"),
        [
            ([], 4),
            (["--stale"], 3),
            (["--joined-since", "2025-01-01"], 2),
            (["--joined-since", "2025-01-01T00:00:01Z"], 1),
            (["--joined-since", "2025-01-01T00:00+10:00"], 2),
            (["--transacted-since", "2024-01-01"], 2),
            (["--transacted-since", "2025-01-01"], 1),
            (["--stale", "--joined-since", "2025-01-01", "--transacted-since", "2025-01-01"], 1),
        ],
    )
    def test_select(self, command, options, selected):
        assert f"of {selected} profiles would change" in command("--dry-run", *options)

    def test_select_by_location(self, command, store):
        assert "1 of 1 profiles would change" in command("--dry-run", "--location", store)

    def test_select_nobody_where_the_named_profile_meets_no_other_condition(self, command):
        profile = Profile.objects.get(joined_at=utc("2023-01-01"))

        shown = command("--dry-run", "--profile", profile.pk, "--joined-since", "2025-01-01")

        assert shown == "0 of 0 profiles would change.\n"


class TestItRefuses:
    @pytest.mark.parametrize("option", [(), ("--dry-run",)])
    def test_a_profile_that_is_not_there(self, command, option):
        known, unknown = ProfileFactory(), uuid.uuid4()

        with pytest.raises(CommandError, match=rf"^No such profile: {unknown}\.$"):
            command("--profile", known.pk, unknown, *option)

        assert not RecalculationRun.objects.exists()
        assert calculated() == set()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--profile", "7"], "argument --profile: invalid UUID value: '7'"),
            (["--joined-since", "yesterday"], "yesterday is neither a date"),
            (["--transacted-since", "2025-02-30"], "2025-02-30 is neither a date"),
            (["--location", "first"], "first is not a whole number above 0"),
            (["--workers", "0"], "0 is not a whole number above 0"),
            (["--workers", "2", "--celery"], "not allowed with argument"),
            (["--resume", "--dry-run"], "not allowed with argument"),
            (["--resume", "--stale"], "--resume goes on with the profiles of its run"),
            (["--resume"], "There is no run to go on with"),
        ],
    )
    def test_what_it_does_not_understand(self, command, options, message):
        with pytest.raises(CommandError, match=re.escape(message)):
            command(*options)


def test_it_says_so_where_the_broker_is_away(command):
    ProfileFactory()

    with (
        messages.sent_to(f"amqp://127.0.0.1:{messages.closed_port()}//"),
        pytest.raises(CommandError, match=r"^The broker is away: .* --resume goes on without them"),
    ):
        command("--celery")

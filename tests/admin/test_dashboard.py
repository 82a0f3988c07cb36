"""The first page tells what waits and what failed, and opens whatever state the database is in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone as clock

from aggregations.models import Freshness, RecalculationCount, RecalculationRequest
from omneo.admin import Tile
from profiles.models import ProfileBatch, QueuedTransaction
from tests import factories
from tests.concurrency import another_session

INDEX = "/admin/"
REQUESTS = "/admin/aggregations/recalculationrequest/"
Lane = RecalculationRequest.Lane


def tiles(client: Client, path: str = INDEX) -> dict[str, Tile]:
    return {tile.title: tile for tile in client.get(path).context["tiles"]}


def values(client: Client) -> list[str]:
    return [tile.value for tile in tiles(client).values()]


def wait_for(seconds: int, *, lane: Lane = Lane.LIVE, attempts: int = 0) -> None:
    """Let somebody have waited for so long."""
    since = clock.now() - timedelta(seconds=seconds)
    profile_id = factories.ProfileFactory.build().pk
    RecalculationRequest.objects.create(
        profile_id=profile_id, requested_at=since, lane=lane, attempts=attempts
    )


def test_where_nothing_waits_all_is_nought_and_nothing_stands_out(admin_client: Client):
    shown = tiles(admin_client)

    assert values(admin_client) == ["0", "0", "0 rows", "0", "0", "0"]
    assert [tile.label for tile in shown.values()] == [""] * 6
    assert shown["Recalculations waiting"].lines == [
        "0 live, 0 bulk",
        "Nothing waits.",
        "Done in the last minute: 0.00 a second.",
    ]
    assert shown["Recalculations failing"].lines == [
        "None is set apart with an error.",
        "0 recalculations failed so far.",
    ]


def test_what_failed_is_told_apart_from_what_waits(admin_client: Client):
    wait_for(3)
    wait_for(40, lane=Lane.BULK)
    wait_for(5000, attempts=2)

    shown = tiles(admin_client)

    assert shown["Recalculations waiting"].value == "2"
    assert shown["Recalculations waiting"].lines[0] == "1 live, 1 bulk"
    assert shown["Recalculations waiting"].lines[1].startswith("The oldest waits for 4")
    assert shown["Recalculations failing"].value == "1"
    assert shown["Recalculations failing"].label == "failing"


@pytest.mark.parametrize(
    ("profiles", "shown"), [(1, "0.02"), (150, "2.50"), (600_000, "10,000.00")]
)
def test_how_many_are_recalculated_a_second_stands_beside_what_waits(
    admin_client: Client, profiles: int, shown: str
):
    RecalculationCount.objects.create(recalculated=profiles)

    line = tiles(admin_client)["Recalculations waiting"].lines[-1]

    assert line == f"Done in the last minute: {shown} a second."


def test_how_many_failed_is_told_when_they_are_calculated_since(admin_client: Client):
    for failed in (1, 1200):
        RecalculationCount.objects.create(failed=failed)

    shown = tiles(admin_client)["Recalculations failing"]

    assert shown.value == "0"
    assert shown.lines[-1] == "1,201 recalculations failed so far."


@pytest.mark.parametrize(("seconds", "label"), [(30, ""), (50, "late")])
def test_what_waits_for_longer_than_the_settings_allow_is_late(
    admin_client: Client, settings: Any, seconds: int, label: str
):
    settings.LAG_WARNING_SECONDS = 40
    wait_for(seconds)

    assert tiles(admin_client)["Recalculations waiting"].label == label


def test_what_the_clock_has_overtaken_is_counted_with_its_age(admin_client: Client):
    now = clock.now()
    Freshness.objects.create(
        profile=factories.ProfileFactory(),
        calculated_at=now,
        next_change_at=now - timedelta(hours=2),
    )

    shown = tiles(admin_client)["Overtaken by the clock"]

    assert (shown.value, shown.label) == ("1 row", "late")
    assert shown.lines[0].replace("\xa0", " ") == "The oldest is due for 2 hours."


def test_what_is_still_to_come_in_is_counted(admin_client: Client):
    factories.QueuedTransactionFactory(accepted_at=clock.now())
    factories.QueuedTransactionFactory(errors={"total": ["Wrong."]})
    factories.QueuedTransactionFactory(errors={"total": ["Wrong."]})
    batch = factories.ProfileBatchFactory(accepted_at=clock.now())
    factories.ProfileBatchRowFactory(batch=batch, index=0)
    factories.ProfileBatchRowFactory(batch=batch, index=1, status="created")
    factories.ProfileBatchRowFactory(batch__finished_at=clock.now())

    shown = tiles(admin_client)

    assert shown["Queued transactions waiting"].value == "1"
    assert shown["Queued transactions failed"].value == "2"
    assert shown["Batches of profiles in hand"].value == "1"
    assert shown["Batches of profiles in hand"].lines[0].startswith("1 profile to come")


def test_each_number_leads_to_its_rows(admin_client: Client):
    wait_for(3)
    wait_for(3, attempts=1)
    factories.QueuedTransactionFactory(errors={"total": ["Wrong."]})
    factories.QueuedTransactionFactory()
    factories.ProfileBatchFactory()
    factories.ProfileBatchFactory(finished_at=clock.now())

    linked = [tile for tile in tiles(admin_client).values() if tile.link]

    assert len(linked) == 5
    for tile in linked:
        assert str(admin_client.get(tile.link).context["cl"].result_count) == tile.value == "1"


@pytest.mark.parametrize(
    ("model", "shown"),
    [(RecalculationRequest, 3), (QueuedTransaction, 2), (ProfileBatch, 1)],
    ids=["requests", "queue", "batches"],
)
def test_one_sees_the_numbers_of_what_one_may_see(staff, model: type, shown: int):
    assert len(tiles(staff(f"view_{model._meta.model_name}"))) == shown


def test_who_may_see_none_of_it_has_a_page_all_the_same(staff):
    assert tiles(staff()) == {}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", [INDEX, f"{REQUESTS}?q=nobody"], ids=["index", "list"])
def test_what_cannot_be_counted_in_time_is_said_to_be_unknown(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, path: str
):
    monkeypatch.setattr("omneo.admin.tiles.PATIENCE", 200)
    with another_session() as other:
        other.begin()
        table = RecalculationRequest._meta.db_table
        other.do(lambda: connection.cursor().execute(f"LOCK TABLE {table}"))
        shown = tiles(admin_client, path)["Recalculations"]

    assert (shown.value, shown.label) == ("?", "unknown")
    assert shown.lines == ["It cannot be counted: canceling statement due to statement timeout."]


def test_counting_leaves_no_timeout_behind(admin_client: Client):
    admin_client.get(INDEX)

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_it_takes_as_many_queries_for_many_rows_as_for_none(admin_client: Client, one_of_each):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(INDEX).status_code == 200
        return len(captured)

    for_one = queries()
    for _ in range(3):
        wait_for(5)
        wait_for(5, attempts=1)
        RecalculationCount.objects.create(recalculated=1, failed=1)
        factories.QueuedTransactionFactory(errors={"total": ["Wrong."]})
        factories.ProfileBatchRowFactory()

    assert queries() == for_one

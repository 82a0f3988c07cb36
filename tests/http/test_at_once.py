"""Many clients at the same time: nothing is there twice, or lost, or told too soon."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from aggregations import outbox
from locations.models import Brand
from profiles.models import Profile, QueuedTransaction, Transaction
from profiles.queueing import ingest_queued
from tests.concurrency import at_once
from tests.factories import BrandFactory, ProfileFactory
from tests.http.server import Answer, Client, Server, new_token
from tests.oracle import differences
from tests.waiting import work_off

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 8
A_WORKERS_DELAY = 0.1  # seconds, in which a sale is there and its row is not true yet
LASTING = 4  # seconds, in which the second that is told changes


@pytest.fixture
def profile(transactional_db: None) -> Profile:
    return ProfileFactory()


@pytest.fixture
def clients(server: Server, transactional_db: None) -> list[Client]:
    token = new_token()
    return [server.client(token) for _ in range(CLIENTS)]


def sale(profile: Profile, name: str, **fields: Any) -> dict[str, Any]:
    return {"profile_id": str(profile.pk), "external_id": name, "total": 1} | fields


def posted_by_all(clients: list[Client], path: str, body: Any) -> list[Answer]:
    """Let all clients post the same at the same time."""
    with ThreadPoolExecutor(len(clients)) as threads:
        return list(threads.map(lambda client: client.post(path, body), clients))


def test_a_batch_posted_by_many_is_there_once(clients: list[Client], profile: Profile):
    rows = [
        sale(
            profile, f"T-{n}", location_id=f"S-{n % 7}", items=[{"name": "Socks", "brand": "Acme"}]
        )
        for n in range(1000)
    ]

    answers = posted_by_all(clients, "/transactions/batch", rows)

    assert {answer.status for answer in answers} == {200}
    outcomes = [row for answer in answers for row in answer.data]
    assert [row["status"] for row in outcomes].count("created") == 1000
    assert {row["status"] for row in outcomes} == {"created", "updated"}
    assert len({row["id"] for row in outcomes}) == Transaction.objects.count() == 1000


def test_a_sale_posted_or_queued_by_many_is_one_transaction(
    clients: list[Client], profile: Profile
):
    posted = posted_by_all(clients, "/transactions/update-create", sale(profile, "T-1"))
    queued = posted_by_all(clients, "/transactions/queue", sale(profile, "T-2"))
    at_once(*[ingest_queued] * 3)
    while ingest_queued():
        pass

    assert sorted(answer.status for answer in posted) == [200] * (CLIENTS - 1) + [201]
    assert {answer.status for answer in queued} == {202}
    assert sorted(Transaction.objects.values_list("external_id", flat=True)) == ["T-1", "T-2"]
    assert not QueuedTransaction.objects.exists()


def test_a_walk_by_cursor_sees_all_that_stays_once(clients: list[Client]):
    stay = [BrandFactory(name=f"{n % 10}").pk for n in range(300)]  # with many names alike
    go = [BrandFactory(name=f"{n % 10}").pk for n in range(50)]
    walker, writer = clients[:2]
    is_over = threading.Event()

    def write() -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            new = {"name": f"{number % 10}", "handle": f"new-{number}"}
            assert writer.post("/brands", new).status == 201
            change = {"description": f"changed {number}"}
            assert writer.ask("PUT", f"/brands/{stay[number % 300]}", change).status == 200
            if go:
                assert writer.ask("DELETE", f"/brands/{go.pop()}").status == 204

    seen: list[int] = []
    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        path = "/brands?sort=-name&page[size]=20&page[cursor]="
        while path:
            page = walker.get(path)
            seen += [row["id"] for row in page.data]
            following = page.json["links"]["next"]
            path = following and "?".join(urlsplit(following)[2:4]).removeprefix("/api/v3")
        is_over.set()
        writing.result()

    assert [seen.count(pk) for pk in stay] == [1] * len(stay)
    assert len(set(seen)) == len(seen)
    assert Brand.objects.count() > len(stay)


class Till:
    """Posts sales of 1 to a profile, and knows when each was answered."""

    def __init__(self, client: Client, profile: Profile, name: str) -> None:
        self._client, self._profile, self._name = client, profile, name
        self.begun = 0
        self.answered: list[float] = []

    def sell(self, is_over: threading.Event) -> None:
        while not is_over.is_set():
            self.begun += 1
            body = sale(self._profile, f"{self._name}-{self.begun}")
            assert self._client.post("/transactions/update-create", body).status == 201
            self.answered.append(time.time())


def test_what_is_told_of_freshness_is_never_ahead_of_the_row(
    clients: list[Client], profile: Profile
):
    """While sales come in, an answer has each sale that was there when it was calculated; and each
    that was there when it was asked for, unless it says that a recalculation waits.
    """
    tills = [Till(client, profile, f"till-{n}") for n, client in enumerate(clients[:2])]
    is_over = threading.Event()
    versions: dict[str, float] = {}
    waited = 0

    def answered_before(moment: float) -> int:
        return sum(at < moment for till in tills for at in till.answered)

    def poll(client: Client) -> int:
        pending = 0
        while not is_over.is_set():
            asked_at = time.time()
            there = answered_before(asked_at)
            answer = client.get(f"/profiles/{profile.pk}/aggregations")
            begun = sum(till.begun for till in tills)
            count = answer.data["shop_count"]
            assert count <= begun
            assert answered_before(calculated_at(answer)) <= count
            if answer.headers["Omneo-Pending"] == "false":
                assert there <= count
            else:
                pending += 1
            assert versions.setdefault(answer.headers["ETag"], count) == count
        return pending

    def work() -> None:
        while not is_over.wait(A_WORKERS_DELAY):
            outbox.recalculate_waiting(moment=timezone.now())

    def end() -> None:
        time.sleep(LASTING)
        is_over.set()

    polls: list[Callable[[], Any]] = [lambda client=client: poll(client) for client in clients[2:5]]
    sells = [lambda till=till: till.sell(is_over) for till in tills]
    waited = sum(found or 0 for found in at_once(*polls, *sells, work, end))
    work_off(moment=timezone.now())

    assert waited
    assert len(versions) > 5
    final = clients[0].get(f"/profiles/{profile.pk}/aggregations")
    assert final.headers["Omneo-Pending"] == "false"
    assert final.data["shop_count"] == Transaction.objects.count() == answered_before(time.time())
    assert differences([profile.pk], moment=timezone.now()) == []


def calculated_at(answer: Answer) -> float:
    """Return the beginning of the second in which the row was calculated."""
    told = datetime.fromisoformat(answer.headers["Omneo-Calculated-At"])
    return told.replace(tzinfo=UTC).timestamp()

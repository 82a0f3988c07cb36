"""Taking sales while the worker keeps up: how many a second, and how long the oldest waits."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from django.db import transaction

from benchmarks import load
from benchmarks.cases import Options
from benchmarks.cases.recalculation import recalculate_everybody
from benchmarks.database import Databases, execute, settle
from benchmarks.machine import describe
from benchmarks.measure import Spread, brief
from benchmarks.processes import Server, running_product
from benchmarks.progress import say
from benchmarks.results import Chart, Result, Table, Target
from profiles.models import Transaction, TransactionItem

LASTING = 10  # seconds
BATCH = 100  # sales
SAMPLED_EVERY = 0.05  # seconds
PATIENCE = 60  # seconds for the worker to be done after the last sale

WAITING = """
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(requested_at)), 0)::float8
    FROM aggregations_recalculationrequest
"""


class Shop:
    """Makes up sales of random profiles at random places."""

    def __init__(self) -> None:
        sampled = execute("SELECT id FROM profiles_profile ORDER BY random() LIMIT 20000")
        self.profiles: list[UUID] = [profile_id for (profile_id,) in sampled]
        self.locations = [key for (key,) in execute("SELECT id FROM locations_location")]
        self.brands = [key for (key,) in execute("SELECT id FROM locations_brand")]
        self.numbers = itertools.count(1)
        self.random = random.Random(7)

    def bodies(self) -> Iterator[dict[str, Any]]:
        """Yield sales as the API takes them."""
        choice = self.random.choice
        for number in self.numbers:
            total = round(5 + 60 * self.random.random(), 2)
            item = {
                "name": "Item",
                "sku": "sku-1",
                "quantity": 1,
                "price_sell": round(total / 2, 2),
            }
            yield {
                "external_id": f"sale-{number}",
                "profile_id": str(choice(self.profiles)),
                "location_id": choice(self.locations),
                "total": total,
                "total_original": round(total * 1.2, 2),
                "systems": ["pos"],
                "transacted_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "items": [item | {"brand_id": choice(self.brands)} for _ in range(2)],
            }

    def batches(self) -> Iterator[dict[str, Any]]:
        bodies = self.bodies()
        while True:
            yield {"transactions": list(itertools.islice(bodies, BATCH))}


def run(databases: Databases, options: Options) -> Result:
    """Sell in each way, on a copy of the retailer, with one web process and one worker."""
    result = Result("ingestion", options.profiles, describe())
    rates: dict[str, list[float]] = {}
    ages: dict[str, list[float]] = {}
    with databases.copy_of_retailer(options.profiles):
        recalculate_everybody(workers=2)
        settle()
        shop = Shop()
        with running_product(databases, worker=True) as server:
            ways = _ways(shop, server)
            for number in range(1, options.rounds + 1):
                for name, sell in ways.items():
                    with watched(databases.url) as watch:
                        sold = sell()
                        watch.wait_until_nobody_waits()
                    rates.setdefault(name, []).append(sold)
                    ages.setdefault(name, []).append(watch.oldest)
                    say(
                        f"  {number}/{options.rounds} {name}: {brief(sold)} sales a second, the"
                        f" oldest request waited {brief(watch.oldest)} s"
                    )
    _report(result, rates, ages)
    return result


def _ways(shop: Shop, server: Server) -> dict[str, Callable[[], float]]:
    """Ways to sell for some seconds; each returns the sales a second."""

    def post_one_by_one() -> float:
        return load.post(server, "/api/v3/transactions", shop.bodies(), lasting=LASTING).per_second

    def post_batches() -> float:
        found = load.post(server, "/api/v3/transactions/batch", shop.batches(), lasting=LASTING)
        return found.per_second * BATCH

    def save() -> float:
        bodies, began, sold = shop.bodies(), time.perf_counter(), 0
        while (elapsed := time.perf_counter() - began) < LASTING:
            _save(next(bodies))
            sold += 1
        return sold / elapsed

    return {
        "POST, one by one": post_one_by_one,
        f"POST, batches of {BATCH}": post_batches,
        "Transaction.save(), one process": save,
    }


@transaction.atomic
def _save(body: dict[str, Any]) -> None:
    sale = Transaction.objects.create(
        external_id=body["external_id"],
        profile_id=body["profile_id"],
        location_id=body["location_id"],
        total=Decimal(str(body["total"])),
        total_original=Decimal(str(body["total_original"])),
        systems=body["systems"],
        transacted_at=datetime.fromisoformat(body["transacted_at"]),
    )
    for item in body["items"]:
        TransactionItem.objects.create(
            transaction=sale,
            name=item["name"],
            sku=item["sku"],
            price_sell=Decimal(str(item["price_sell"])),
            brand_id=item["brand_id"],
        )


class Watch:
    """How long the oldest request for a recalculation waited at most."""

    def __init__(self, url: str) -> None:
        self.oldest = 0.0
        self.most = 0
        self._connection = psycopg.connect(url, autocommit=True)
        self._stop = threading.Event()
        self._nobody_waits = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._connection.close()

    def wait_until_nobody_waits(self) -> None:
        self._nobody_waits.clear()
        if not self._nobody_waits.wait(PATIENCE):
            raise RuntimeError("The worker does not keep up: requests still wait.")

    def _look(self) -> None:
        while not self._stop.wait(SAMPLED_EVERY):
            waiting, oldest = self._connection.execute(WAITING).fetchone()
            self.most = max(self.most, waiting)
            self.oldest = max(self.oldest, oldest)
            if not waiting:
                self._nobody_waits.set()


@contextmanager
def watched(url: str) -> Iterator[Watch]:
    """Look at the requests that wait, until the end of the block."""
    watch = Watch(url)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def _report(result: Result, rates: dict[str, list[float]], ages: dict[str, list[float]]) -> None:
    sold = {name: Spread.of(values) for name, values in rates.items()}
    waited = {name: Spread.of(values) for name, values in ages.items()}
    rows = [[name, str(rate), str(waited[name])] for name, rate in sold.items()]
    columns = ["way", "sales a second", "longest wait for the recalculation, s"]
    result.tables.append(Table("Selling with the worker keeping up", columns, rows))
    result.charts.append(Chart("ingestion", "Sales taken", "sales a second", sold))
    result.targets += [
        Target(f"longest wait in seconds: {name}", 1, spread.most, at_least=False)
        for name, spread in waited.items()
        if name.startswith("POST")
    ]
    result.notes.append(
        f"Each sale has two items. {LASTING} seconds a way and round; a sale is of a random"
        " profile. One web process on one core, one worker process pool of two and the database on"
        f" all; {load.CONNECTIONS} connections post. A request's wait is sampled every"
        f" {1000 * SAMPLED_EVERY:.0f} ms until the recalculation is committed."
    )

"""Recalculating one profile, or a hundred at once, as a worker does after a sale."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from aggregations.calculation import recalculate
from benchmarks.cases import Options
from benchmarks.cases.recalculation import recalculate_everybody
from benchmarks.database import Databases, execute, settle
from benchmarks.machine import describe
from benchmarks.measure import CALLS_IN_A_ROW, Latencies, Spread, Way, brief, latencies_in_turn
from benchmarks.progress import say
from benchmarks.results import Chart, Result, Table, Target
from benchmarks.rivals import orm, tables

CALLS = 500
BATCH = 100  # profiles
OURS, USUAL, FLOOR = "Omneo", "Django's usual way", "floor: update of one short row"
WAITING = "Omneo, were its commit to wait for the disk"

BY_LENGTH = """
    SELECT profile_id FROM (
        SELECT profile_id, count(*) AS transactions
        FROM profiles_transaction WHERE NOT is_void GROUP BY profile_id
    ) AS history ORDER BY abs(transactions - %s), profile_id LIMIT %s
"""
TOUCH = "UPDATE aggregations_freshness SET calculated_at = now() WHERE profile_id = ANY(%s)"
MAKE_WRONG = """
    UPDATE aggregations_aggregation SET shop_count = shop_count + 1 WHERE profile_id = ANY(%s)
"""


def run(databases: Databases, options: Options) -> Result:
    """Measure histories of different lengths, then a batch."""
    databases.use_retailer(options.profiles)
    recalculate_everybody(workers=2)
    tables.create(orm.TABLE)
    settle()
    result = Result("live", options.profiles, describe())
    taken: dict[str, dict[str, Latencies]] = {}
    for transactions, profiles in ((10, CALLS), (300, 50), (3000, 3)):
        calls = [[profile] for profile in _profiles_with(transactions, profiles)]
        calls *= CALLS // len(calls)
        taken[f"{transactions:,} transactions"] = _measured(calls)
    batches = [_random_profiles(BATCH) for _ in range(CALLS)]
    taken[f"batch of {BATCH} profiles"] = _measured(batches, usual_every=CALLS_IN_A_ROW)
    for what, latencies in taken.items():
        for way, found in latencies.items():
            say(f"  {what}, {way}: p50 {brief(found.p50)} ms, p99 {brief(found.p99)} ms")
    _report(result, taken)
    return result


def _measured(calls: list[list[UUID]], *, usual_every: int = 1) -> dict[str, Latencies]:
    def calculate(profile_ids: Collection[UUID]) -> None:
        recalculate(profile_ids=profile_ids, moment=timezone.now())

    def calculate_and_wait(profile_ids: Collection[UUID]) -> None:
        with transaction.atomic():
            calculate(profile_ids)

    def make_wrong(profile_ids: Collection[UUID]) -> None:
        execute(MAKE_WRONG, [profile_ids])

    def usual(profile_ids: Collection[UUID]) -> None:
        orm.calculate(profile_ids, moment=timezone.now())

    ways = {
        OURS: Way(calculate, make_wrong),
        WAITING: Way(calculate_and_wait, make_wrong),
        USUAL: Way(usual, every=usual_every),
        FLOOR: Way(lambda profile_ids: execute(TOUCH, [profile_ids])),
    }
    return latencies_in_turn(ways, calls)


def _profiles_with(transactions: int, number: int) -> list[UUID]:
    return [profile_id for (profile_id,) in execute(BY_LENGTH, [transactions, number])]


def _random_profiles(number: int) -> list[UUID]:
    rows = execute("SELECT id FROM profiles_profile ORDER BY random() LIMIT %s", [number])
    return [profile_id for (profile_id,) in rows]


def _report(result: Result, taken: dict[str, dict[str, Latencies]]) -> None:
    rows = []
    bars = {}
    for what, latencies in taken.items():
        ours, usual = latencies[OURS], latencies[USUAL]
        for way, found in latencies.items():
            rows.append([f"{what}: {way}", brief(found.p50), brief(found.p99), f"{found.calls:,}"])
            bars[f"{way}: {what}"] = Spread(found.p50, found.p50, found.p99)
        ratio = usual.p50 / ours.p50
        bound = {"10 transactions": 25, "3,000 transactions": 3}.get(what)
        if bound:
            result.targets += [
                Target(f"{what}: {USUAL} / {OURS}, p50", bound, ratio),
                Target(f"{what}: p99 / p50", 2, ours.p99 / ours.p50, at_least=False),
            ]
        else:
            result.notes.append(
                f"{what}: {USUAL} takes {brief(ratio)} times as long (p50); ours has a p99 of"
                f" {brief(ours.p99 / ours.p50)} times its p50."
            )
    result.tables.append(Table("Milliseconds a call", ["call", "p50", "p99", "calls"], rows))
    result.charts.append(Chart("live", "A call: p50, with p99 at the whisker's end", "ms", bars))
    result.notes.append(
        "Each call begins with a stored row that is wrong, so that it is written, and ends with a"
        " commit. Ours does not wait for the disk: what a crash undoes is requested still. The"
        " usual way cannot tell and waits, as does the floor, which updates one short row for each"
        f" profile. The ways take the same profiles, {CALLS_IN_A_ROW} calls in turn."
    )

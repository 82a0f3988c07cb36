"""Recalculating everybody, against Django's usual way, DuckDB, Polars, and the floor."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from types import ModuleType
from uuid import UUID

from django.utils import timezone

from aggregations.calculation import recalculate
from benchmarks.cases import Options
from benchmarks.cases.recalculation import STATES, recalculate_everybody
from benchmarks.database import Databases, execute, settle
from benchmarks.machine import describe
from benchmarks.measure import Arm, Spread, brief, seconds, taken_in_turn
from benchmarks.progress import say, timed
from benchmarks.results import Chart, Result, Table, Target
from benchmarks.rivals import duckdb_, orm, parquet, polars_, tables

ORM_SAMPLE = 200  # profiles a round
AGREEMENT_SAMPLE = 2000  # profiles
OUTSIDE = {"DuckDB": duckdb_, "Polars": polars_}
RIVALS = {"Django's usual way": orm.TABLE} | {n: rival.TABLE for n, rival in OUTSIDE.items()}

SCAN = """
    SELECT profile_id, count(*), sum(total), min(transacted_at), max(transacted_at)
    FROM profiles_transaction {where} GROUP BY profile_id
"""
SCANS = {
    "floor: scan of the table": SCAN.format(where=""),
    "floor: scan of the covering index": SCAN.format(where="WHERE NOT is_void"),
}
UPSERT = "floor: upsert of finished rows"
FLOOR = "rival_floor"

ALL_CHANGE, NONE_CHANGE = "all rows change", "no row changes"


def run(databases: Databases, options: Options) -> Result:
    """Measure all ways on the same data, in turn."""
    databases.use_retailer(options.profiles)
    result = Result("full", options.profiles, describe())
    with tempfile.TemporaryDirectory() as directory:
        files = Path(directory)
        exported = seconds(lambda: parquet.export(files))
        say(f"export to Parquet: {brief(exported)} s")
        _make_tables()
        arms = _ours() | _floor() | _orm(options.profiles) | _outside(files)
        spreads = taken_in_turn(arms, rounds=options.rounds)
        result.tables.append(_agreement(files))
    _report(result, spreads, exported)
    return result


def _make_tables() -> None:
    STATES["first time"]()
    with timed("calculating everybody, for the tables of the rivals"):
        recalculate_everybody(workers=2)
    for table in (*RIVALS.values(), FLOOR):
        tables.create(table)
        execute(f"INSERT INTO {table} SELECT * FROM aggregations_aggregation")
        settle(table)
    execute("DROP TABLE IF EXISTS finished_rows")
    execute("CREATE TABLE finished_rows AS SELECT * FROM aggregations_aggregation")


def _ours() -> dict[str, Arm]:
    return {
        f"{_connections(workers)}, {state}": Arm(
            lambda workers=workers: recalculate_everybody(workers=workers), prepare
        )
        for workers in (1, 2)
        for state, prepare in STATES.items()
    }


def _connections(workers: int) -> str:
    return "1 connection" if workers == 1 else f"{workers} connections"


def _floor() -> dict[str, Arm]:
    def scan(query: str) -> None:
        # Not sent to anybody, and on one core, as a connection's work is.
        execute("SET max_parallel_workers_per_gather = 0")
        execute(f"EXPLAIN (ANALYZE, TIMING OFF) {query}")
        execute("RESET max_parallel_workers_per_gather")

    scans = {name: Arm(lambda query=query: scan(query)) for name, query in SCANS.items()}
    upsert = Arm(lambda: tables.upsert(source="finished_rows", table=FLOOR), lambda: settle(FLOOR))
    return scans | {UPSERT: upsert}


def _orm(profiles: int) -> dict[str, Arm]:
    size = min(ORM_SAMPLE, profiles)
    sample: list[UUID] = []

    def choose() -> None:
        sample[:] = _random_profiles(size)

    def calculate() -> None:
        orm.calculate(sample, moment=timezone.now())

    return {"Django's usual way": Arm(calculate, choose, scale=profiles / size)}


def _outside(files: Path) -> dict[str, Arm]:
    def compute_and_write_back(rival: ModuleType) -> None:
        csv = files / "finished.csv"
        rival.export(rival.calculate(files, moment=timezone.now()), csv)
        tables.write_back(csv=csv, table=rival.TABLE)

    arms = {}
    for name, rival in OUTSIDE.items():
        arms[f"{name}, compute"] = Arm(
            lambda rival=rival: rival.calculate(files, moment=timezone.now())
        )
        arms[f"{name}, compute and write back"] = Arm(
            lambda rival=rival: compute_and_write_back(rival),
            lambda rival=rival: settle(rival.TABLE),
        )
    return arms


def _random_profiles(number: int) -> list[UUID]:
    rows = execute("SELECT id FROM profiles_profile ORDER BY random() LIMIT %s", [number])
    return [profile_id for (profile_id,) in rows]


def _agreement(files: Path) -> Table:
    """Compare every rival's rows with ours as of the same moment."""
    moment = timezone.now()
    for rival in OUTSIDE.values():
        csv = files / "finished.csv"
        rival.export(rival.calculate(files, moment=moment), csv)
        tables.write_back(csv=csv, table=rival.TABLE)
    rows = []
    for name, table in RIVALS.items():
        is_slow = table == orm.TABLE
        profile_ids = _random_profiles(ORM_SAMPLE if is_slow else AGREEMENT_SAMPLE)
        if is_slow:
            orm.calculate(profile_ids, moment=moment)
        recalculate(profile_ids=profile_ids, moment=moment)
        found = tables.differences(table, profile_ids=profile_ids)
        rows.append(
            [
                name,
                f"{len(profile_ids):,}",
                ", ".join(f"{column}: {number}" for column, number in found.items()) or "none",
            ]
        )
        say(f"{name} differs from ours in: {rows[-1][-1]}")
    title = f"Do the rivals find the same? Money and percentages to {tables.TOLERANCE}."
    return Table(title, ["rival", "profiles compared", "differences"], rows)


def _report(result: Result, spreads: dict[str, Spread], exported: float) -> None:
    profiles = result.profiles
    medians = {name: spread.median for name, spread in spreads.items()}
    table_scan, index_scan = SCANS
    floor = medians[table_scan] + medians[UPSERT]
    lowest_floor = medians[index_scan] + medians[UPSERT]
    one, two = (f"{_connections(n)}, {ALL_CHANGE}" for n in (1, 2))
    result.tables.insert(
        0,
        Table(
            f"Everybody: {profiles:,} profiles",
            ["way", "seconds", "profiles a second", "of the floor"],
            [
                [
                    name,
                    str(spread),
                    f"{profiles / spread.median:,.0f}",
                    _times(spread.median / floor),
                ]
                for name, spread in spreads.items()
            ],
        ),
    )
    result.charts.append(Chart("full", f"Recalculating {profiles:,} profiles", "seconds", spreads))
    naive = medians["Django's usual way"]
    duck, duck_back = medians["DuckDB, compute"], medians["DuckDB, compute and write back"]
    unchanged = medians[f"{_connections(1)}, {NONE_CHANGE}"]
    result.targets += [
        Target("Django's usual way / 1 connection", 500, naive / medians[one]),
        Target("Django's usual way / 2 connections", 900, naive / medians[two]),
        Target("1 connection / floor", 2.5, medians[one] / floor, at_least=False),
        Target("2 connections / floor", 1.5, medians[two] / floor, at_least=False),
        Target("no row changes / all rows change", 0.5, unchanged / medians[one], at_least=False),
        Target("DuckDB with the write-back / 1 connection", 1, duck_back / medians[one]),
        Target("1 connection / DuckDB's compute alone", 1.5, medians[one] / duck, at_least=False),
    ]
    plans = [f"Plan of the {n.removeprefix('floor: ')}: {_plan(q)}." for n, q in SCANS.items()]
    floors = (
        f"The floor is the scan of the table plus the upsert: {brief(floor)} s. With the scan of"
        f" the covering index it is {brief(lowest_floor)} s, and one connection takes"
        f" {_times(medians[one] / lowest_floor)} that."
    )
    usual = (
        f"Django's usual way is measured on {min(ORM_SAMPLE, profiles)} random profiles a round"
        " and scaled up."
    )
    outside = (
        f"DuckDB and Polars use all cores. Their Parquet files were exported once, in"
        f" {brief(exported)} s, which no figure above contains. They do not calculate when a row"
        " will change next, as ours does."
    )
    result.notes += [floors, *plans, usual, outside]


def _times(ratio: float) -> str:
    return f"{brief(ratio)} ×"


def _plan(query: str) -> str:
    """The nodes of a query's plan, from the top."""
    execute("SET max_parallel_workers_per_gather = 0")
    plan = execute(f"EXPLAIN (FORMAT JSON) {query}")[0][0]
    execute("RESET max_parallel_workers_per_gather")
    node = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    names = []
    while node:
        names.append(node.get("Strategy", "") + " " + node["Node Type"])
        node = node.get("Plans", [None])[0]
    return " over ".join(name.replace("Plain", "").strip() for name in names)

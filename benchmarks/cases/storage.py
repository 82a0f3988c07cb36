"""What it costs to keep: indexes at a write, sizes, and bloat after a day of sales."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from aggregations import outbox
from benchmarks.cases import Options
from benchmarks.cases.recalculation import recalculate_everybody
from benchmarks.data import BRANDS, STORES
from benchmarks.database import Databases, execute, settle
from benchmarks.machine import describe
from benchmarks.measure import Spread, brief, seconds
from benchmarks.progress import say, timed
from benchmarks.results import Chart, Result, Table

WRITTEN = 20_000  # rows
DAYS = 4 * 365  # that the retailer's history spans
BUSY = 10  # times the average day
AT_ONCE = 20  # sales between two recalculations

SALES, ITEMS = "profiles_transaction", "profiles_transactionitem"
ROWS = "aggregations_aggregation"
ALL = "the row with all indexes"

SHOPPERS = """
    CREATE TEMPORARY TABLE shopper AS
    SELECT row_number() OVER () AS n, id AS profile_id, (
        SELECT min(id) FROM locations_location) + mod(abs(hashtext(id::text)), %s) AS location_id
    FROM (
        SELECT id FROM profiles_profile, generate_series(1, %s) ORDER BY random() LIMIT %s
    ) AS shuffled
"""
SELL = """
    INSERT INTO profiles_transaction (profile_id, external_id, location_id, total, total_original,
        currency_rate, systems, tags, shop_timezone, transacted_at, is_void, meta)
    SELECT profile_id, 'sale-' || n, location_id, 30, 40, 1, '{pos}', '{}', 'UTC', now(), false,
        '{}'
    FROM shopper WHERE n BETWEEN %s AND %s
"""
SELL_ITEMS = """
    INSERT INTO profiles_transactionitem (transaction_id, profile_id, is_purchase, name, quantity,
        brand_id, discounts, is_void)
    SELECT t.id, t.profile_id, true, 'Item', 1,
        (SELECT min(id) FROM locations_brand) + mod(t.id * 7 + k, %s), '[]', false
    FROM shopper s JOIN profiles_transaction t ON t.external_id = 'sale-' || s.n,
        generate_series(1, 2) k
    WHERE s.n BETWEEN %s AND %s
"""
ADD_ITEMS = """
    INSERT INTO profiles_transactionitem (transaction_id, profile_id, is_purchase, name, quantity,
        brand_id, discounts, is_void)
    SELECT t.id, t.profile_id, t.is_purchase, 'Item', 1,
        (SELECT min(id) FROM locations_brand) + mod(t.id, %s), '[]', false
    FROM profiles_transaction t ORDER BY t.id DESC LIMIT %s
"""
RECALCULATED = """
    UPDATE aggregations_aggregation a SET shop_count = shop_count + 1, spend_all = spend_all + 30,
        spend_last_date = now(), at_risk_date = at_risk_date + 1
    FROM (SELECT DISTINCT profile_id FROM shopper) AS s WHERE s.profile_id = a.profile_id
"""
INDEXES = """
    SELECT i.indexrelid::regclass::text, c.conname
    FROM pg_index i LEFT JOIN pg_constraint c
        ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
    WHERE i.indrelid = %s::regclass AND NOT i.indisprimary
    ORDER BY pg_relation_size(i.indexrelid) DESC
"""
SIZES = """
    SELECT relname, greatest(reltuples, 0)::bigint, pg_relation_size(oid), pg_indexes_size(oid)
    FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s)
    ORDER BY pg_total_relation_size(oid) DESC
"""
INDEX_SIZES = """
    SELECT indexrelname, relname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes
    WHERE relname = ANY(%s) ORDER BY pg_relation_size(indexrelid) DESC LIMIT 20
"""
CHURN = """
    SELECT relname, pg_relation_size(relid), pg_indexes_size(relid), n_dead_tup, n_tup_upd,
        n_tup_hot_upd
    FROM pg_stat_user_tables WHERE relname = ANY(%s)
"""
SHOPPERS_AMONG = "SELECT profile_id FROM shopper WHERE n BETWEEN %s AND %s"
WRITES = {
    SALES: ("a transaction", SELL, [WRITTEN + 1, 2 * WRITTEN]),
    ITEMS: ("an item", ADD_ITEMS, [BRANDS, WRITTEN]),
    ROWS: ("a changed aggregation", RECALCULATED, []),
}
KEPT = [
    *(SALES, ITEMS, ROWS, "aggregations_freshness", "profiles_profile"),
    *("profiles_profileaddress", "profiles_profiletier"),
]
CHURNED = [ROWS, "aggregations_freshness", "aggregations_recalculationrequest", SALES, ITEMS]


def run(databases: Databases, options: Options) -> Result:
    """Measure on a copy of the retailer."""
    result = Result("storage", options.profiles, describe())
    with databases.copy_of_retailer(options.profiles):
        recalculate_everybody(workers=2)
        settle(*KEPT)
        _sizes(result)
        shoppers = 2 * WRITTEN
        execute(SHOPPERS, [STORES, -(-shoppers // options.profiles), shoppers])
        _day_of_sales(result)
        _indexes(result, rounds=options.rounds)
    return result


def _sizes(result: Result) -> None:
    sizes = [
        [name, f"{rows:,}", _megabytes(size), _megabytes(indexes)]
        for name, rows, size, indexes in execute(SIZES, [KEPT])
    ]
    largest = [
        [name, table, _megabytes(size)] for name, table, size in execute(INDEX_SIZES, [KEPT])
    ]
    result.tables += [
        Table("Sizes", ["table", "rows", "table, MB", "indexes, MB"], sizes),
        Table("The largest indexes", ["index", "of", "MB"], largest),
    ]


def _megabytes(size: int) -> str:
    return brief(size / 1e6)


def _indexes(result: Result, *, rounds: int) -> None:
    """Write the same rows with every index, and with each one missing in turn."""
    rows = []
    bars = {}
    for table, (what, statement, parameters) in WRITES.items():
        costs: dict[str, list[Cost]] = {}
        _cost(None, statement, parameters)  # so that the first in turn finds all pages at hand
        for number in range(1, rounds + 1):
            for index, drop in {ALL: None, **_drops(table)}.items():
                execute(f"VACUUM {table}")
                costs.setdefault(index, []).append(_cost(drop, statement, parameters))
            say(f"  {number}/{rounds} {what}, with each index missing in turn")
        whole = _median(costs.pop(ALL))
        added = {ALL: whole}
        for index, taken in costs.items():
            without = _median(taken)
            added[index] = Cost(whole.microseconds - without.microseconds, whole.log - without.log)
        for name, cost in added.items():
            rows.append([f"{what}: {name}", brief(cost.microseconds), brief(cost.log)])
            bars[f"{what}: {name}"] = Spread.of([cost.microseconds])
    columns = ["index", "µs a row", "bytes of log a row"]
    result.tables.append(Table("What an index adds to a row written", columns, rows))
    result.charts.append(Chart("storage", "What an index adds to a row written", "µs", bars))
    result.notes.append(
        f"Measured as the difference that it makes to {WRITTEN:,} rows of one statement, without"
        " the checks of foreign keys and without a checkpoint between; a difference below the noise"
        " may be negative."
    )


@dataclass(frozen=True)
class Cost:
    """Of a row written: time, and bytes of the write-ahead log."""

    microseconds: float
    log: float


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        Spread.of(cost.microseconds for cost in costs).median,
        Spread.of(cost.log for cost in costs).median,
    )


def _drops(table: str) -> dict[str, str]:
    return {
        index: f"ALTER TABLE {table} DROP CONSTRAINT {constraint} CASCADE"
        if constraint
        else f"DROP INDEX {index} CASCADE"
        for index, constraint in execute(INDEXES, [table])
    }


def _cost(drop: str | None, statement: str, parameters: list[int]) -> Cost:
    """Write the rows, and take it back."""
    with transaction.atomic(), connection.cursor() as cursor:
        if drop:
            cursor.execute(drop)
        cursor.execute("SELECT pg_current_wal_insert_lsn()")
        (before,) = cursor.fetchone()
        elapsed = seconds(lambda: cursor.execute(statement, parameters))
        written = cursor.rowcount
        cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", [before])
        (log,) = cursor.fetchone()
        transaction.set_rollback(True)
    return Cost(1e6 * elapsed / written, float(log) / written)


def _day_of_sales(result: Result) -> None:
    """Sell ten days' sales in one, each soon followed by its recalculation."""
    ((transactions,),) = execute("SELECT reltuples FROM pg_class WHERE relname = %s", [SALES])
    sales = min(BUSY * int(transactions) // DAYS, WRITTEN)
    before = {name: sizes for name, *sizes in execute(CHURN, [CHURNED])}
    execute("SELECT pg_stat_force_next_flush()")
    execute("SELECT pg_stat_reset()")
    with timed(f"  selling {sales:,} times"):
        for first in range(1, sales + 1, AT_ONCE):
            span = [first, min(first + AT_ONCE - 1, sales)]
            with transaction.atomic():
                execute(SELL, span)
                execute(SELL_ITEMS, [BRANDS, *span])
                outbox.request([key for (key,) in execute(SHOPPERS_AMONG, span)])
            outbox.recalculate_waiting(moment=timezone.now())
    execute("SELECT pg_stat_force_next_flush()")
    rows = []
    for name, size, indexes, dead, updated, hot in execute(CHURN, [CHURNED]):
        size_before, indexes_before, *_ = before[name]
        rows.append(
            [
                name,
                f"{_megabytes(size_before)} → {_megabytes(size)}",
                f"{_megabytes(indexes_before)} → {_megabytes(indexes)}",
                f"{dead:,}",
                f"{updated:,}",
                f"{hot / updated:.0%}" if updated else "–",
            ]
        )
    columns = ["table", "table, MB", "indexes, MB", "dead rows", "updates", "of them in place"]
    title = f"A day with ten times the average sales: {sales:,}, recalculated {AT_ONCE} at a time"
    result.tables.append(Table(title, columns, rows))
    result.notes.append(
        "The day of sales goes by without any vacuum; “in place” are updates that touch no index"
        " (HOT)."
    )

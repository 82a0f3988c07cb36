"""How the cost of recalculating everybody grows with the number of profiles."""

from __future__ import annotations

from benchmarks.cases import Options
from benchmarks.cases.recalculation import STATES, recalculate_everybody
from benchmarks.database import Databases
from benchmarks.machine import describe
from benchmarks.measure import PeakMemory, Spread, brief, peak_memory, seconds
from benchmarks.progress import say
from benchmarks.results import Chart, Result, Table, Target

LARGEST_BOUND = 5.5  # times as long for five times as many


def run(databases: Databases, options: Options) -> Result:
    """Measure retailers of a quarter, of the whole and of the size asked for."""
    result = Result("growth", options.profiles, describe())
    sizes = [options.profiles // 4, options.profiles]
    if options.growth_to:
        sizes.append(options.growth_to)
    spreads: dict[int, Spread] = {}
    peaks: dict[int, PeakMemory] = {}
    for size in sizes:
        spreads[size], peaks[size] = _measured(databases, size, rounds=options.rounds)
    _report(result, spreads, peaks)
    return result


def _measured(databases: Databases, size: int, *, rounds: int) -> tuple[Spread, PeakMemory]:
    databases.use_retailer(size)
    taken = []
    with peak_memory(databases.postmaster) as peak:
        for number in range(1, rounds + 1):
            STATES["first time"]()
            taken.append(seconds(lambda: recalculate_everybody(workers=1)))
            say(f"  {number}/{rounds} {size:,} profiles: {brief(taken[-1])} s")
    return Spread.of(taken), peak


def _report(result: Result, spreads: dict[int, Spread], peaks: dict[int, PeakMemory]) -> None:
    rows = [
        [
            f"{size:,}",
            str(spread),
            f"{size / spread.median:,.0f}",
            f"{peaks[size].backend:,.0f}",
            f"{peaks[size].client:,.0f}",
        ]
        for size, spread in spreads.items()
    ]
    columns = ["profiles", "seconds", "profiles a second", "backend, MiB", "command, MiB"]
    result.tables.append(Table("One connection, first time", columns, rows))
    result.charts.append(
        Chart(
            "growth",
            "Recalculating everybody, one connection",
            "seconds",
            {f"{size:,}": spread for size, spread in spreads.items()},
            x="profiles",
        )
    )
    (small, least), *_, (large, most) = spreads.items()
    base = result.profiles
    times = spreads[large].median / spreads[base].median if large > base else None
    result.targets += [
        Target(
            f"{large:,} / {small:,} profiles: time, as a share of the growth in number",
            1.1,
            most.median / least.median / (large / small),
            at_least=False,
        ),
        Target(
            "1,000,000 / 200,000 profiles: time",
            LARGEST_BOUND,
            times if (base, large) == (200_000, 1_000_000) else None,
            at_least=False,
        ),
    ]
    result.notes.append(
        "Memory is the most that a process had for itself, shared buffers not counted: of the"
        " server's connection, and of the program that runs the command."
    )

"""Reading one profile's aggregations over HTTP, against nested serializers on the same server."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from benchmarks import load
from benchmarks.cases import Options
from benchmarks.cases.recalculation import recalculate_everybody
from benchmarks.database import Databases, execute, settle
from benchmarks.load import CONNECTIONS, Throughput
from benchmarks.machine import describe
from benchmarks.measure import brief
from benchmarks.processes import Server, running_product
from benchmarks.progress import say
from benchmarks.results import Chart, Result, Target

PROFILES = 1000  # asked for in turn
COMPARED = 20  # profiles
LASTING, WARM_UP = 8, 2  # seconds

OURS, HELD = "Omneo", "Omneo, version held (304)"
PLAIN, JOINED = "nested serializers, plain", "nested serializers, all fetched beforehand"


def run(databases: Databases, options: Options) -> Result:
    """Load one server with each way in turn."""
    databases.use_retailer(options.profiles)
    recalculate_everybody(workers=2)
    settle()
    result = Result("reading", options.profiles, describe())
    sampled = execute("SELECT id FROM profiles_profile ORDER BY random() LIMIT %s", [PROFILES])
    profiles = [profile_id for (profile_id,) in sampled]
    taken: dict[str, list[Throughput]] = {}
    with running_product(databases, worker=False) as server:
        _compare(server, profiles[:COMPARED], result)
        ways = _ways(server, profiles)
        for asked in ways.values():
            load.read(server, asked, lasting=WARM_UP)
        for number in range(1, options.rounds + 1):
            for name, asked in ways.items():
                found = load.read(server, asked, lasting=LASTING)
                taken.setdefault(name, []).append(found)
                say(f"  {number}/{options.rounds} {name}: {brief(found.per_second)} a second")
    _report(result, taken)
    return result


def _ours(profile: UUID) -> str:
    return f"/api/v3/profiles/{profile}/aggregations"


def _ways(server: Server, profiles: Sequence[UUID]) -> dict[str, list[tuple[str, str]]]:
    versions = {}
    for profile in profiles:
        _, headers, _ = server.get(_ours(profile))
        versions[profile] = headers.get("ETag", "")
    ways = {
        OURS: [(_ours(profile), "") for profile in profiles],
        PLAIN: [(f"/rivals/plain/{profile}", "") for profile in profiles],
        JOINED: [(f"/rivals/joined/{profile}", "") for profile in profiles],
    }
    status, *_ = server.get(_ours(profiles[0]), {"If-None-Match": versions[profiles[0]]})
    if status == 304:
        ways[HELD] = [(_ours(profile), versions[profile]) for profile in profiles]
    return ways


def _compare(server: Server, profiles: Sequence[UUID], result: Result) -> None:
    """See that the rivals answer with what we do."""
    differing: set[str] = set()
    for profile in profiles:
        ours = server.get_data(_ours(profile))
        for way in ("plain", "joined"):
            theirs = server.get_data(f"/rivals/{way}/{profile}")
            differing |= {key for key in ours.keys() | theirs if ours.get(key) != theirs.get(key)}
    say(f"  the rivals' bodies differ in: {', '.join(sorted(differing)) or 'nothing'}")
    result.notes.append(
        f"The bodies of {len(profiles)} profiles were compared; the rivals' differ from ours in:"
        f" {', '.join(sorted(differing)) or 'nothing'}."
    )


def _report(result: Result, taken: dict[str, list[Throughput]]) -> None:
    rates = load.rates(taken)
    result.tables.append(load.table("One profile a request", "way", taken))
    result.charts.append(Chart("reading", "Reading aggregations", "requests a second", rates))
    plain, held = rates[PLAIN].median, rates.get(HELD)
    result.targets += [
        Target("requests a second, Omneo / plain", 5, rates[OURS].median / plain),
        Target("the same with the version held", 20, held and held.median / plain),
    ]
    result.notes.append(
        f"One process of the web server with four threads on one core, {load.generator()} with"
        f" {CONNECTIONS} connections on the other; the database has both. {PROFILES:,} profiles"
        " are asked for in turn. All ways have the same authentication, permissions and renderer."
    )

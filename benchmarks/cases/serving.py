"""What serves and writes the answers: web servers, their threads, and renderers."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from rest_framework.renderers import JSONRenderer

from benchmarks import load
from benchmarks.cases import Options
from benchmarks.cases.reading import LASTING, PROFILES, WARM_UP
from benchmarks.cases.recalculation import recalculate_everybody
from benchmarks.database import Databases, execute, settle
from benchmarks.load import CONNECTIONS, Throughput
from benchmarks.machine import describe
from benchmarks.measure import Spread, brief
from benchmarks.processes import WebServer, running_product
from benchmarks.progress import say
from benchmarks.results import Chart, Result, Table
from omneo.api.envelope import EnvelopeRenderer
from omneo.embedded.supervisor import Address, Program

RENDERED = 2000  # times a round


def _granian(threads: int) -> WebServer:
    def program(address: Address) -> Program:
        return _web(
            *["granian", "--interface", "wsgi", "omneo.wsgi:application"],
            *["--host", address.host, "--port", str(address.port)],
            *["--workers", "1", "--blocking-threads", str(threads)],
        )

    return program


def _gunicorn(*options: str) -> WebServer:
    def program(address: Address) -> Program:
        bind = f"{address.host}:{address.port}"
        return _web("gunicorn", "omneo.wsgi:application", "--bind", bind, *options)

    return program


def _web(*command: str) -> Program:
    return Program("web", [sys.executable, "-m", *command], stop_limit=10)


SERVERS = {
    **{f"granian, {n} thread{'s'[: n - 1]}": _granian(n) for n in (1, 2, 4, 8)},
    "gunicorn, 4 threads": _gunicorn("--threads", "4"),
    "gunicorn, 4 processes": _gunicorn("--workers", "4"),
}


def run(databases: Databases, options: Options) -> Result:
    """Load each server in turn with the same requests, then write one answer in each way."""
    databases.use_retailer(options.profiles)
    recalculate_everybody(workers=2)
    settle()
    sampled = execute("SELECT id FROM profiles_profile ORDER BY random() LIMIT %s", [PROFILES])
    asked = [(f"/api/v3/profiles/{profile}/aggregations", "") for (profile,) in sampled]
    result = Result("serving", options.profiles, describe())
    taken: dict[str, list[Throughput]] = {}
    for number in range(1, options.rounds + 1):
        for name, web in SERVERS.items():
            with running_product(databases, worker=False, web=web) as server:
                load.read(server, asked, lasting=WARM_UP)
                found = load.read(server, asked, lasting=LASTING)
                data = server.get_data(asked[0][0])
            taken.setdefault(name, []).append(found)
            say(f"  {number}/{options.rounds} {name}: {brief(found.per_second)} a second")
    _report_servers(result, taken)
    _report_renderers(result, data, rounds=options.rounds)
    return result


def _report_servers(result: Result, taken: dict[str, list[Throughput]]) -> None:
    rates = load.rates(taken)
    result.tables.append(load.table("One core, one profile a request", "server", taken))
    result.charts.append(Chart("serving", "Servers", "requests a second", rates))
    result.notes.append(
        f"Each server on one core, {load.generator()} with {CONNECTIONS} connections on the other;"
        " the database has both."
    )


def _report_renderers(result: Result, data: dict, *, rounds: int) -> None:
    ways: dict[str, Callable[[dict], bytes]] = {
        "orjson, as it is served": EnvelopeRenderer().render,
        "the framework's own": JSONRenderer().render,
    }
    columns = ["renderer", f"µs for an answer of {len(json.dumps(data)):,} characters"]
    rows = [
        [name, str(Spread.of(_microseconds(render, data) for _ in range(rounds)))]
        for name, render in ways.items()
    ]
    result.tables.append(Table("Writing an answer", columns, rows))


def _microseconds(render: Callable[[dict], bytes], data: dict) -> float:
    began = time.perf_counter()
    for _ in range(RENDERED):
        render(data)
    return 1e6 * (time.perf_counter() - began) / RENDERED

"""Load: so many connections that each ask again as soon as they are answered."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from benchmarks.measure import Latencies, Spread, brief
from benchmarks.processes import LOAD_CORE, Server
from benchmarks.results import Table

CONNECTIONS = 4  # as many as the server has threads

WRK_SCRIPT = """
local asked = {}
for line in io.lines(os.getenv("ASKED")) do
    local path, version = line:match("^(%S+)%s*(.*)$")
    local headers = {Authorization = os.getenv("AUTHORIZATION")}
    if version ~= "" then headers["If-None-Match"] = version end
    asked[#asked + 1] = {path, headers}
end
local next = 0
request = function()
    next = next % #asked + 1
    return wrk.format("GET", asked[next][1], asked[next][2])
end
done = function(summary, latency)
    io.stderr:write(string.format(
        '{"seconds": %f, "requests": %d, "failed": %d, "p50": %f, "p99": %f}',
        summary.duration / 1e6, summary.requests,
        summary.errors.status + summary.errors.connect + summary.errors.read
            + summary.errors.write + summary.errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Throughput:
    """What a server did under load."""

    per_second: float
    latencies: Latencies


def rates(taken: Mapping[str, Sequence[Throughput]]) -> dict[str, Spread]:
    """Return the requests a second of each way, over its rounds."""
    return {name: Spread.of(each.per_second for each in found) for name, found in taken.items()}


def table(title: str, ways: str, taken: Mapping[str, Sequence[Throughput]]) -> Table:
    """Return what the ways did in their rounds, as a table whose first column is named `ways`."""
    rows = [
        [
            name,
            str(rate),
            brief(Spread.of(each.latencies.p50 for each in taken[name]).median),
            brief(Spread.of(each.latencies.p99 for each in taken[name]).median),
        ]
        for name, rate in rates(taken).items()
    ]
    return Table(title, [ways, "requests a second", "p50, ms", "p99, ms"], rows)


def generator() -> str:
    """The name of what makes the load."""
    return "wrk" if shutil.which("wrk") else "a client in Python"


def read(server: Server, asked: Sequence[tuple[str, str]], *, lasting: float) -> Throughput:
    """Ask for these paths in turn, each with the version that the client holds, if any."""
    if shutil.which("wrk"):
        return _wrk(server, asked, lasting=lasting)
    requests = (
        _request(server, "GET", path, {"If-None-Match": version} if version else {})
        for path, version in cycle(asked)
    )
    return send(server, requests, lasting=lasting)


def post(server: Server, path: str, bodies: Iterator[object], *, lasting: float) -> Throughput:
    """Send these bodies to a path."""
    requests = (
        _request(server, "POST", path, {"Content-Type": "application/json"}, json.dumps(body))
        for body in bodies
    )
    return send(server, requests, lasting=lasting)


def send(server: Server, requests: Iterator[bytes], *, lasting: float) -> Throughput:
    """Send requests until the time is over. Raises RuntimeError where one fails."""
    taken: list[float] = []
    ends = time.perf_counter() + lasting

    async def client() -> None:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        while (began := time.perf_counter()) < ends:
            writer.write(next(requests))
            await _answered(reader)
            taken.append(time.perf_counter() - began)
        writer.close()

    async def clients() -> None:
        await asyncio.gather(*(client() for _ in range(CONNECTIONS)))

    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        began = time.perf_counter()
        asyncio.run(clients())
        elapsed = time.perf_counter() - began
    finally:
        os.sched_setaffinity(0, cores)
    return Throughput(len(taken) / elapsed, Latencies.of(taken))


async def _answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    length = next((line[15:] for line in lines if line.startswith("content-length:")), "0")
    body = await reader.readexactly(int(length))
    if int(lines[0].split()[1]) >= 400:
        raise RuntimeError(f"{lines[0]}: {body[:500]!r}")


def _request(
    server: Server, method: str, path: str, headers: dict[str, str], body: str = ""
) -> bytes:
    content = body.encode()
    lines = [f"{method} {path} HTTP/1.1"]
    if content:
        headers |= {"Content-Length": str(len(content))}
    lines += [f"{name}: {value}" for name, value in (server.headers | headers).items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _wrk(server: Server, asked: Sequence[tuple[str, str]], *, lasting: float) -> Throughput:
    with tempfile.TemporaryDirectory() as directory:
        script, paths = Path(directory) / "script.lua", Path(directory) / "asked"
        script.write_text(WRK_SCRIPT)
        paths.write_text("\n".join(f"{path} {version}" for path, version in asked))
        command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS)]
        command += ["--duration", f"{lasting:.0f}s", "--timeout", "10s", "--script", str(script)]
        finished = subprocess.run(
            [*command, f"http://{server.host}:{server.port}"],
            env=os.environ | {"ASKED": str(paths), "AUTHORIZATION": f"Bearer {server.token}"},
            preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE}),
            capture_output=True,
            text=True,
            check=True,
        )
    found = json.loads(finished.stderr)
    if found["failed"]:
        raise RuntimeError(f"{found['failed']} requests failed: {finished.stdout}")
    return Throughput(
        found["requests"] / found["seconds"],
        Latencies(found["p50"], found["p99"], found["requests"]),
    )

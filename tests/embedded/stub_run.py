"""A run whose processes are stand-ins: python stub_run.py VAR PORT {"worker": "its program"}."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from omneo.embedded import supervisor
from omneo.embedded.__main__ import reporting_errors
from omneo.embedded.supervisor import Address, Plan, Program, run

QUIET = "import time; time.sleep(600)"
PROGRAMS = {
    "migrate": "print('tables made')",
    "prepare": "import sys; print('loading', file=sys.stderr); print('the summary')",
    "web": "import http.server, sys; http.server.test(port=int(sys.argv[2]), bind='127.0.0.1')",
    "worker": QUIET,
    "beat": QUIET,
    "stop_limit": 5,
}


def main(variable: Path, port: int, changes: dict[str, str]) -> None:
    """Run the stand-ins, each of which gets the var directory and the port as arguments."""
    supervisor.FIRST_PAUSE = 0.1
    programs = PROGRAMS | changes

    def command(name: str) -> list[str]:
        return [sys.executable, "-u", "-c", programs[name], str(variable), str(port)]

    plan = Plan(
        migrate=command("migrate"),
        prepare=command("prepare"),
        web=Program("web", command("web"), stop_limit=5),
        background=[
            Program("worker", command("worker"), stop_limit=programs["stop_limit"]),
            Program("beat", command("beat"), stop_limit=programs["stop_limit"]),
        ],
    )
    run(plan, Address("127.0.0.1", port), directory=variable.parent, variable=variable)


if __name__ == "__main__":
    with reporting_errors():
        main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))

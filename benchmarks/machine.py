"""The machine and the programs that a result was taken with."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import django
from django.db import connection

from benchmarks.database import MEMORY, SETTINGS


def describe() -> dict[str, str]:
    """Return what a reader needs to know to judge the figures."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    settings = ", ".join(f"{name} {value}" for name, value in SETTINGS.items())
    return {
        "taken on": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{MEMORY / 1024:.0f} GB",
        "PostgreSQL": f"{postgres}, on the same machine over a Unix socket; {settings}",
        "Python": f"{platform.python_version()}, Django {django.__version__}",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

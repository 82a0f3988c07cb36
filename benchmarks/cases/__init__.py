"""The cases, each of which can be run alone: a module with `run(databases, options)`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How large and how often."""

    profiles: int
    rounds: int
    growth_to: int

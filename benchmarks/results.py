"""What a case found: kept as JSON, so that a report can be made of several runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.measure import Spread


@dataclass(frozen=True)
class Table:
    title: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Chart:
    """Horizontal bars, one a name, or with `x` a line through the points."""

    name: str
    title: str
    unit: str
    bars: dict[str, Spread]
    x: str | None = None


@dataclass(frozen=True)
class Target:
    """A ratio that is aimed at, and what it came to; None where it could not be measured."""

    what: str
    bound: float
    measured: float | None
    at_least: bool = True

    @property
    def is_met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


@dataclass
class Result:
    """All that a case has to say."""

    case: str
    profiles: int
    machine: dict[str, str]
    tables: list[Table] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (directory / f"{self.case}.json").write_text(f"{text}\n")

    @classmethod
    def load(cls, path: Path) -> Result:
        stored = json.loads(path.read_text())
        stored["tables"] = [Table(**table) for table in stored["tables"]]
        stored["targets"] = [Target(**target) for target in stored["targets"]]
        stored["charts"] = [
            Chart(**chart | {"bars": {k: Spread(**v) for k, v in chart["bars"].items()}})
            for chart in stored["charts"]
        ]
        return cls(**stored)

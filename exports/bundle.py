"""Makes the parcel: reads the order, lays it out, packs it into one ZIP.

Always true here: memory is constant, a killed attempt leaves nothing that the next one does not clear away, and a part
or a page that fails is said, never silently missing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

import msgspec

from exports.order import Missing, Order, Progress, Withheld
from exports.plain_page import plain_page
from exports.press import Press, PressError
from exports.report import Limits, Volume
from exports.review import NeedsLook, Review
from exports.spool import Haul, read
from exports.tasks import REPORT, Draw, Pack, RenderReport, RenderVolume, Seal
from exports.withhold import Revise

PAGE_SECONDS = 120.0
"""For one document. Far beyond what the limits need, also on a slow machine."""
BYTES_A_SECOND = 2_000_000
"""Packing is some fifty times as fast; slower than this, and something is stuck."""
FEWER = Limits(all_rows=0, files=10, cell=80, text=200)
"""For the second try, when the first could not be laid out."""


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """The finished copy, on disk in the folder it was made in."""

    zip_path: Path
    size_bytes: int
    sha256: str
    pdf_path: Path
    pdf_size_bytes: int
    records: int
    files: int
    missing: tuple[Missing, ...]
    report: str
    """full, short (few records, all totals) or failed (one page that says so); the data files hold all in any case."""
    snapshot_at: datetime
    withheld: tuple[Withheld, ...] = ()

    @property
    def complete(self) -> bool:
        """True when every source gave everything."""
        return not self.missing


async def assemble(
    order: Order, folder: Path, *, progress: Progress, now: Callable[[], datetime], press: Press,
    limits: Limits | None = None, review: Review | None = None,
) -> Parcel:  # fmt: skip
    """Make the parcel in `folder`, which is emptied first and is the caller's to remove.

    Raises:
        NeedsLook: something in it is to be decided first (`review`); nothing was laid out.
        PressError: when the data could not be packed; laying out never fails it.
        OSError: when the disk is full.
    """
    haul = await read(order, folder, progress=progress, now=now)
    haul = await _reviewed(haul, review, press) if review else haul
    target = folder / "parcel.zip"
    printing = asyncio.create_task(_print(haul, press, limits or Limits()))
    try:
        members = await press.run(Pack(haul=haul, target=target), seconds=_time_to_pack(haul))
        report, pdfs = await printing
    finally:
        printing.cancel()
        await asyncio.wait([printing])
    seal = Seal(haul=haul, target=target, members=members, pdfs=pdfs, report=report)
    sha256 = await press.run(seal, seconds=_time_to_pack(haul))
    pdf = folder / pdfs[0]
    return Parcel(
        zip_path=target, size_bytes=target.stat().st_size, sha256=sha256,
        pdf_path=pdf, pdf_size_bytes=pdf.stat().st_size,
        records=haul.records, files=haul.files, missing=haul.missing, report=report, snapshot_at=order.snapshot_at,
        withheld=haul.withheld,
    )  # fmt: skip


async def _reviewed(haul: Haul, review: Review, press: Press) -> Haul:
    """Return the haul without what is withheld. Raises: NeedsLook."""
    revised = await press.run(Revise(haul=haul, review=review), seconds=_time_to_pack(haul))
    if revised.found or revised.lost or revised.empty:
        raise NeedsLook(revised)
    return revised.haul


async def _print(haul: Haul, press: Press, limits: Limits) -> tuple[str, list[str]]:
    """Lay out volumes and report. Returns how the report came out, and the names of all PDFs, the report first."""
    volumes = await _print_volumes(haul, press, limits)
    names = {id: [volume.name for volume in some] for id, some in groupby(volumes, lambda made: made.held.section.id)}
    report = await _print_report(haul, press, limits, names)
    return report, [REPORT, *(volume.name for volume in volumes)]


async def _print_report(haul: Haul, press: Press, limits: Limits, volumes: Mapping[str, Sequence[str]]) -> str:
    """Lay out the report; when that fails, a shorter one; when that fails, the page that says so."""
    for outcome, limit in (("full", limits), ("short", FEWER)):
        try:
            await press.run(RenderReport(haul=haul, limits=limit, volumes=volumes), seconds=PAGE_SECONDS)
        except PressError:
            continue
        return outcome
    (haul.folder / REPORT).write_bytes(plain_page(haul.order))
    return "failed"


async def _print_volumes(haul: Haul, press: Press, limits: Limits) -> list[Volume]:
    """Lay out the long sections. A section with a volume that fails gets none: half a list would mislead."""
    try:
        drawn = await press.run(Draw(haul=haul, limits=limits), seconds=PAGE_SECONDS)
    except PressError:
        return []
    failed: set[str] = set()
    words = msgspec.structs.replace(haul, held=(), missing=())

    async def one(volume: Volume) -> None:
        try:
            await press.run(RenderVolume(haul=words, limits=limits, volume=volume), seconds=PAGE_SECONDS)
        except PressError:
            failed.add(volume.held.section.id)

    async with asyncio.TaskGroup() as tasks:
        for volume in drawn:
            tasks.create_task(one(volume))
    return [volume for volume in drawn if volume.held.section.id not in failed]


def _time_to_pack(haul: Haul) -> float:
    size = sum(held.lines.stat().st_size + sum(file.size_bytes for file in held.files) for held in haul.held)
    return PAGE_SECONDS + size / BYTES_A_SECOND

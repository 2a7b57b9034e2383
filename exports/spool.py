"""Reads every part of an order once and lays it down on disk, so that nothing is ever held in memory.

Always true here: a part is whole or absent, and an absent one is named. Paths are ours; no name of a person's is one.
"""

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec

from exports.media import extension
from exports.order import Batch, Missing, Order, Part, PartError, Progress, Section, StoredFile, Withheld

PACE_RECORDS, PACE_TIME = 1000, timedelta(seconds=0.5)
"""How often progress is told: whichever comes first."""
GIVE_UP_AFTER = 3
"""Broken files in a row after which a source's other files are not tried any more."""
SAFE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class HeldPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one source gave to a section. `complete` is false when the part is left out."""

    source: str
    title: str
    expected: int | None
    count: int
    complete: bool


class HeldFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file. `path` is its place in the ZIP and in the folder; empty when it could not be read."""

    path: str
    source: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    withheld: bool = False
    """True when a note lies in its place."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One section on disk: its words, its records as JSON Lines, its files."""

    section: Section
    """Without its parts: they have been read."""
    lines: Path
    parts: tuple[HeldPart, ...]
    files: tuple[HeldFile, ...]

    @property
    def count(self) -> int:
        """How many records are here."""
        return sum(part.count for part in self.parts)

    @property
    def files_here(self) -> int:
        """How many files are here."""
        return sum(1 for file in self.files if file.path)


class Haul(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an order gave, on disk. It can be handed to another process."""

    order: Order
    """Without its sections: they are in `held`."""
    folder: Path
    held: tuple[Held, ...]
    missing: tuple[Missing, ...]
    withheld: tuple[Withheld, ...] = ()

    @property
    def records(self) -> int:
        """How many records are here in all."""
        return sum(held.count for held in self.held)

    @property
    def files(self) -> int:
        """How many files are here in all."""
        return sum(held.files_here for held in self.held)

    @property
    def is_empty(self) -> bool:
        """True when every source was asked, every one answered, and none holds anything."""
        return not (self.records or self.files or self.missing)


async def read(order: Order, folder: Path, *, progress: Progress, now: Callable[[], datetime]) -> Haul:
    """Read the whole order into `folder`, which is emptied first: a killed attempt leaves nothing behind.

    Raises:
        ValueError: when a section's id is no safe name, or a source counts wrongly: a mistake of ours, not a fault.
    """
    await asyncio.to_thread(_empty, folder)
    missing: list[Missing] = []
    held = [await _Reader(section, folder, progress, now, missing).read() for section in order.sections]
    bare = msgspec.structs.replace(order, sections=())
    return Haul(order=bare, folder=folder, held=tuple(held), missing=tuple(missing))


def _empty(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)


class _Reader:
    """Reads one section."""

    def __init__(
        self, section: Section, folder: Path, progress: Progress, now: Callable[[], datetime], missing: list[Missing]
    ) -> None:
        if not SAFE_ID.fullmatch(section.id):
            raise ValueError(f"a section's id must be a safe file name, not {section.id!r}")
        self.section, self.folder, self.progress, self.now, self.missing = section, folder, progress, now, missing
        self.files: list[HeldFile] = []

    async def read(self) -> Held:
        lines = self.folder / f"{self.section.id}.jsonl"
        with create(lines) as sheet:
            parts = [await self._part(part, sheet) for part in self.section.parts]
        bare = msgspec.structs.replace(self.section, parts=())
        return Held(section=bare, lines=lines, parts=tuple(parts), files=tuple(self.files))

    async def _part(self, part: Part, sheet: BinaryIO) -> HeldPart:
        start, count, complete = sheet.tell(), 0, True
        try:
            count = await self._records(part, sheet)
        except PartError as error:
            sheet.seek(start)
            sheet.truncate()
            complete = False
            self._miss(part, error.reason, "records")
        if complete and part.files is not None:
            await self._files(part)
        return HeldPart(
            source=part.source, title=part.source_title, expected=part.expected, count=count, complete=complete
        )

    async def _records(self, part: Part, sheet: BinaryIO) -> int:
        count, told, told_at = 0, 0, self.now()
        async with aclosing(_guarded(part.batches())) as batches:
            async for batch in batches:
                await asyncio.to_thread(_lay_down, batch, part, sheet)
                count += batch.count
                if count - told >= PACE_RECORDS or self.now() - told_at >= PACE_TIME:
                    await self.progress(self.section.id, part.source, count)
                    told, told_at = count, self.now()
        await self.progress(self.section.id, part.source, count)
        return count

    async def _files(self, part: Part) -> None:
        """Fetch every file of a part. One that breaks is named and the others go on."""
        assert part.files is not None
        lost, in_a_row = "", 0
        try:
            async with aclosing(_guarded(part.files())) as files:
                async for file in files:
                    broken = await self._file(part, file, skip=lost if in_a_row >= GIVE_UP_AFTER else "")
                    lost, in_a_row = broken or lost, in_a_row + 1 if broken else 0
        except PartError as error:
            lost = error.reason
        if lost:
            self._miss(part, lost, "files")

    async def _file(self, part: Part, file: StoredFile, *, skip: str) -> str:
        """Fetch one file, unless `skip` says why not. Returns why it is not here, or nothing."""
        path = f"files/{self.section.id}/{len(self.files) + 1:04d}.{extension(file.media_type)}"
        place = self.folder / path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        broken, sha256 = skip, ""
        try:
            sha256 = "" if skip else await _save(file, place)
        except PartError as error:
            place.unlink()
            broken = error.reason
        self.files.append(
            HeldFile(
                path="" if broken else path,
                source=part.source,
                name=file.name,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
                sha256=sha256,
            )
        )
        return broken

    def _miss(self, part: Part, reason: str, what: str) -> None:
        self.missing.append(
            Missing(section=self.section.id, source=part.source, reason=reason, at=self.now(), what=what)
        )


async def _save(file: StoredFile, place: Path) -> str:
    """Write a file's bytes to disk. Returns their SHA-256.

    Raises:
        PartError: when the stream breaks, or ends early or late.
    """
    digest, size = hashlib.sha256(), 0
    with create(place) as target:
        async with aclosing(_guarded(file.open())) as pieces:
            async for piece in pieces:
                size += len(piece)
                await asyncio.to_thread(_put, target, digest.update, piece)
    if size != file.size_bytes:
        raise PartError("unavailable")
    return digest.hexdigest()


def _put(target: BinaryIO, update: Callable[[bytes], None], piece: bytes) -> None:
    update(piece)
    target.write(piece)


def create(place: Path) -> BinaryIO:
    """Create a file that only we can read."""
    return os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


def _lay_down(batch: Batch, part: Part, sheet: BinaryIO) -> None:
    lines = batch.lines
    whole = not lines or (lines.endswith(b"}\n") and lines.startswith(b"{") and b"\n\n" not in lines)
    if not whole or lines.count(b"\n") != batch.count:
        raise ValueError(f"source {part.source!r} gave a batch that is not {batch.count} JSON lines")
    sheet.write(lines)


async def _guarded[T](items: AsyncIterator[T]) -> AsyncGenerator[T]:
    """Pass on what a source gives; a connection that breaks is a part that fails."""
    try:
        async for item in items:
            yield item
    except OSError as error:
        raise PartError("unavailable") from error
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()

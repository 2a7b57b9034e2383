"""What a worker process can be asked to do. Each task carries everything it needs; files are passed by their paths.

Always true here: a task can be repeated: it begins by removing what an earlier try may have left.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from exports.archive import Archive, Member, sha256_of
from exports.csv import write_csv, write_file_list
from exports.json import write_data
from exports.manifest import manifest
from exports.report import Limits, Volume, draw_volumes
from exports.spool import Haul, Held

REPORT = "report.pdf"


class Task[Result](Protocol):
    """Something to do in another process."""

    def run(self) -> Result:
        """Do it."""
        ...


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """Divide long sections into volumes."""

    haul: Haul
    limits: Limits

    def run(self) -> list[Volume]:
        """Return the volumes to make."""
        return draw_volumes(self.haul, self.limits)


class RenderVolume(msgspec.Struct, frozen=True, kw_only=True):
    """Lay out one volume."""

    haul: Haul
    limits: Limits
    volume: Volume

    def run(self) -> None:
        """Write it into the folder."""
        from exports.pdf import render_volume  # noqa: PLC0415  WeasyPrint belongs to the worker alone

        render_volume(self.haul, self.limits, self.volume, self.haul.folder / self.volume.name)


class RenderReport(msgspec.Struct, frozen=True, kw_only=True):
    """Lay out the report."""

    haul: Haul
    limits: Limits
    volumes: Mapping[str, Sequence[str]]

    def run(self) -> None:
        """Write it into the folder."""
        from exports.pdf import render_report  # noqa: PLC0415  WeasyPrint belongs to the worker alone

        render_report(self.haul, self.limits, self.volumes, self.haul.folder / REPORT)


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Put the data and the files into the ZIP."""

    haul: Haul
    target: Path

    def run(self) -> list[Member]:
        """Write the ZIP. Returns what is in it."""
        self.target.unlink(missing_ok=True)
        with Archive(self.target, self.haul.order.snapshot_at) as archive:
            lines = sum(held.lines.stat().st_size for held in self.haul.held)
            archive.write("data.json", lambda write: write_data(self.haul, write), about_bytes=lines * 2)
            for held in self.haul.held:
                _pack_section(archive, held, self.haul.folder)
            listed = [(held.section.id, file) for held in self.haul.held for file in held.files]
            if listed:
                archive.write("files/index.csv", lambda write: write_file_list(listed, write))
        return archive.members


def _pack_section(archive: Archive, held: Held, folder: Path) -> None:
    id, columns, lines = held.section.id, held.section.columns, held.lines
    archive.copy(f"data/{id}.jsonl", lines)
    archive.write(
        f"data/{id}.csv", lambda write: write_csv(columns, lines, write), about_bytes=lines.stat().st_size * 2
    )
    for file in held.files:
        if file.path:
            archive.copy(file.path, folder / file.path, sha256=file.sha256)


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """Add the PDFs and the manifest, and take the ZIP's fingerprint."""

    haul: Haul
    target: Path
    members: Sequence[Member]
    pdfs: Sequence[str]
    report: str

    def run(self) -> str:
        """Finish the ZIP. Returns its SHA-256."""
        with Archive(self.target, self.haul.order.snapshot_at) as archive:
            for name in self.pdfs:
                archive.copy(name, self.haul.folder / name)
            members = [*self.members, *archive.members]
            archive.write("manifest.json", lambda write: write(manifest(self.haul, members, report=self.report)))
        return sha256_of(self.target)

"""The ZIP: how quickly text is packed, and how little it costs to carry what is packed already.

Always true here: our text is fingerprinted as it is packed, theirs is packed alone. A person's file comes with the
fingerprint that was taken while it was fetched.
"""

import os
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.measure import Figure, at_least, at_most, in_turn
from exports.archive import Archive
from exports.lines import PIECE

AREA = "Packing"
AT = datetime(2026, 10, 14, 7, 12, tzinfo=UTC)


def figures(bench: Bench) -> Iterator[Figure]:
    """Compare our members with zlib at its usual level, and with a plain copy of the file."""
    folder = bench.fresh("packing")
    yield _text(bench, folder)
    yield _picture(bench, folder)


def _text(bench: Bench, folder: Path) -> Figure:
    bench.say("packing text")
    source = folder / "records.jsonl"
    _write_text(source, bench.scale.text_bytes)
    ours, theirs = folder / "ours.zip", folder / "zlib.zip"
    fast, slow = in_turn(
        bench.scale.rounds,
        lambda: _ours(source, "data/records.jsonl", ours),
        lambda: _timed(lambda: _zlib(source, theirs)),
    )
    larger = ours.stat().st_size / theirs.stat().st_size
    return Figure(
        what=f"text of {_mb(source)}, speed against zlib at level 6", ratio=slow / fast, goal=at_least(6),
        note=f"ours {fast:.2f} s, zlib {slow:.2f} s; the ZIP is {larger:.2f} times as large",
    )  # fmt: skip


def _picture(bench: Bench, folder: Path) -> Figure:
    bench.say("storing what does not shrink")
    source = folder / "film.mp4"
    _write_random(source, bench.scale.random_bytes)
    stored, copied = in_turn(
        bench.scale.rounds,
        lambda: _ours(source, "files/films/0001.mp4", folder / "stored.zip", sha256="taken before"),
        lambda: _timed(lambda: _copy(source, folder / "copy.mp4")),
    )
    return Figure(
        what=f"a film of {_mb(source)}, time against a plain copy", ratio=stored / copied, goal=at_most(1.2),
        note=f"ours {stored:.2f} s, copy {copied:.2f} s",
    )  # fmt: skip


def _ours(source: Path, member: str, target: Path, *, sha256: str = "") -> float:
    target.unlink(missing_ok=True)

    def pack() -> None:
        with Archive(target, AT) as archive:
            archive.copy(member, source, sha256=sha256)

    return _timed(pack)


def _zlib(source: Path, target: Path) -> None:
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
        source.open("rb") as sheet,
        archive.open("records.jsonl", "w") as member,
    ):
        while piece := sheet.read(PIECE):
            member.write(piece)


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with source.open("rb") as sheet, target.open("wb") as copy:
        while piece := sheet.read(PIECE):
            copy.write(piece)


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _write_text(place: Path, size_bytes: int) -> None:
    """Write JSON Lines like those of the million rows."""
    number = 0
    with place.open("wb") as sheet:
        while sheet.tell() < size_bytes:
            lines = (
                f'{{"kind":"event","id":{n},"made_at":"2024-{n % 12 + 1:02}-{n % 28 + 1:02}T{n % 24:02}:12:00Z",'
                f'"state":"done","cost":"{n % 9973 / 100:.4f}","tokens":{n * 7 % 4096},"ip":"10.0.0.{n % 251}",'
                f'"prompt":"Draw a cat no. {n} on a bicycle, please: {n * 2654435761 % 2**64:x}"}}\n'
                for n in range(number, number + 5000)
            )
            sheet.write("".join(lines).encode())
            number += 5000


def _write_random(place: Path, size_bytes: int) -> None:
    with place.open("wb") as sheet:
        for _ in range(0, size_bytes, PIECE):
            sheet.write(os.urandom(min(PIECE, size_bytes)))


def _mb(place: Path) -> str:
    return f"{place.stat().st_size / 1e6:,.0f} MB"

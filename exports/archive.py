"""The ZIP itself: standard zipfile, packed by ISA-L, each member with its size and SHA-256.

Always true here: names are ours, times are the order's, nothing in it is a link; the same input gives the same bytes.
"""

import hashlib
import stat
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec
from isal import isal_zlib

from exports.lines import PIECE
from exports.media import shrinks

type Write = Callable[[bytes], object]

# The same checksum several times as fast, so that a stored film costs no more than its copy. zipfile 3.13 has no public
# way to say so; without this line everything works, slower.
zipfile.crc32 = isal_zlib.crc32  # type: ignore[attr-defined]

ZIP64_FROM = 1 << 30
"""Members that may grow beyond 2 GiB must say so before their first byte."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One file in the ZIP, for the manifest."""

    path: str
    size_bytes: int
    sha256: str


class Archive:
    """A ZIP being written. Open it again to add more."""

    def __init__(self, path: Path, at: datetime) -> None:
        self._zip = zipfile.ZipFile(path, "a" if path.exists() else "w", strict_timestamps=False)
        self._time = at.astimezone(UTC).timetuple()[:6]
        self.members: list[Member] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def write(self, path: str, fill: Callable[[Write], object], *, about_bytes: int = 0, sha256: str = "") -> None:
        """Add a member that `fill` writes. `about_bytes` is how large it may become, roughly.

        `sha256` is its fingerprint where that is known already: taking it costs more than storing a picture.
        """
        digest, size = hashlib.sha256(), 0
        with (
            self._zip.open(self._info(path), "w", force_zip64=about_bytes >= ZIP64_FROM) as target,
            ThreadPoolExecutor(1) as beside,
        ):
            if shrinks(path):
                _pack_with_isal(target)

            def write(piece: bytes) -> None:
                nonlocal size
                size += len(piece)
                # Hashing and packing both let go of the interpreter, so that two processors share the work.
                hashed = None if sha256 else beside.submit(digest.update, piece)
                target.write(piece)
                if hashed:
                    hashed.result()

            fill(write)
        self.members.append(Member(path=path, size_bytes=size, sha256=sha256 or digest.hexdigest()))

    def copy(self, path: str, source: Path, *, sha256: str = "") -> None:
        """Add a file from disk."""
        self.write(path, lambda write: _copy(source, write), about_bytes=source.stat().st_size, sha256=sha256)

    def _info(self, path: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(path, self._time)
        info.compress_type = zipfile.ZIP_DEFLATED if shrinks(path) else zipfile.ZIP_STORED
        info.create_system = 3
        info.external_attr = (stat.S_IFREG | 0o600) << 16
        return info


def _pack_with_isal(target: object) -> None:
    """Let ISA-L do the packing: 6 to 9 times as fast as zlib at nearly its size.

    zipfile has no public way to say so. A test asserts that it took; without it everything works, slower.
    """
    target._compressor = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)  # type: ignore[attr-defined]  # noqa: SLF001


def _copy(source: Path, write: Write) -> None:
    with source.open("rb") as sheet:
        while piece := sheet.read(PIECE):
            write(piece)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as sheet:
        return hashlib.file_digest(sheet, "sha256").hexdigest()

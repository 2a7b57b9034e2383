"""Looking through files as they lie on the disk: plain, and packed by gzip, bzip2 or xz.

Always true here: a piece of a file is in memory, never a file; what cannot be read to its end is named as blind; a
file is named by its name alone, and by a digest when its name holds a needle.
"""

import bz2
import codecs
import gzip
import hashlib
import lzma
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Protocol

from portal.sources.base import Finding, Needles, Searched
from portal.sources.matching import ESCAPE_CHARACTERS, stands

PIECE_BYTES = 1 << 18
ROUNDS = 5
"""How often files may turn up anew while we look: logs that are rotated meanwhile."""

PACKED: tuple[tuple[bytes, Callable[[IO[bytes]], "Readable"]], ...] = (
    (b"\x1f\x8b", lambda stream: gzip.GzipFile(fileobj=stream)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
)
OPAQUE = (b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"7z\xbc\xaf", b"%PDF", b"\x89PNG", b"\xff\xd8\xff")
"""Kinds of files whose contents are packed in ways that we do not look into."""
TROUBLE = (OSError, EOFError, zlib.error, lzma.LZMAError)


class Texts:
    """Needles, ready to be compared with streams."""

    def __init__(self, needles: Needles) -> None:
        self.texts = [(id, text.lower(), id in needles.whole) for id, text in needles.texts.items()]
        self.longest = max((len(text) for _, text, _ in self.texts), default=1)

    def count(self, pieces: Iterable[bytes]) -> Counter[str]:
        """Count each needle in a stream. A needle may lie across two pieces; it is counted once.

        In a file with zero bytes a letter before a needle may be no letter, but its length: there all counts.
        """
        found: Counter[str] = Counter()
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        seen, waiting, words = "", "", True
        for piece in pieces:
            words = words and b"\0" not in piece
            text = seen + waiting + decode(piece).lower()
            # What follows a needle tells whether it stands alone, so the last ones wait for the next piece.
            end = max(len(text) - self.longest, len(seen))
            self._look(text, len(seen), end, found, words=words)
            seen, waiting = text[max(end - ESCAPE_CHARACTERS, 0) : end], text[end:]
        text = seen + waiting + decode(b"", final=True).lower()
        self._look(text, len(seen), len(text), found, words=words)
        return found

    def _look(self, text: str, start: int, end: int, found: Counter[str], *, words: bool) -> None:
        """Count what begins between `start` and `end`."""
        for id, needle, whole in self.texts:
            at = text.find(needle, start)
            while 0 <= at < end:
                found[id] += not (whole and words) or stands(text, at, at + len(needle))
                at = text.find(needle, at + 1)


def search(listed: Callable[[], Iterable[Path]], needles: Needles) -> Searched:
    """Look through every file that `listed` names, and names again afterwards: what came meanwhile is looked at too.

    It blocks, so it belongs into a thread.
    """
    texts = Texts(needles)
    findings: list[Finding] = []
    places: list[str] = []
    blind: list[str] = []
    done: set[tuple[int, int]] = set()
    for _ in range(ROUNDS):
        new = [(path, about) for path in sorted(listed()) if (about := _identity(path)) and about not in done]
        if not new:
            break
        for path, about in new:
            done.add(about)
            place = _place(path, texts)
            findings += [Finding(place=place, needle=id, number=1) for id in texts.count([path.name.encode()])]
            reason, counts = _count(path, texts)
            findings += [Finding(place=place, needle=id, number=n) for id, n in sorted(counts.items()) if n]
            blind += [f"{place} ({reason})"] if reason else []
            places += [] if reason else [place]
    else:
        blind.append("files that came while others were looked through")
    return Searched(findings=tuple(findings), places=tuple(dict.fromkeys(places)), blind=tuple(dict.fromkeys(blind)))


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what a file is, whatever it is called meanwhile; None for one that went, or is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return (about.st_dev, about.st_ino) if path.is_file() else None


def _place(path: Path, texts: Texts) -> str:
    if texts.count([path.name.encode()]):
        return f"{hashlib.sha256(path.name.encode()).hexdigest()[:16]}{path.suffix[-5:]}"
    return path.name


def _count(path: Path, texts: Texts) -> tuple[str, Counter[str]]:
    """Return why the file could not be read to its end, empty when it could, and what was found in it."""
    found: Counter[str] = Counter()
    try:
        with path.open("rb") as stream:
            beginning = stream.read(8)
            if beginning.startswith(OPAQUE):
                return "packed in a way that is not looked into", found
            stream.seek(0)
            unpack = next((unpack for magic, unpack in PACKED if beginning.startswith(magic)), None)
            pieces = _Pieces(unpack(stream) if unpack else stream)
            found = texts.count(pieces)
    except PermissionError:
        return "no right to read", found
    except TROUBLE:
        return "could not be read", found
    return ("could not be read to its end" if pieces.broken else ""), found


class Readable(Protocol):
    """What bytes can be read from."""

    def read1(self, size: int, /) -> bytes:
        """Return at most `size` bytes, as soon as there are some; none at the end."""
        ...


class _Pieces:
    """A stream in pieces. One that breaks ends there, and says so: what was read until then counts."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.broken = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            while piece := self._stream.read1(PIECE_BYTES):
                yield piece
        except TROUBLE:
            self.broken = True

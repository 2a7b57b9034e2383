"""JSON Lines on disk, read in pieces that end with a whole line.

Always true here: memory depends on the longest line, never on how many there are.
"""

import heapq
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path

import msgspec

PIECE = 1 << 20

type Record = dict[str, object]
type Place = tuple[int, int]
"""Where a record is in its file: offset and length."""

_decoder = msgspec.json.Decoder(dict[str, object], float_hook=Decimal)
_ESCAPE = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u(?P<half>[dD][89a-fA-F]..)|\\.")


def pieces(path: Path) -> Iterator[bytes]:
    """Yield the file in pieces of about a megabyte, each of whole lines."""
    with path.open("rb") as sheet:
        rest = b""
        while piece := sheet.read(PIECE):
            end = piece.rfind(b"\n") + 1
            if not end:
                rest += piece
                continue
            yield rest + piece[:end]
            rest = piece[end:]
        if rest:
            yield rest


def records(lines: bytes) -> list[Record]:
    """Decode whole lines. Decimal numbers keep every digit they were written with.

    Raises:
        ValueError: when a line is not a JSON object.
    """
    try:
        return _decoder.decode_lines(lines)
    except msgspec.DecodeError:
        return _decoder.decode_lines(whole_surrogates(lines))


def whole_surrogates(text: bytes) -> bytes:
    """Put U+FFFD for half of a surrogate pair: an old `json` column may hold one, and no text can."""
    return _ESCAPE.sub(_whole, text)


def _whole(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape["half"] else escape[0]


def at(path: Path, places: Iterable[Place]) -> Iterator[Record]:
    """Read single records, one at a time: each may be long."""
    with path.open("rb") as sheet:
        for offset, length in places:
            sheet.seek(offset)
            yield records(sheet.read(length))[0]


def newest(path: Path, field: str, limit: int) -> list[Place]:
    """Return where the `limit` newest records are, newest first.

    `field` holds an ISO 8601 instant or day; with no field the file's own order stays.
    """
    if not field:
        return [place for _, place in islice(_places(path, field), limit)]
    return [
        place for _, place in heapq.nlargest(limit, _places(path, field), key=lambda found: (found[0], -found[1][0]))
    ]


def _places(path: Path, field: str) -> Iterator[tuple[str, Place]]:
    offset = 0
    for piece in pieces(path):
        lines = piece.split(b"\n")[:-1]
        moments = [str(record.get(field) or "") for record in records(piece)] if field else [""] * len(lines)
        for moment, line in zip(moments, lines, strict=True):
            yield moment, (offset, len(line))
            offset += len(line) + 1

"""What a file is, by its content, and a picture without what its camera wrote into it.

Always true here: the pixels are copied as they are and never decoded, so no picture can harm us by being opened; a
file that does not hold together is refused. Of a PDF nothing is taken out: it may name its author.
"""

import struct
from collections.abc import Iterator

from portal.errors import Invalid

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
SIGNATURES = ((b"%PDF-1.", PDF), (b"%PDF-2.", PDF), (b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG))

PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"})
"""What it takes to show the picture; texts, times, profiles and camera data are left out."""
JPEG_DROPPED = frozenset({*range(0xE1, 0xF0), 0xFE}) - {0xEE}
"""APP1 to APP15 (Exif, XMP, IPTC, thumbnails, profiles) and comments; APP14 says how colours are written."""
ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
IN_SCAN = frozenset({0x00, *range(0xD0, 0xD8)})
START_OF_SCAN, END = 0xDA, 0xD9


def type_of(content: bytes) -> str | None:
    """Return the media type that the first bytes show and the last ones do not deny, None for anything else."""
    found = next((media_type for start, media_type in SIGNATURES if content.startswith(start)), None)
    if found == PDF and b"%%EOF" not in content[-2048:]:
        return None
    return found


def stripped(content: bytes, media_type: str) -> bytes:
    """Return a picture without metadata; a PDF as it is.

    Raises:
        Invalid: the picture does not hold together; names the field `file`.
    """
    try:
        if media_type == PNG:
            return b"".join([content[:8], *_png(content)])
        if media_type == JPEG:
            return b"".join(_jpeg(content))
    except (struct.error, IndexError):
        raise _broken() from None
    return content


def _png(content: bytes) -> Iterator[bytes]:
    """Yield the chunks that are kept. What follows the last one is not part of the picture."""
    at = 8
    while True:
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise _broken()
        if kind in PNG_KEPT:
            yield content[at:end]
        if kind == b"IEND":
            return
        at = end


def _jpeg(content: bytes) -> Iterator[bytes]:
    """Yield the segments that are kept, and the scans as they are, up to the end of the picture."""
    yield content[:2]
    at = 2
    while True:
        if content[at] != 0xFF:
            raise _broken()
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == END:
            yield content[at : at + 2]
            return
        if marker in ALONE:
            yield content[at : at + 2]
            at += 2
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        end = at + 2 + length
        if length < 2 or end > len(content):
            raise _broken()
        if marker == START_OF_SCAN:
            end = _scan_end(content, end)
        if marker not in JPEG_DROPPED:
            yield content[at:end]
        at = end


def _scan_end(content: bytes, at: int) -> int:
    """Return where the data of a scan ends: at the next marker that is neither stuffing nor a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise _broken()
        if content[at + 1] not in IN_SCAN:
            return at
        at += 2


def _broken() -> Invalid:
    return Invalid("The picture is damaged. Send it again, or as a PDF.", field="file")

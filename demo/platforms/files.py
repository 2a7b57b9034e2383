"""Draws and writes the files that the people of the sample platforms have: small, real, and decided by the seed.

Always true here: every file opens in the program its type promises; the bytes are the same in every run.
"""

import csv
import io
import json
import struct
import zipfile
import zlib
from random import Random

type Rgb = tuple[int, int, int]


def drawing(random: Random, *, width: int = 160, height: int = 120) -> bytes:
    """Return a cartoon landscape as PNG: a sky, a sun and two hills."""
    sky, sun, far, near = (_colour(random, *spread) for spread in (_SKY, _SUN, _FAR, _NEAR))
    centre, radius = (random.randrange(20, width - 20), random.randrange(18, 40)), random.randrange(9, 17)
    peaks = [(random.randrange(width), random.randrange(height // 3, height // 2)) for _ in range(2)]
    rows = []
    for y in range(height):
        row = bytearray(bytes(sky) * width)
        reach = radius**2 - (y - centre[1]) ** 2
        if reach > 0:
            _paint(row, centre[0], int(reach**0.5), sun)
        for (x, top), colour, slope in zip(peaks, (far, near), (1.6, 2.4), strict=True):
            if y > top:
                _paint(row, x, int((y - top) * slope), colour)
        rows.append(b"\0" + bytes(row))
    return _png(width, height, b"".join(rows))


def table(random: Random) -> bytes:
    """Return a CSV of opening hours."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["place", "opens", "closes", "note"])
    for number in range(random.randrange(4, 40)):
        writer.writerow(
            [f"Musée n° {number}", f"{random.randrange(8, 11):02d}:00", "18:30", "fermé le lundi; “gratuit”"]
        )
    return text.getvalue().encode()


def document(random: Random) -> bytes:
    """Return a JSON document of recipes."""
    recipes = [{"title": f"Soupe {n}", "portions": random.randrange(1, 9), "spicy": n % 3 == 0} for n in range(12)]
    return json.dumps({"recipes": recipes, "by": "Γιαγιά"}, ensure_ascii=False, indent=1).encode()


def note(random: Random) -> bytes:
    """Return a plain text in several languages."""
    lines = ["À faire", "Einkaufen: Äpfel, Öl", "買い物", "<b>not bold</b>", "=1+1"]
    return "\n".join(random.sample(lines, 4)).encode()


def archive(random: Random) -> bytes:
    """Return a ZIP with a note and a drawing inside."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, body in (("read me.txt", note(random)), ("drawing.png", drawing(random, width=64, height=48))):
            folder.writestr(zipfile.ZipInfo(name, (2026, 10, 1, 12, 0, 0)), body)
    return packed.getvalue()


KINDS = (
    ("text/csv", "csv", table),
    ("application/json", "json", document),
    ("image/png", "png", drawing),
    ("text/plain", "txt", note),
    ("application/zip", "zip", archive),
)

_SKY = ((150, 190), (200, 230), (235, 255))
_SUN = ((240, 255), (190, 225), (60, 120))
_FAR = ((110, 150), (160, 190), (110, 140))
_NEAR = ((60, 100), (130, 160), (70, 100))


def _colour(random: Random, red: tuple[int, int], green: tuple[int, int], blue: tuple[int, int]) -> Rgb:
    return random.randrange(*red), random.randrange(*green), random.randrange(*blue)


def _paint(row: bytearray, middle: int, half: int, colour: Rgb) -> None:
    width = len(row) // 3
    left, right = max(0, middle - half), min(width, middle + half)
    if right > left:
        row[left * 3 : right * 3] = bytes(colour) * (right - left)


def _png(width: int, height: int, rows: bytes) -> bytes:
    """Pack rows of 8-bit RGB, each with its filter byte. Source: PNG specification, 3rd edition, sections 5 and 11."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")

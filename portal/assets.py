"""The static files, read once: few and small, so they are served from memory, compressed and by digest.

Always true here: an address with the right `v` never changes its content and is kept for a year; any other answer
is checked with its ETag. Nothing is read from disk on request, so no path can leave the folder.
"""

import gzip
import hashlib
from pathlib import Path

import msgspec

from portal.policy.model import Colour

STATIC = Path(__file__).parent / "static"
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2"}
LIGHT_TEXT, DARK_TEXT = "#ffffff", "#12151f"


class Asset(msgspec.Struct, frozen=True):
    """One file: its bytes, the same compressed (empty when that does not pay), and the start of its SHA-256."""

    content: bytes
    zipped: bytes
    media_type: str
    digest: str


class Assets:
    """All static files of one instance, its brand colours included."""

    def __init__(self, colour: Colour) -> None:
        files = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.suffix in KINDS}
        self._assets = {name: _asset(name, path.read_bytes()) for name, path in files.items()}
        self._assets["brand.css"] = _asset("brand.css", brand(colour).encode())

    def get(self, name: str) -> Asset | None:
        """Return the file called `name`, or None."""
        return self._assets.get(name)

    def url(self, name: str) -> str:
        """Return the address of a file, with its digest. Raises: KeyError when there is no such file."""
        return f"/static/{name}?v={self._assets[name].digest}"


def brand(colour: Colour) -> str:
    """Return the style sheet that holds the organisation's accents."""
    light = _tokens(colour.accent, colour.wash)
    dark = _tokens(colour.dark_accent, colour.dark_wash)
    return f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two #rrggbb colours. Source: WCAG 2.2, relative luminance."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _tokens(accent: str, wash: str) -> str:
    text = max((LIGHT_TEXT, DARK_TEXT), key=lambda candidate: contrast(candidate, accent))
    return f"--brand:{accent};--brand-wash:{wash};--on-brand:{text}"


def _luminance(colour: str) -> float:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue))
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _asset(name: str, content: bytes) -> Asset:
    suffix = Path(name).suffix
    zipped = b"" if suffix == ".woff2" else gzip.compress(content, mtime=0)
    return Asset(content, zipped, KINDS[suffix], hashlib.sha256(content).hexdigest()[:12])

"""The static files, read once: few and small, so they are served from memory.

Always true here: an address with the right `v` never changes its content and may be kept for a year; any other is
checked each time. Nothing is read from disk on request, so no path can leave the folder.
"""

from pathlib import Path

from portal.kept import Kept, keep
from portal.policy.contrast import DARK_PAPER, PAPER, contrast
from portal.policy.model import Colour

STATIC = Path(__file__).parent / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".woff2": "font/woff2"}


class Assets:
    """All static files of one instance, its brand colours included."""

    def __init__(self, colour: Colour) -> None:
        self._files = {"brand.css": keep(brand(colour).encode(), KINDS[".css"])}
        for path in STATIC.rglob("*"):
            if path.suffix in KINDS:
                name = path.relative_to(STATIC).as_posix()
                self._files[name] = keep(path.read_bytes(), KINDS[path.suffix], zipped=path.suffix != ".woff2")

    def get(self, name: str) -> Kept | None:
        """Return the file called `name`, or None."""
        return self._files.get(name)

    def url(self, name: str) -> str:
        """Return the address of a file, with its digest. Raises: KeyError when there is no such file."""
        return f"/static/{name}?v={self._files[name].digest}"


def brand(colour: Colour) -> str:
    """Return the style sheet that holds the organisation's accents."""
    light = _tokens(colour.accent, colour.wash)
    dark = _tokens(colour.dark_accent, colour.dark_wash)
    return f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"


def _tokens(accent: str, wash: str) -> str:
    text = max((PAPER, DARK_PAPER), key=lambda candidate: contrast(candidate, accent))
    return f"--brand:{accent};--brand-wash:{wash};--on-brand:{text}"

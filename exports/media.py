"""Kinds of files: the safe end of a name for each, and whether packing makes it smaller.

Always true here: the end of a name comes from this table, never from a person; nothing here runs when it is opened.
"""

PLAIN = "bin"
_EXTENSIONS = {
    "application/gzip": "gz",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tiff",
    "image/webp": "webp",
    "text/csv": "csv",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
_PACKED_WELL = frozenset({"json", "jsonl", "csv", "txt", "bmp", "wav"})


def extension(media_type: str) -> str:
    """Return the end of a file's name. Text that a browser might run (HTML, SVG, XML) opens as plain text."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind.endswith(("+xml", "/xml")):
        return _EXTENSIONS.get(kind, "txt")
    return _EXTENSIONS.get(kind, PLAIN)


def shrinks(path: str) -> bool:
    """True when compressing is worth it; pictures, films and archives are compressed already, the unknown may be."""
    return path.rpartition(".")[2] in _PACKED_WELL

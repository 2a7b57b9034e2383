"""Answers that are the same for everyone, made once and kept: static files and public pages.

Always true here: such an answer depends on nobody and sets no cookie; it is checked by the digest of its content.
"""

import gzip
import hashlib
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State

from portal.edge import takes_gzip


class Kept(msgspec.Struct, frozen=True):
    """One answer: its bytes, the same compressed (empty when that does not pay), and the start of its SHA-256."""

    content: bytes
    zipped: bytes
    media_type: str
    digest: str


def keep(content: bytes, media_type: str, *, zipped: bool = True) -> Kept:
    """Prepare an answer. `zipped` is False for what is compressed already."""
    smaller = gzip.compress(content, mtime=0) if zipped else b""
    return Kept(content, smaller, media_type, hashlib.sha256(content).hexdigest()[:12])


def answer(request: Request[Any, Any, State], kept: Kept, *, caching: str) -> Response[bytes]:
    """Send it, or say that what the browser has is still good."""
    etag = f'W/"{kept.digest}"'
    headers = {"Cache-Control": caching, "ETag": etag, "Vary": "Accept-Encoding"}
    known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(b"", status_code=304, headers=headers, media_type=kept.media_type)
    if kept.zipped and takes_gzip(request.scope):
        return Response(kept.zipped, headers={**headers, "Content-Encoding": "gzip"}, media_type=kept.media_type)
    return Response(kept.content, headers=headers, media_type=kept.media_type)

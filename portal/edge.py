"""What an answer passes on its way out: pages are compressed, and HEAD is answered wherever GET is.

Always true here: only a page that is complete in memory is compressed; downloads stream through untouched.
A compressed page that holds a secret and echoes input could be probed (BREACH), but only by making the person's
browser ask with its cookie, and SameSite=Lax withholds that from other sites.
"""

import gzip

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message, Receive, Scope, Send

SMALLEST = 600
"""Below this, compressing costs more than it saves."""


def answering_head(app: ASGIApp) -> ASGIApp:
    """Answer HEAD as GET without the body."""

    async def headed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == "HEAD":
            scope["method"] = "GET"
            send = _without_body(scope, send)
        await app(scope, receive, send)

    return headed


def compressing_pages(app: ASGIApp) -> ASGIApp:
    """Compress HTML for browsers that take gzip."""

    async def compressed(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, _zipping(send) if scope["type"] == ScopeType.HTTP and takes_gzip(scope) else send)

    return compressed


def takes_gzip(scope: Scope) -> bool:
    """Tell whether the browser says that it reads gzip."""
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding").decode("latin-1")
    weights = {part.partition(";")[0].strip().lower(): part.partition(";")[2].strip() for part in accepted.split(",")}
    return "gzip" in weights and weights["gzip"] not in {"q=0", "q=0.0"}


def _without_body(scope: HTTPScope, send: Send) -> Send:
    """Send headers alone. The server must see HEAD again by then, or it misses the body that they announce."""

    async def answer(message: Message) -> None:
        scope["method"] = "HEAD"
        if message["type"] == "http.response.body":
            message = {"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)}
        await send(message)

    return answer


def _zipping(send: Send) -> Send:
    """Hold a page's headers back until its body is known to be whole, then send both, smaller."""
    held: HTTPResponseStartEvent | None = None

    async def answer(message: Message) -> None:
        nonlocal held
        if message["type"] == "http.response.start" and _is_page(message):
            held = message
            return
        if message["type"] == "http.response.body" and held is not None:
            start, held = held, None
            if not message.get("more_body", False) and len(message["body"]) >= SMALLEST:
                body = gzip.compress(message["body"], 6, mtime=0)
                message = {"type": "http.response.body", "body": body, "more_body": False}
                headers = MutableScopeHeaders.from_message(start)
                headers["Content-Encoding"] = "gzip"
                headers["Content-Length"] = str(len(body))
                headers.extend_header_value("Vary", "Accept-Encoding")
            await send(start)
        await send(message)

    return answer


def _is_page(message: HTTPResponseStartEvent) -> bool:
    headers = MutableScopeHeaders.from_message(message)
    return headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers

"""The gate: while a restored database is put in order, nobody is let in.

Always true here: a closed gate lets nothing through but static files and the sign that the process is alive; the page
in its place needs no database.
"""

from dataclasses import dataclass

from litestar import Request
from litestar.enums import ScopeType
from litestar.response import Response
from litestar.types import ASGIApp, Receive, Scope, Send

from portal.web import Req, language_for, render

ALIVE, READY, STATIC = "/healthz", "/readyz", "/static/"
AGAIN_SECONDS = 300


@dataclass
class Gate:
    """Open unless it is closed. One for the life of a process."""

    closed: bool = False


def guarded(app: ASGIApp, gate: Gate) -> ASGIApp:
    """Wrap `app` so that a closed gate answers 503 in its place."""

    async def through_the_gate(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not gate.closed or _passes(scope["path"]):
            await app(scope, receive, send)
            return
        request: Req = Request(scope, receive, send)
        await _shut(request)(scope, receive, send)

    return through_the_gate


def _passes(path: str) -> bool:
    return path == ALIVE or path.startswith(STATIC)


def _shut(request: Req) -> ASGIApp:
    """Say that we are busy: to people in their language, to machines in one word."""
    if request.scope["path"] == READY:
        answer = Response({"database": "restored", "erasures": "being replayed"}, status_code=503)
        return answer.to_asgi_response(None, request)
    page = render(request, language_for(request), "errors/in_order.html", 503, {"here": "", "visitor": None})
    page.headers["Retry-After"] = str(AGAIN_SECONDS)
    return page.to_asgi_response(None, request)

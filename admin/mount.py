"""Piccolo Admin inside the portal: a browser of records for staff, read only.

Always true here: only paths and methods that are named below reach Piccolo Admin; all others do not exist. That shuts
its password login, its change of passwords, its uploads and its API pages, which load scripts from elsewhere.
"""

import re
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

from litestar import Request, asgi
from litestar.exceptions import NotFoundException
from litestar.handlers import ASGIRouteHandler
from litestar.response import Redirect, Response
from litestar.types import ASGIApp, Receive, Scope, Send
from piccolo_admin.endpoints import create_admin

from admin.tables import CLOCK, StaffSession, StaffUser
from admin.views import VIEWS
from admin.who import COOKIE, find_staff
from portal.clock import Clock, system_clock
from portal.settings import Settings
from portal.web import Req

# Piccolo Admin's own page for signing in asks for a password, which nobody has: our script leads to ours instead.
HEAD = '<link rel="icon" href="data:,"><script type="module" src="./signed_out.js"></script>'
SCRIPT = Path(__file__).with_name("signed_out.js")
READS = re.compile(
    r"/(?:assets/[\w.-]+|api/tables/[\w/-]*|api/(?:user|links|forms|forms/grouped)/|public/meta/|public/translations/[\w-]*/?)?"
)
SIGN_OUT = "/public/logout/"


def staff_records(settings: Settings, *, name: str, clock: Clock = system_clock) -> ASGIRouteHandler:
    """Return the handler of `/admin/`. `name` is the organisation's, for the page's title."""
    inner = _piccolo_admin(settings, name)

    @asgi("/admin", is_mount=True, copy_scope=True, exclude_from_csrf=True)
    async def handler(scope: Scope, receive: Receive, send: Send) -> None:
        request: Req = Request(scope)
        CLOCK.set(clock)
        outer, path = _paths(scope)
        if path == "":
            answer: ASGIApp = Redirect(f"{outer}/admin/", status_code=303).to_asgi_response(None, request)
        elif path == "/signed_out.js":
            answer = Response(SCRIPT.read_text(), media_type="text/javascript").to_asgi_response(None, request)
        elif not _allowed(request.method, path):
            raise NotFoundException
        elif path == "/" and await find_staff(request.cookies.get(COOKIE, ""), at=clock()) is None:
            answer = Redirect(f"{outer}/staff/sign-in", status_code=303).to_asgi_response(None, request)
        else:
            scope["root_path"], scope["path"] = f"{outer}/admin", f"{outer}/admin{path}"
            answer = inner
        await answer(scope, receive, send)

    return handler


def _piccolo_admin(settings: Settings, name: str) -> ASGIApp:
    app = create_admin(
        VIEWS,
        auth_table=StaffUser,
        session_table=StaffSession,
        read_only=True,
        production=settings.secure,
        site_name=name,
        auto_include_related=False,
        sidebar_links={"Desk": "/staff/desk"},
        allowed_hosts=[urlsplit(settings.public_url).netloc],
    )
    app.template = app.template.replace("</head>", f"{HEAD}</head>")
    return cast(ASGIApp, app)


def _paths(scope: Scope) -> tuple[str, str]:
    """Return the path outside the portal, if a proxy has put it under one, and the path inside `/admin`.

    Litestar 2.25 hands a mount a path without `/admin` and with a slash added, so the raw path is read anew. Servers
    differ: some include the outer path in it and some the query.
    """
    outer = scope.get("root_path", "")
    raw = unquote(scope["raw_path"].partition(b"?")[0].decode("latin-1"))
    full = raw.removeprefix(outer) if outer and raw.startswith(f"{outer}/") else raw
    return outer, full.removeprefix("/admin")


def _allowed(method: str, path: str) -> bool:
    if method == "POST":
        return path == SIGN_OUT
    return method in {"GET", "HEAD"} and READS.fullmatch(path) is not None

"""Piccolo Admin inside the portal: a browser of records for staff, with three tables and three forms that write.

Always true here: only paths and methods that are named below reach Piccolo Admin; all others do not exist. That shuts
its password login, its change of passwords, its uploads and its API pages, which load scripts from elsewhere. It runs
read-only: what may be written is written by verbs of ours.
"""

import logging
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

from litestar import Request, asgi
from litestar.exceptions import NotFoundException
from litestar.handlers import ASGIRouteHandler
from litestar.response import Redirect, Response
from litestar.types import ASGIApp, Receive, Scope, Send
from piccolo_admin.endpoints import create_admin

from admin import views
from admin.captured import Captured, TooLarge, capture, json_answer, limited
from admin.forms import FORMS, form_groups, form_list, on_form
from admin.records import KEY, Asking, on_table, open_to, refused, send_answer, table_groups, table_list
from admin.reference import take_over_writing
from admin.roles import Permission
from admin.tables import CLOCK, StaffSession, StaffUser
from admin.who import COOKIE, find_staff, note_forged_form
from portal.clock import Clock, system_clock
from portal.errors import Forbidden
from portal.policy.model import Policy
from portal.rights.reference import EDITABLE
from portal.settings import Settings
from portal.web import Req, language_for
from portal.words import Words

# Piccolo Admin's own page for signing in asks for a password, which nobody has: our script leads to ours instead.
HEAD = (
    '<link rel="icon" href="data:,"><link rel="stylesheet" href="./records.css">'
    '<script type="module" src="./records.js"></script>'
)
OURS = {"/records.js": "text/javascript", "/records.css": "text/css"}
PUBLIC = re.compile(r"/(?:assets/[\w.-]+|public/meta/|public/translations/[\w-]*/?)")
"""What everybody may load: its files and its words."""
SIGN_OUT = "/public/logout/"
READING = {"GET", "HEAD"}


def staff_records(settings: Settings, *, policy: Policy, clock: Clock = system_clock) -> ASGIRouteHandler:
    """Return the handler of `/admin/`."""
    inner = _piccolo_admin(settings.public_url, policy.controller.name, production=settings.secure)

    @asgi("/admin", is_mount=True, copy_scope=True, exclude_from_csrf=True)
    async def handler(scope: Scope, receive: Receive, send: Send) -> None:
        request: Req = Request(scope)
        CLOCK.set(clock)
        outer, path = _paths(scope)
        if path == "":
            await Redirect(f"{outer}/admin/", status_code=303).to_asgi_response(None, request)(scope, receive, send)
            return
        if path in OURS and request.method in READING:
            ours = Response((Path(__file__).parent / path.lstrip("/")).read_text(), media_type=OURS[path])
            await ours.to_asgi_response(None, request)(scope, receive, send)
            return
        scope["root_path"], scope["path"] = f"{outer}/admin", f"{outer}/admin{path}"
        if _open_to_all(request, path, settings):
            await inner(scope, receive, send)
            return
        staff = await find_staff(request.cookies.get(COOKIE, ""), at=clock())
        if staff is None and path == "/" and request.method in READING:
            door = Redirect(f"{outer}/staff/sign-in", status_code=303)
            await door.to_asgi_response(None, request)(scope, receive, send)
            return
        if staff is None:
            if not path.startswith("/api/"):
                raise NotFoundException
            await send_answer(json_answer(401, {"error": "Auth failed"}), send, head=request.method == "HEAD")
            return
        words = Words(language_for(request), policy.controller.zone)
        asking = Asking(staff=staff, policy=policy, settings=settings, at=clock(), words=words)
        cast(dict[str, object], scope)[KEY] = asking
        answer = await _answer(request, path, asking, inner, receive)
        await send_answer(answer, send, head=request.method == "HEAD")

    return handler


async def _answer(request: Req, path: str, asking: Asking, inner: ASGIApp, receive: Receive) -> Captured:
    """Answer a member of staff. Raises: NotFoundException, for what is not named here."""
    if not asking.staff.may(Permission.TABLES):
        return await refused(asking, Permission.TABLES)
    if request.method not in READING:
        if not _from_here(request, asking.settings):
            await note_forged_form(asking.staff, at=asking.at)
            return json_answer(403, {"detail": asking.words(Forbidden.sentence)})
        try:
            receive = await limited(receive)
        except TooLarge:
            return json_answer(413, {"detail": "Too large"})
    elif path in SAID:
        return json_answer(200, SAID[path](asking))
    elif path in {"/", "/api/user/"}:
        return await capture(inner, request.scope, receive)
    on = on_table if path.startswith("/api/tables/") else on_form
    return await on(request.method, path, asking, inner, request.scope, receive)


def editable(asking: Asking) -> list[str]:
    """Return the tables that somebody may write, for our script: buttons of the others are not shown."""
    may = asking.staff.may(Permission.REFERENCE)
    return sorted(EDITABLE.keys() & open_to(asking.staff)) if may else []


def sidebar(asking: Asking) -> dict[str, str]:
    """Return the links of the sidebar. The breach room takes its place here once it is built."""
    words = asking.words
    links = ((words("Today"), "/staff/desk", Permission.QUEUE),)
    return {title: path for title, path, permission in links if asking.staff.may(permission)}


SAID: Mapping[str, Callable[[Asking], object]] = {
    "/api/tables/": table_list, "/api/tables/grouped/": table_groups, "/api/links/": sidebar,
    "/api/forms/": form_list, "/api/forms/grouped/": form_groups, "/editable.json": editable,
}  # fmt: skip
"""What we say in Piccolo Admin's place: what is open to this member of staff, and no more."""


@cache
def _piccolo_admin(public_url: str, name: str, *, production: bool) -> ASGIApp:
    """Return Piccolo Admin, which takes a second to make: tests make many apps."""
    # It logs tracebacks that quote what was typed; the error reaches our own log without that.
    logging.getLogger("piccolo_admin.endpoints").disabled = True
    public = urlsplit(public_url)
    app = create_admin(
        views.configs(),
        forms=[form.config() for form in FORMS.values()],
        auth_table=StaffUser,
        session_table=StaffSession,
        read_only=True,
        production=production,
        site_name=name,
        auto_include_related=False,
        allowed_hosts=[public.hostname or public.netloc],
    )
    app.template = app.template.replace("</head>", f"{HEAD}</head>")
    take_over_writing(app)
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


def _open_to_all(request: Req, path: str, settings: Settings) -> bool:
    if request.method == "POST":
        return path == SIGN_OUT and _from_here(request, settings)
    return request.method in READING and PUBLIC.fullmatch(path) is not None


def _from_here(request: Req, settings: Settings) -> bool:
    """Tell whether one of our own pages sent it, as far as a browser says. Piccolo asks for its form token besides."""
    site, origin = request.headers.get("sec-fetch-site", "same-origin"), request.headers.get("origin")
    public = urlsplit(settings.public_url)
    hosts = {public.netloc, request.headers.get("host", public.netloc)}
    return site == "same-origin" and (origin is None or origin in {f"{public.scheme}://{host}" for host in hosts})

"""The staff's door: a page that says how to get in, and the page behind a sign-in link.

Always true here: opening a link changes nothing, so that a mail scanner or a preview cannot use it up; only its button
does.
"""

from typing import Annotated

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.params import PathParameter
from litestar.response import Redirect, Template

from admin import approvals_pages, desk, figures, intake, registers, today, today_bulk, today_extend, today_find
from admin.sign_in import use_link
from admin.tables import LONGEST
from admin.who import COOKIE
from portal.identity.forms import form
from portal.web import Req, go, now, page, policy_of, settings_of

Token = Annotated[str, PathParameter(max_length=100)]


@get("/staff/sign-in", name="staff-door")
async def door(request: Req) -> Redirect:
    """Lead to the page in the organisation's first language."""
    return Redirect(f"/{policy_of(request).languages[0]}/staff/sign-in", status_code=303)


@get("/staff/desk", name="staff-desk-door")
async def desk_door(request: Req) -> Redirect:
    """Lead to the desk in the organisation's first language."""
    return Redirect(f"/{policy_of(request).languages[0]}{desk.PATH}", status_code=303)


@get("/staff/sign-in")
async def sign_in(request: Req) -> Template:
    """Say how staff sign in."""
    return page(request, "staff/sign_in.html")


@get("/staff/link/{token:str}")
async def link(request: Req, token: Token) -> Template:
    """Show the button; do not even look whether the link is good."""
    return page(request, "staff/link.html", token=token)


@post("/staff/link/{token:str}")
async def use(request: Req, token: Token) -> Redirect | Template:
    """Use the link up, set the session's cookie and lead to the desk.

    Raises:
        Forbidden: when the form did not come from our own page.
    """
    await form(request)
    session = await use_link(token, at=now(request))
    if session is None:
        return page(request, "staff/link_gone.html", status=403)
    answer = go(request, desk.PATH)
    answer.set_cookie(
        Cookie(
            key=COOKIE,
            value=session,
            httponly=True,
            secure=settings_of(request).secure,
            samesite="lax",
            max_age=int(LONGEST.total_seconds()),
        )
    )
    return answer


doors = [door, desk_door]
"""Addresses without a language."""
routes = [
    sign_in, link, use, *intake.routes, *today.routes, *today_find.routes, *today_bulk.routes, *today_extend.routes,
    *approvals_pages.routes, *figures.routes, *registers.routes, *desk.routes,
]  # fmt: skip

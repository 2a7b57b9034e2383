"""The account page: where you are signed in, and how to end it.

Always true here: a person sees and ends their own sessions only; anybody else's is not there.
"""

from uuid import UUID

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from portal.identity.forms import form
from portal.identity.sessions import end_others, end_session, open_sessions
from portal.identity.visitor import need_session
from portal.web import Req, go, now, page

PATH = "/account"


@get(PATH)
async def show_account(request: Req) -> Template:
    """List the person's open sessions."""
    visitor = need_session(request)
    sessions = await open_sessions(visitor.subject_id, at=now(request))
    return page(request, "identity/account.html", sessions=sessions, current=visitor.signed.id)


@post("/account/sessions/{id:uuid}/end", status_code=200)
async def end_one(request: Req, id: FromPath[UUID]) -> Redirect:
    """End one session; ending this one is signing out."""
    visitor = need_session(request, back=PATH)
    await form(request)
    await end_session(id, visitor.subject_id, at=now(request))
    if id != visitor.signed.id:
        return go(request, PATH)
    visitor.cookie.drop()
    return go(request, "/signed-out")


@post("/account/sessions/end-others", status_code=200)
async def end_all_others(request: Req) -> Redirect:
    """End all sessions but this one."""
    visitor = need_session(request, back=PATH)
    await form(request)
    await end_others(visitor.subject_id, keep=visitor.signed.id, at=now(request))
    return go(request, PATH)


routes = [show_account, end_one, end_all_others]

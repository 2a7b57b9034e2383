"""Who of the staff is asking, and whether they may.

Always true here: a session opens nothing before its second factor; a refusal for want of a role is evidence, with who
and what and never why it was wanted.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import quote, urlencode

import msgspec
from litestar.datastructures import Cookie
from litestar.response import Redirect, Response, Template
from litestar.types import ExceptionHandler, Scope
from multidict import MultiDict

from admin.roles import Permission, Role, permits, roles_of
from admin.signed_out import give_back, typed_in
from admin.tables import LONGEST, StaffSession
from portal.database import engine
from portal.errors import Forbidden, Refused
from portal.evidence.log import append
from portal.rights.requests import REFERENCE
from portal.web import Req, go, now, settings_of

COOKIE = "id"
"""Piccolo Admin's name for it, which cannot be changed."""
TODAY = "/staff/desk"
ONLY_SENT_TO = re.compile(r"(/staff/desk/[^/]+)/(?:notes|owner)|(?:/staff/tasks/.*)")
"""What no page stands behind, and with it the page that has its form; Today for a task."""
FRESH = timedelta(minutes=5)
"""How long a second factor counts as one just shown. Source: law S-02, S-17."""


class StaffSignInNeeded(Refused):
    """No member of staff is signed in. `back` is the path to go on to afterwards, without its language.

    `typed` is the form that they sent, if they had typed words into it.
    """

    status = 401
    sentence = "Please sign in first."

    def __init__(self, back: str = TODAY, *, typed: MultiDict[str] | None = None) -> None:
        super().__init__("staff sign-in needed")
        self.back = back
        self.typed = typed


class StaffConfirmNeeded(Refused):
    """The second factor was not shown just now. `back` is the path to go on to afterwards, without its language."""

    status = 403
    sentence = "Please confirm it is you first."

    def __init__(self, back: str = TODAY) -> None:
        super().__init__("staff confirmation needed")
        self.back = back


class NotPermitted(Refused):
    """Their role does not permit it."""

    status = 403
    sentence = "Your role does not permit this. Ask whoever gives the roles."


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff who is signed in."""

    id: int
    email: str
    name: str
    roles: frozenset[Role]
    confirmed_at: datetime
    """When they last showed their second factor."""

    @property
    def actor(self) -> str:
        """Who it is, as evidence names them."""
        return f"staff:{self.id}"

    @property
    def home(self) -> str:
        """The first page that is open to them, without its language."""
        if self.may(Permission.QUEUE):
            return TODAY
        return "/staff/failures" if self.may(Permission.SYSTEM) else "/staff/me"

    def may(self, permission: Permission) -> bool:
        """Tell whether one of their roles permits it."""
        return permission in permits(self.roles)

    def fresh(self, at: datetime) -> bool:
        """Tell whether the second factor was shown just now."""
        return at - self.confirmed_at < FRESH


async def find_staff(token: str, *, at: datetime) -> Staff | None:
    """Return the active member of staff whose session this opens, None for nobody. Prolongs the session."""
    live = await StaffSession.live(token, at=at) if token else None
    if live is None:
        return None
    return Staff(
        id=live.user, email=live.email, name=live.name or live.email.partition("@")[0], roles=roles_of(live.roles),
        confirmed_at=live.confirmed_at,
    )  # fmt: skip


async def staff_of(request: Req) -> Staff | None:
    """Return who of the staff is asking; looked up once for each request."""
    if not hasattr(request.state, "staff"):
        request.state.staff = await find_staff(request.cookies.get(COOKIE, ""), at=now(request))
    return cast(Staff | None, request.state.staff)


async def need_staff(request: Req, permission: Permission, *, reference: str = "") -> Staff:
    """Return who of the staff is asking.

    Raises:
        StaffSignInNeeded: nobody is signed in.
        NotPermitted: their role does not permit it; that they tried is evidence.
    """
    staff = await staff_of(request)
    if staff is None:
        raise StaffSignInNeeded(_asked_for(request), typed=await typed_in(request))
    if not staff.may(permission):
        await note_refusal(staff, permission, at=now(request), reference=reference)
        raise NotPermitted
    return staff


async def need_fresh_staff(request: Req, permission: Permission, *, reference: str = "", back: str = "") -> Staff:
    """Return who of the staff is asking, who has shown their second factor within `FRESH`.

    `back` is where they go on afterwards, by default the address of this page, of a POST without its query.

    Raises:
        StaffSignInNeeded: nobody is signed in.
        NotPermitted: their role does not permit it; that they tried is evidence.
        StaffConfirmNeeded: the second factor was shown too long ago.
    """
    staff = await need_staff(request, permission, reference=reference)
    if not staff.fresh(now(request)):
        raise StaffConfirmNeeded(back or _asked_for(request))
    return staff


async def need_self(request: Req, *, fresh: bool = False, back: str = "") -> Staff:
    """Return who of the staff is asking, whatever their role: for pages that are about themselves alone.

    Raises:
        StaffSignInNeeded: nobody is signed in.
        StaffConfirmNeeded: `fresh` is wanted, and the second factor was shown too long ago.
    """
    staff = await staff_of(request)
    if staff is None:
        raise StaffSignInNeeded(back or _asked_for(request))
    if fresh and not staff.fresh(now(request)):
        raise StaffConfirmNeeded(back or _asked_for(request))
    return staff


def give_session(request: Req, answer: Response[Any], token: str) -> None:
    """Give the browser the cookie of a session, in place of the one it had. Source: law S-21."""
    answer.set_cookie(
        Cookie(
            key=COOKIE,
            value=token,
            httponly=True,
            secure=settings_of(request).secure,
            samesite="lax",
            max_age=int(LONGEST.total_seconds()),
        )
    )


def take_session(answer: Response[Any]) -> None:
    """Take the cookie away from the browser."""
    answer.delete_cookie(COOKIE)


async def note_refusal(staff: Staff, permission: Permission, *, at: datetime, reference: str = "") -> None:
    """Note that somebody tried what their role does not permit."""
    async with engine().transaction():
        await append(
            "staff:refused", at=at, actor=staff.actor, reference=reference, details={"permission": str(permission)}
        )


async def note_forged_form(staff: Staff, *, at: datetime, reference: str = "") -> None:
    """Note that a form came in a colleague's session which none of our own pages had sent. Source: law S-09, S-19."""
    async with engine().transaction():
        await append("staff:form:refused", at=at, actor=staff.actor, reference=reference)


async def after_error(error: Exception, scope: Scope) -> None:
    """Note a forged form, whichever page of the staff's it was sent to."""
    staff = scope["state"].get("staff")
    if isinstance(error, Forbidden) and isinstance(staff, Staff):
        reference = str(scope["path_params"].get("reference", ""))
        await note_forged_form(
            staff, at=scope["litestar_app"].state.clock(), reference=reference if REFERENCE.fullmatch(reference) else ""
        )


async def on_to(token: str, next_path: str, *, at: datetime) -> str:
    """Return where somebody who has just come in goes on to: Today only if it is open to them."""
    staff = await find_staff(token, at=at) if next_path == TODAY else None
    return staff.home if staff else next_path


def go_to_door(request: Req, error: StaffSignInNeeded) -> Redirect | Template:
    """Answer with the way to the staff's door, and back afterwards; with what was typed, so that nothing is lost."""
    if error.typed:
        return give_back(request, error.typed, back=error.back)
    return go(request, f"/staff/sign-in?{urlencode({'next': error.back})}")


def go_to_confirm(request: Req, error: StaffConfirmNeeded) -> Redirect:
    """Answer with the way to the page that asks for the second factor again, and back afterwards."""
    return go(request, f"/staff/confirm?{urlencode({'next': error.back})}")


handlers = cast(
    "Mapping[int | type[Exception], ExceptionHandler[Exception]]",
    {StaffSignInNeeded: go_to_door, StaffConfirmNeeded: go_to_confirm},
)
"""What the app does with an error of this module."""


def _asked_for(request: Req) -> str:
    """Return the address of this page without its language; after a POST, of the page on which its form stands."""
    path = quote(request.url.path.partition(f"/{request.path_params['language']}")[2])
    if found := ONLY_SENT_TO.fullmatch(path):
        return found[1] or TODAY
    query = request.url.query
    return f"{path}?{query}" if query and request.method == "GET" else path

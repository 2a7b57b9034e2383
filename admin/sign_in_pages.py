"""The staff's door: ask for a code, type it or press the link's button, leave.

Always true here: opening an address changes nothing; the answer is the same for every address; what a code or link
gives leads to the question for the second factor and to nothing else.
"""

import hmac
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from litestar import get, post
from litestar.params import PathParameter
from litestar.response import Redirect, Template

from admin.openid import sign_on_name
from admin.sign_in import TRIES, Door, Halfway, ask_for_code, enter_by_code, enter_by_link, sign_out
from admin.who import COOKIE, TODAY, give_session, staff_of, take_session
from portal.errors import Invalid
from portal.identity.address import normalise
from portal.identity.asking import later
from portal.identity.browser import browser_label
from portal.identity.forms import form, local
from portal.identity.limits import ASK_ADDRESS, ASK_AGAIN, ASK_ALL, ASK_PEER, GUESS_ADDRESS, GUESS_PEER
from portal.identity.links import Attempt, Purpose, Wrong, by_token, latest
from portal.identity.mount import limits_of
from portal.identity.pages_sign_in import six_digits
from portal.identity.visitor import visitor_of
from portal.web import Req, go, language_of, now, page, policy_of, settings_of

Token = Annotated[str, PathParameter(max_length=100)]
DESK = TODAY


@get("/staff/sign-in", name="staff-door")
async def door(request: Req) -> Redirect:
    """Lead to the page in the organisation's first language."""
    return Redirect(f"/{policy_of(request).languages[0]}/staff/sign-in", status_code=303)


@get("/staff/sign-in")
async def show_sign_in(request: Req) -> Template | Redirect:
    """Ask for the address; whoever is signed in already goes on."""
    next_path = next_of(request.query_params.get("next", DESK))
    if staff := await staff_of(request):
        return go(request, staff.home if next_path == DESK else next_path)
    return sign_in_page(request, next_path=next_path)


@post("/staff/sign-in", status_code=200)
async def ask_to_sign_in(request: Req) -> Template | Redirect:
    """Have a code sent, and go on to where it is typed: the same for every address."""
    fields = await form(request)
    email, next_path = fields.get("email", ""), next_of(fields.get("next", DESK))
    try:
        address = normalise(email)
    except Invalid as mistake:
        return sign_in_page(request, email=email, next_path=next_path, wrong=mistake.sentence, status=mistake.status)
    wait = await _ask(request, address, next_path)
    if wait and not await _just_asked(request, address):
        return sign_in_page(request, email=email, next_path=next_path, wait=wait, status=429)
    return go(request, "/staff/sign-in/code")


@get("/staff/sign-in/code")
async def show_code(request: Req) -> Template | Redirect:
    """Ask for the code that this browser had sent."""
    attempt = await latest(visitor_of(request).browser, Purpose.STAFF)
    return go(request, "/staff/sign-in") if attempt is None or attempt.used_at else code_page(request, attempt)


@post("/staff/sign-in/code", status_code=200)
async def type_code(request: Req) -> Template | Redirect:
    """Show the first factor with the code, or have a new one sent."""
    fields = await form(request)
    attempt = await latest(visitor_of(request).browser, Purpose.STAFF)
    if attempt is None or attempt.used_at:
        return go(request, "/staff/sign-in")
    if "again" in fields:
        wait = await _ask(request, attempt.email, attempt.next_path)
        return code_page(request, attempt, wait=wait, status=429) if wait else go(request, "/staff/sign-in/code")
    typed = fields.get("code", "")
    code = six_digits(typed)
    if not code or not attempt.lives(now(request), tries=TRIES):
        return code_page(request, attempt, typed=typed, malformed=not code, status=422)
    if wait := _may_guess(request, attempt.email):
        return code_page(request, attempt, typed=typed, guess_at=wait, status=429)
    found = await enter_by_code(code, door_of(request))
    if isinstance(found, Halfway):
        return to_second_factor(request, found)
    return code_page(request, attempt, typed=typed, tries_left=_left(found), status=422)


@get("/staff/sign-in/link/{token:str}")
async def show_link(request: Req, token: Token) -> Template:
    """Show a button, or in another browser the field for the code. Nothing is used up by looking."""
    return link_page(request, await by_token(token, settings_of(request), Purpose.STAFF))


@post("/staff/sign-in/link/{token:str}", status_code=200)
async def press_link(request: Req, token: Token) -> Template | Redirect:
    """Show the first factor with the link, in another browser together with the code."""
    fields = await form(request)
    attempt = await by_token(token, settings_of(request), Purpose.STAFF)
    if attempt is None or not attempt.lives(now(request), tries=TRIES):
        return link_page(request, attempt)
    typed = fields.get("code", "")
    code = six_digits(typed)
    if not _asked_here(request, attempt):
        if not code:
            return link_page(request, attempt, typed=typed, malformed=True, status=422)
        if wait := _may_guess(request, attempt.email):
            return link_page(request, attempt, typed=typed, guess_at=wait, status=429)
    found = await enter_by_link(token, code, door_of(request))
    if isinstance(found, Halfway):
        return to_second_factor(request, found)
    return link_page(request, attempt if found else None, typed=typed, tries_left=_left(found), status=422)


@post("/staff/sign-out", status_code=200)
async def leave(request: Req) -> Redirect:
    """End this session and take the cookie away."""
    staff = await staff_of(request)
    await form(request)
    if staff:
        await sign_out(request.cookies.get(COOKIE, ""), staff.id, at=now(request))
    answer = go(request, "/staff/sign-in")
    take_session(answer)
    return answer


def next_of(path: str) -> str:
    """Return where to go on to: a page of the staff's, else the desk."""
    found = local(path)
    return found if found.startswith(("/staff/", "/admin/")) else DESK


def door_of(request: Req) -> Door:
    """Return this browser as one at the door."""
    label = browser_label(request.headers.get("user-agent", ""))
    return Door(browser=visitor_of(request).browser, label=label, settings=settings_of(request), at=now(request))


def to_second_factor(request: Req, half: Halfway) -> Redirect:
    """Lead on to the second factor, with a session that opens nothing yet."""
    answer = go(request, f"/staff/factor?{urlencode({'next': half.next_path})}")
    give_session(request, answer, half.session)
    return answer


def sign_in_page(
    request: Req, *, email: str = "", next_path: str = DESK, wrong: str = "", trouble: str = "",
    wait: datetime | None = None, status: int = 200,
) -> Template:  # fmt: skip
    """Show the door. `wrong` is about the field, `trouble` about the way, `wait` about too many codes."""
    answer = page(
        request, "staff/sign_in.html", status=status, email=email, next=next_path, wrong=wrong, trouble=trouble,
        wait=wait, single_sign_on=sign_on_name(request),
    )  # fmt: skip
    return later(answer, wait, request)


def code_page(
    request: Req, attempt: Attempt, *, typed: str = "", malformed: bool = False, tries_left: int | None = None,
    wait: datetime | None = None, guess_at: datetime | None = None, status: int = 200,
) -> Template:  # fmt: skip
    """Show where the code is typed. `wait`: when codes are sent again; `guess_at`: when one may be typed again."""
    answer = page(
        request, "staff/sign_in_code.html", status=status, attempt=attempt, typed=typed, malformed=malformed,
        tries_left=tries_left, wait=wait, guess_at=guess_at, expired=now(request) >= attempt.expires_at,
        living=attempt.lives(now(request), tries=TRIES) and tries_left != 0,
    )  # fmt: skip
    return later(answer, wait or guess_at, request)


def link_page(
    request: Req, attempt: Attempt | None, *, typed: str = "", malformed: bool = False, tries_left: int | None = None,
    guess_at: datetime | None = None, status: int = 200,
) -> Template:  # fmt: skip
    """Show what a link can do here; one that is used, over or unknown looks the same: 410 Gone."""
    if attempt is None or not attempt.lives(now(request), tries=TRIES) or tries_left == 0:
        return page(request, "staff/link_gone.html", status=410)
    answer = page(
        request, "staff/sign_in_link.html", status=status, here_asked=_asked_here(request, attempt), typed=typed,
        malformed=malformed, tries_left=tries_left, guess_at=guess_at, expires_at=attempt.expires_at,
    )  # fmt: skip
    return later(answer, guess_at, request)


async def _ask(request: Req, email: str, next_path: str) -> datetime | None:
    """Have a code sent for this browser; when too many were asked for, return when sending starts again."""
    limits, at_door, whose = limits_of(request), door_of(request), f"staff {email}"
    until = limits.take(
        (ASK_ALL, ""), (ASK_PEER, limits.peer(request)), (ASK_ADDRESS, whose), (ASK_AGAIN, f"{whose} {at_door.browser}")
    )
    if until is None:
        await ask_for_code(email, at_door, language=language_of(request), next_path=next_path)
    return until


def _may_guess(request: Req, email: str) -> datetime | None:
    limits = limits_of(request)
    return limits.take((GUESS_PEER, limits.peer(request)), (GUESS_ADDRESS, f"staff {email}"))


async def _just_asked(request: Req, email: str) -> bool:
    """True after a second click on the same button: the first one's mail is on its way."""
    attempt = await latest(visitor_of(request).browser, Purpose.STAFF)
    if attempt is None or attempt.email != email or not attempt.lives(now(request), tries=TRIES):
        return False
    return now(request) - attempt.created_at < ASK_AGAIN.within


def _asked_here(request: Req, attempt: Attempt) -> bool:
    return hmac.compare_digest(attempt.browser, visitor_of(request).browser)


def _left(found: Wrong | None) -> int:
    return found.tries_left if found else 0


routes = [show_sign_in, ask_to_sign_in, show_code, type_code, show_link, press_link, leave]

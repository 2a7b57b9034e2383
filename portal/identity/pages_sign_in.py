"""The way in by e-mail: ask, type the code or press the link's button, leave.

Always true here: opening an address changes nothing; no address of a person is ever in one of ours.
"""

import hmac
import re
from datetime import datetime

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from portal.errors import Invalid
from portal.identity.address import normalise
from portal.identity.asking import ask_for_code, entry_of, later, let_in, lives, may_guess, sign_in_page
from portal.identity.forms import form, local
from portal.identity.limits import ASK_AGAIN
from portal.identity.links import Attempt, Purpose, Wrong, by_token, latest
from portal.identity.sessions import end_session
from portal.identity.sign_in import enter_by_code, enter_by_link
from portal.identity.visitor import visitor_of
from portal.policy.model import Way
from portal.web import Req, go, now, page, policy_of, settings_of

SPACES = re.compile(r"[\s.\-\u2010-\u2015]+")
DIGITS = re.compile(r"[0-9]{6}")


@get("/sign-in")
async def show_sign_in(request: Req) -> Template | Redirect:
    """Ask for the address; whoever is signed in already goes on."""
    next_path = local(request.query_params.get("next", "/"))
    return go(request, next_path) if visitor_of(request).signed_in else sign_in_page(request, next_path=next_path)


@post("/sign-in", status_code=200)
async def ask_to_sign_in(request: Req) -> Template | Redirect:
    """Have a code sent, and go on to where it is typed: the same for every address."""
    fields = await form(request)
    email, next_path = fields.get("email", ""), local(fields.get("next", "/"))
    try:
        address = normalise(email)
    except Invalid as mistake:
        return sign_in_page(request, email=email, next_path=next_path, wrong=mistake.sentence, status=mistake.status)
    wait = await ask_for_code(request, address, purpose=Purpose.SIGN_IN, next_path=next_path)
    if wait and not await _just_asked(request, address):
        return sign_in_page(request, email=email, next_path=next_path, wait=wait, status=429)
    return go(request, "/sign-in/code")


@get("/sign-in/code")
async def show_code(request: Req) -> Template | Redirect:
    """Ask for the code that this browser had sent."""
    attempt = await latest(visitor_of(request).browser, Purpose.SIGN_IN)
    if attempt is None or attempt.used_at:
        return go(request, "/sign-in")
    return code_page(request, attempt)


@post("/sign-in/code", status_code=200)
async def type_code(request: Req) -> Template | Redirect:
    """Sign in with the code, or have a new one sent."""
    fields = await form(request)
    attempt = await latest(visitor_of(request).browser, Purpose.SIGN_IN)
    if attempt is None or attempt.used_at:
        return go(request, "/sign-in")
    if "again" in fields:
        outside = (attempt.outside_issuer, attempt.outside_identifier)
        wait = await ask_for_code(
            request, attempt.email, purpose=Purpose.SIGN_IN, next_path=attempt.next_path, outside=outside
        )
        return code_page(request, attempt, wait=wait, status=429) if wait else go(request, "/sign-in/code")
    typed = fields.get("code", "")
    code = six_digits(typed)
    if not code or not lives(request, attempt):
        return code_page(request, attempt, typed=typed, malformed=not code, status=422)
    if wait := may_guess(request, attempt.email):
        return code_page(request, attempt, typed=typed, guess_at=wait, status=429)
    entry = entry_of(request)
    found = await enter_by_code(code, entry)
    if isinstance(found, Attempt):
        await let_in(request, entry)
        return go(request, found.next_path)
    return code_page(request, attempt, typed=typed, tries_left=_left(found), status=422)


@get("/sign-in/link/{token:str}")
async def show_link(request: Req, token: FromPath[str]) -> Template:
    """Show a button, or in another browser the field for the code. Nothing is used up by looking."""
    attempt = await by_token(token, settings_of(request))
    return link_page(request, attempt)


@post("/sign-in/link/{token:str}", status_code=200)
async def press_link(request: Req, token: FromPath[str]) -> Template | Redirect:
    """Sign in with the link, in another browser together with the code."""
    fields = await form(request)
    attempt = await by_token(token, settings_of(request))
    if attempt is None or not lives(request, attempt):
        return link_page(request, attempt)
    typed = fields.get("code", "")
    code = six_digits(typed)
    if not _asked_here(request, attempt):
        if not code:
            return link_page(request, attempt, typed=typed, malformed=True, status=422)
        if wait := may_guess(request, attempt.email):
            return link_page(request, attempt, typed=typed, guess_at=wait, status=429)
    entry = entry_of(request)
    found = await enter_by_link(token, code, entry)
    if isinstance(found, Attempt):
        await let_in(request, entry)
        return go(request, found.next_path)
    return link_page(request, attempt if found else None, typed=typed, tries_left=_left(found), status=422)


@post("/sign-out", status_code=200)
async def sign_out(request: Req) -> Redirect:
    """End this session and take the cookie away."""
    visitor = visitor_of(request)
    if visitor.signed_in:
        await form(request)
        await end_session(visitor.signed.id, visitor.subject_id, at=now(request))
        visitor.cookie.drop()
    return go(request, "/signed-out")


@get("/signed-out")
async def signed_out(request: Req) -> Template:
    """Say that it is done."""
    return page(request, "identity/signed_out.html")


def code_page(
    request: Req, attempt: Attempt, *, typed: str = "", malformed: bool = False, tries_left: int | None = None,
    wait: datetime | None = None, guess_at: datetime | None = None, status: int = 200,
) -> Template:  # fmt: skip
    """Show where the code is typed. `wait`: when codes are sent again; `guess_at`: when one may be typed again."""
    answer = page(
        request, "identity/code.html", status=status,
        attempt=attempt, typed=typed, malformed=malformed, tries_left=tries_left, wait=wait, guess_at=guess_at,
        living=lives(request, attempt) and tries_left != 0,
        expired=now(request) >= attempt.expires_at,
        with_code=Way.CODE in policy_of(request).sign_in.ways,
    )  # fmt: skip
    return later(answer, wait or guess_at, request)


def link_page(
    request: Req, attempt: Attempt | None, *, typed: str = "", malformed: bool = False, tries_left: int | None = None,
    guess_at: datetime | None = None, status: int = 200,
) -> Template:  # fmt: skip
    """Show what a link can do here; one that is used, over or unknown looks the same: 410 Gone."""
    if attempt is None or not lives(request, attempt) or tries_left == 0:
        return page(request, "identity/link_gone.html", status=410)
    answer = page(
        request, "identity/link.html", status=status,
        here_asked=_asked_here(request, attempt), typed=typed, malformed=malformed, tries_left=tries_left,
        guess_at=guess_at, expires_at=attempt.expires_at, with_code=Way.CODE in policy_of(request).sign_in.ways,
    )  # fmt: skip
    return later(answer, guess_at, request)


def six_digits(typed: str) -> str:
    """Return the six digits of what was typed or pasted, or nothing."""
    found = SPACES.sub("", typed)
    return found if DIGITS.fullmatch(found) else ""


async def _just_asked(request: Req, email: str) -> bool:
    """True after a second click on the same button: the first one's mail is on its way."""
    attempt = await latest(visitor_of(request).browser, Purpose.SIGN_IN)
    same = attempt is not None and attempt.email == email and lives(request, attempt)
    return attempt is not None and same and now(request) - attempt.created_at < ASK_AGAIN.within


def _asked_here(request: Req, attempt: Attempt) -> bool:
    return hmac.compare_digest(attempt.browser, visitor_of(request).browser)


def _left(found: Wrong | None) -> int:
    return found.tries_left if found else 0


routes = [show_sign_in, ask_to_sign_in, show_code, type_code, show_link, press_link, sign_out, signed_out]

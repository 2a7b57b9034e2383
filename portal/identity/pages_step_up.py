"""Confirm once more that it is you, before something leaves or is lost.

Always true here: the code is sent to the address of the session, is good for this only, and the session goes on
under a new cookie id to the same end as before.
"""

from datetime import datetime, timedelta

from litestar import get, post
from litestar.response import Redirect, Template

from portal.identity.asking import ask_for_code, entry_of, later, lives, living, may_guess
from portal.identity.forms import form, local
from portal.identity.links import Attempt, Purpose
from portal.identity.pages_sign_in import six_digits
from portal.identity.sign_in import confirm_by_code
from portal.identity.visitor import Visitor, need_session
from portal.web import Req, go, now, page, policy_of

PATH = "/step-up"


@get(PATH)
async def show_step_up(request: Req) -> Template | Redirect:
    """Offer to send a code, or ask for the one that was sent; whoever is confirmed already goes on."""
    next_path = local(request.query_params.get("next", "/"))
    visitor = need_session(request, back=next_path)
    if _fresh(request, visitor):
        return go(request, next_path)
    return step_up_page(request, await living(request, Purpose.STEP_UP), next_path)


@post(PATH, status_code=200)
async def step_up(request: Req) -> Template | Redirect:
    """Have a code sent, or confirm with it."""
    visitor = need_session(request, back=PATH)
    fields = await form(request)
    next_path, typed = local(fields.get("next", "/")), fields.get("code", "")
    attempt = await living(request, Purpose.STEP_UP)
    if "again" in fields:
        wait = await ask_for_code(request, visitor.email, purpose=Purpose.STEP_UP, next_path=next_path)
        attempt = await living(request, Purpose.STEP_UP)
        return step_up_page(request, attempt, next_path, wait=wait, status=429 if wait else 200)
    code = six_digits(typed)
    if attempt is None or not code:
        return step_up_page(request, attempt, next_path, typed=typed, malformed=not code, status=422)
    if wait := may_guess(request, visitor.email):
        return step_up_page(request, attempt, next_path, typed=typed, guess_at=wait, status=429)
    entry = entry_of(request)
    found = await confirm_by_code(code, visitor.signed, entry)
    if isinstance(found, Attempt):
        left = visitor.signed.expires_at - entry.at
        visitor.cookie.become(entry.cookie_id, seconds=int(left.total_seconds()))
        return go(request, next_path)
    return step_up_page(
        request, attempt, next_path, typed=typed, tries_left=found.tries_left if found else 0, status=422
    )


def step_up_page(
    request: Req, attempt: Attempt | None, next_path: str, *, typed: str = "", malformed: bool = False,
    tries_left: int | None = None, wait: datetime | None = None, guess_at: datetime | None = None, status: int = 200,
) -> Template:  # fmt: skip
    """Show the page: a button when no code is under way, else the field."""
    answer = page(
        request, "identity/step_up.html", status=status,
        attempt=attempt, next=next_path, typed=typed, malformed=malformed, tries_left=tries_left, wait=wait,
        guess_at=guess_at, living=attempt is not None and lives(request, attempt) and tries_left != 0,
        minutes=policy_of(request).sign_in.step_up_minutes,
    )  # fmt: skip
    return later(answer, wait or guess_at, request)


def _fresh(request: Req, visitor: Visitor) -> bool:
    window = timedelta(minutes=policy_of(request).sign_in.step_up_minutes)
    return now(request) - visitor.signed.confirmed_at < window


routes = [show_step_up, step_up]

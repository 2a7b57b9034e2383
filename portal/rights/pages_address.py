"""Change the address to sign in with: type the new one, type the code from it; at the old one, cancel or confirm.

Always true here: what is answered never depends on whether an address is known; opening a link changes nothing; the
old address needs no sign-in.
"""

from contextlib import suppress
from datetime import datetime
from typing import Literal

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from portal.errors import Invalid, NotFound
from portal.identity.asking import ask_for_code, later, lives, living, may_guess
from portal.identity.links import Attempt, Purpose, Wrong
from portal.identity.pages_sign_in import six_digits
from portal.identity.visitor import form, need_fresh, need_session
from portal.rights.address_change import ChangedLately, another, begin, need_change, prove
from portal.rights.address_old import confirm_old, keep_old
from portal.rights.address_rows import ChangeView, by_token
from portal.rights.out_of_use import OutOfUse
from portal.web import Req, go, language_of, now, page, policy_of, settings_of

CODE = "/address/code"
type Said = Literal["", "kept", "confirmed", "late"]


@get("/address")
async def show_address(request: Req) -> Template:
    """Ask for the new address, once the person has shown that it is them."""
    visitor = need_fresh(request)
    refusal = await _refusal(request)
    return _ask(request, visitor.email, refusal=refusal)


@post("/address", status_code=200)
async def ask_for_address(request: Req) -> Template | Redirect:
    """Warn the present address and send a code to the new one: the same for every address."""
    visitor = need_fresh(request, back="/address")
    typed = (await form(request)).get("email", "")
    if refusal := await _refusal(request):
        return _ask(request, visitor.email, typed=typed, refusal=refusal)
    try:
        email = another(typed, visitor.email)
    except Invalid as wrong:
        return _ask(request, visitor.email, typed=typed, wrong=wrong.sentence)
    if wait := await ask_for_code(request, email, purpose=Purpose.ADDRESS, next_path=CODE):
        return _ask(request, visitor.email, typed=typed, wait=wait)
    await begin(
        visitor.signed, email, language=language_of(request), policy=policy_of(request),
        settings=settings_of(request), at=now(request),
    )  # fmt: skip
    return go(request, CODE)


@get(CODE)
async def show_code(request: Req) -> Template | Redirect:
    """Ask for the code that went to the new address."""
    need_session(request)
    attempt = await living(request, Purpose.ADDRESS)
    return _code(request, attempt) if attempt else go(request, "/address")


@post(CODE, status_code=200)
async def type_code(request: Req) -> Template | Redirect:
    """Begin the change with the right code, typed in the browser that asked."""
    visitor = need_session(request, back=CODE)
    typed = (await form(request)).get("code", "")
    attempt, code = await living(request, Purpose.ADDRESS), six_digits(typed)
    if attempt is None:
        return go(request, "/address")
    if not code:
        return _code(request, attempt, typed=typed, malformed=True, status=422)
    if wait := may_guess(request, attempt.email):
        return _code(request, attempt, typed=typed, guess_at=wait, status=429)
    found = await prove(
        code, visitor.signed, browser=visitor.browser, language=language_of(request), policy=policy_of(request),
        settings=settings_of(request), at=now(request),
    )  # fmt: skip
    if found is None:
        return go(request, "/address")
    if isinstance(found, Wrong):
        return _code(request, attempt, typed=typed, tries_left=found.tries_left, status=422)
    return go(request, f"/requests/{found.reference}")


@get("/address/old/{token:str}")
async def show_old(request: Req, token: FromPath[str]) -> Template:
    """Show what the old address can do. Nothing changes by looking."""
    return await _old(request, token, "")


@post("/address/old/{token:str}", status_code=200)
async def press_old(request: Req, token: FromPath[str]) -> Template:
    """Keep the old address, or say that the change is right, without a sign-in."""
    wanted = (await form(request)).get("do", "")
    policy, settings, at = policy_of(request), settings_of(request), now(request)
    said: Said = ""
    with suppress(NotFound):
        if wanted == "keep":
            said = "kept" if await keep_old(token, policy=policy, settings=settings, at=at) else "late"
        elif wanted == "confirm":
            said = "confirmed" if await confirm_old(token, settings=settings, at=at) else "late"
    return await _old(request, token, said)


async def _refusal(request: Req) -> str:
    """Return why the address cannot be changed now, or nothing. Raises: NotFound, when the policy lets nobody."""
    try:
        await need_change(need_session(request).subject_id, policy_of(request), at=now(request))
    except (ChangedLately, OutOfUse) as refused:
        return refused.sentence
    return ""


def _ask(
    request: Req, present: str, *, typed: str = "", wrong: str = "", refusal: str = "", wait: datetime | None = None
) -> Template:
    status = 422 if wrong else 409 if refusal else 429 if wait else 200
    answer = page(
        request, "rights/correct_address.html", status=status, present=present, typed=typed, wrong=wrong,
        refusal=refusal, wait=wait,
    )  # fmt: skip
    return later(answer, wait, request)


def _code(
    request: Req, attempt: Attempt, *, typed: str = "", malformed: bool = False, tries_left: int | None = None,
    guess_at: datetime | None = None, status: int = 200,
) -> Template:  # fmt: skip
    answer = page(
        request, "rights/correct_address_code.html", status=status, attempt=attempt, typed=typed,
        malformed=malformed, tries_left=tries_left, guess_at=guess_at,
        living=lives(request, attempt) and tries_left != 0,
    )  # fmt: skip
    return later(answer, guess_at, request)


async def _old(request: Req, token: str, said: Said) -> Template:
    """Show a change to its old address; a link that is over or unknown looks the same: 410 Gone."""
    change: ChangeView | None = None
    with suppress(NotFound):
        change = await by_token(token, settings_of(request))
    at = now(request)
    cancel, confirm = (change.can_cancel(at), change.can_confirm(at)) if change else (False, False)
    over = not said and not cancel and not confirm
    return page(
        request, "rights/correct_address_old.html", status=410 if over or said == "late" else 200, change=change,
        cancel=cancel, confirm=confirm, said=said, over=over,
    )  # fmt: skip


routes: list[ControllerRouterHandler] = [show_address, ask_for_address, show_code, type_code, show_old, press_old]

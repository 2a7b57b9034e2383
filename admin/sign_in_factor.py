"""The second factor, at the door and once more in front of what matters most.

Always true here: a session opens nothing, or nothing of what matters most, before a passkey or a recovery code was
shown; after each time it has a new token.
"""

from litestar import get, post
from litestar.response import Redirect, Template

from admin import passkeys, recovery
from admin.openid import sign_on_name
from admin.openid_people import bound
from admin.people_notices import Office, tell
from admin.people_words import Change
from admin.sign_in import confirm
from admin.sign_in_pages import DESK, next_of
from admin.tables import StaffSession
from admin.who import COOKIE, StaffSignInNeeded, give_session, need_self, on_to, staff_of
from portal.database import engine
from portal.errors import Invalid, TooManyTries
from portal.evidence.log import append
from portal.identity.forms import form
from portal.identity.limits import GUESS_ADDRESS, GUESS_PEER
from portal.identity.mount import limits_of
from portal.identity.visitor import visitor_of
from portal.web import Req, go, now, page, policy_of, settings_of

FACTOR, CONFIRM = "/staff/factor", "/staff/confirm"


@get(FACTOR)
async def show_factor(request: Req) -> Template | Redirect:
    """Ask for the second factor; whoever is signed in already goes on, whoever showed no first one goes back."""
    next_path = next_of(request.query_params.get("next", DESK))
    user = await _halfway(request)
    if user is not None:
        return await factor_page(request, user, FACTOR, next_path)
    staff = await staff_of(request)
    return go(request, (staff.home if next_path == DESK else next_path) if staff else "/staff/sign-in")


@post(FACTOR, status_code=200)
async def show_second(request: Req) -> Template | Redirect:
    """Sign in with the second factor.

    Raises:
        StaffSignInNeeded: nobody has shown a first factor here, or it was too long ago.
    """
    fields = await form(request)
    next_path, user = next_of(fields.get("next", DESK)), await _halfway(request)
    if user is None:
        raise StaffSignInNeeded(next_path)
    return await _shown(request, user, FACTOR, next_path, fields.get("passkey", ""), fields.get("code", ""))


@get(CONFIRM)
async def show_confirm(request: Req) -> Template | Redirect:
    """Ask for the second factor again; whoever has just shown it goes on."""
    next_path = next_of(request.query_params.get("next", DESK))
    staff = await need_self(request, back=next_path)
    return (
        go(request, next_path)
        if staff.fresh(now(request))
        else await factor_page(request, staff.id, CONFIRM, next_path)
    )


@post(CONFIRM, status_code=200)
async def confirm_again(request: Req) -> Template | Redirect:
    """Confirm the session with the second factor."""
    staff = await need_self(request, back=CONFIRM)
    fields = await form(request)
    next_path = next_of(fields.get("next", DESK))
    return await _shown(request, staff.id, CONFIRM, next_path, fields.get("passkey", ""), fields.get("code", ""))


async def factor_page(
    request: Req, user: int, path: str, next_path: str, *, wrong: Invalid | None = None, typed: str = "",
    trouble: str = "", status: int = 200,
) -> Template:  # fmt: skip
    """Show the ways to show a second factor. `wrong` is about one of them, `trouble` about the single sign-on."""
    has_passkey = bool(await passkeys.passkeys_of(user)) and passkeys.usable(settings_of(request))
    return page(
        request, "staff/factor.html", status=status, path=path, confirming=path == CONFIRM, next=next_path,
        options=await passkeys.offer_using(asker_of(request, user)) if has_passkey else "",
        codes_left=await recovery.left(user), wrong=wrong, typed=typed, trouble=trouble,
        single_sign_on=sign_on_name(request) if await bound(user) else "",
    )  # fmt: skip


def asker_of(request: Req, user: int) -> passkeys.Asker:
    """Return who is asked for a passkey, in this browser."""
    return passkeys.Asker(
        user=user, browser=visitor_of(request).browser, settings=settings_of(request), at=now(request)
    )


def office_of(request: Req) -> Office:
    """Return whose staff it is."""
    return Office(policy_of(request), settings_of(request))


async def _halfway(request: Req) -> int | None:
    token = request.cookies.get(COOKIE, "")
    return await StaffSession.half(token, at=now(request)) if token else None


async def _shown(request: Req, user: int, path: str, next_path: str, passkey: str, code: str) -> Template | Redirect:
    """Check what was shown, and open or confirm the session."""
    try:
        if not passkey:
            _slow_down(request, user)
        token = await (_by_passkey if passkey else _by_code)(request, user, path, passkey or code)
    except Invalid as wrong:
        return await factor_page(request, user, path, next_path, wrong=wrong, typed=code, status=wrong.status)
    if token is None:
        raise StaffSignInNeeded(next_path)
    answer = go(request, await on_to(token, next_path, at=now(request)))
    give_session(request, answer, token)
    return answer


async def _by_passkey(request: Req, user: int, path: str, passkey: str) -> str | None:
    await passkeys.check_used(asker_of(request, user), passkey)
    async with engine().transaction():
        token = await confirm(
            request.cookies.get(COOKIE, ""), user, way="passkey", begins=path == FACTOR, at=now(request)
        )
    return token  # noqa: RET504  mypy believes that a transaction may swallow what is raised in it


async def _by_code(request: Req, user: int, path: str, code: str) -> str | None:
    at = now(request)
    async with engine().transaction():
        if not await recovery.use(user, code, settings=settings_of(request), at=at):
            raise Invalid("This is none of your recovery codes, or it was used already.", field="code")
        token = await confirm(request.cookies.get(COOKIE, ""), user, way="recovery-code", begins=path == FACTOR, at=at)
        await append("staff:recovery:used", at=at, actor=f"staff:{user}", details={"left": await recovery.left(user)})
        await tell(user, Change.CODE_USED, office=office_of(request), at=at)
    return token


def _slow_down(request: Req, user: int) -> None:
    """Count a try of a recovery code. Raises: TooManyTries."""
    limits = limits_of(request)
    if until := limits.take((GUESS_PEER, limits.peer(request)), (GUESS_ADDRESS, f"recovery {user}")):
        raise TooManyTries(until)


routes = [show_factor, show_second, show_confirm, confirm_again]

"""The way in through the organisation's single sign-on, and the ways to bind it.

Always true here: whoever the provider vouches for and nobody has bound gets nothing, and is told no more than that; an
identity is bound only while an invitation is accepted or from inside a session with a fresh second factor.
"""

from datetime import datetime
from uuid import UUID

import structlog
from litestar import get, post
from litestar.response import Redirect, Template

from admin import openid_people as identities
from admin.invitation_pages import let_in
from admin.invitations import accept, invited_as, invited_by
from admin.me_pages import me_page
from admin.openid import BACK, STAFF, sign_on_of
from admin.people_notices import ME, tell
from admin.people_words import Change
from admin.sign_in import confirm, started
from admin.sign_in_factor import CONFIRM, factor_page, office_of
from admin.sign_in_pages import DESK, Token, door_of, next_of, sign_in_page
from admin.tables import StaffSession
from admin.who import COOKIE, FRESH, give_session, need_self, on_to, staff_of
from portal.database import engine
from portal.errors import Invalid, NotFound
from portal.evidence.log import append
from portal.identity.forms import form
from portal.identity.id_token import IdentityRefused, Verified
from portal.identity.limits import OUTSIDE_ALL, OUTSIDE_PEER
from portal.identity.mount import limits_of
from portal.identity.openid import Answered
from portal.identity.visitor import visitor_of
from portal.web import Req, go, language_of, now, words_of

log = structlog.get_logger()
ENTER, AGAIN, ACCEPT, BIND = "enter", "confirm", "accept", "bind"
"""What somebody went to the provider for; kept on our side, with where they go on to."""


@post("/staff/sso", status_code=200)
async def begin_to_enter(request: Req) -> Template | Redirect:
    """Send somebody at the door to the provider."""
    return await _leave(request, f"{ENTER} {next_of((await form(request)).get('next', DESK))}")


@post("/staff/confirm/sso", status_code=200)
async def begin_to_confirm(request: Req) -> Template | Redirect:
    """Send somebody to the provider to prove anew who they are."""
    await need_self(request, back=CONFIRM)
    return await _leave(request, f"{AGAIN} {next_of((await form(request)).get('next', DESK))}", again=True)


@post("/staff/invitation/{token:str}/sso", status_code=200)
async def begin_to_accept(request: Req, token: Token) -> Template | Redirect:
    """Send somebody who was invited to the provider."""
    await form(request)
    invited = await invited_by(token, at=now(request))
    return await _leave(request, f"{ACCEPT} {invited.id}") if invited else await let_in(request, None, token)


@post(f"{ME}/single-sign-on", status_code=200)
async def begin_to_bind(request: Req) -> Template | Redirect:
    """Send a member of staff to the provider, to bind who they are there."""
    await need_self(request, fresh=True, back=ME)
    await form(request)
    return await _leave(request, f"{BIND} {ME}")


@get(BACK)
async def come_back(request: Req) -> Template | Redirect:
    """Take the provider's answer."""
    if STAFF not in sign_on_of(request).providers:
        raise NotFound
    try:
        answered = await sign_on_of(request).finish(
            STAFF, dict(request.query_params.items()), browser=visitor_of(request).browser
        )
    except IdentityRefused as refused:
        return await _refused(request, refused)
    what, _, rest = answered.next_path.partition(" ")
    if what == ACCEPT:
        return await _accept(request, answered, rest)
    if what == BIND:
        return await _bind(request, answered.who)
    return await (_again if what == AGAIN else _enter)(request, answered.who, rest)


async def _enter(request: Req, who: Verified, next_path: str) -> Template | Redirect:
    """Open a session. It counts as confirmed from when the provider says that they proved who they are."""
    user, at = await identities.user_of(who), now(request)
    if user is None:
        return await _refused(request, IdentityRefused("unbound"))
    async with engine().transaction():
        session = await StaffSession.begin(
            user, at=at, confirmed=True, shown_at=_shown(who, at), label=door_of(request).label
        )
        await started(user, way="single-sign-on", begins=True, at=at)
    return await _in(request, session, next_path)


async def _again(request: Req, who: Verified, next_path: str) -> Template | Redirect:
    """Confirm the session, when it is the same person and they proved it anew."""
    staff, at = await need_self(request, back=next_path), now(request)
    if await identities.user_of(who) != staff.id or at - _shown(who, at) >= FRESH:
        return await _refused(request, IdentityRefused("not-anew"))
    async with engine().transaction():
        token = await confirm(request.cookies.get(COOKIE, ""), staff.id, way="single-sign-on", begins=False, at=at)
    return await _in(request, token, next_path) if token else go(request, "/staff/sign-in")


async def _accept(request: Req, answered: Answered, id: str) -> Template | Redirect:
    invited = await invited_as(UUID(id), at=now(request))
    if invited is None:
        return await let_in(request, None, "")
    try:
        accepted = await accept(
            invited, name=invited.name, keys=answered.who, called="", label=door_of(request).label,
            office=office_of(request), at=now(request),
        )  # fmt: skip
    except Invalid as wrong:
        return sign_in_page(request, trouble=words_of(request)(wrong.sentence), status=wrong.status)
    return await let_in(request, accepted, "")


async def _bind(request: Req, who: Verified) -> Template | Redirect:
    staff, at = await need_self(request, fresh=True, back=ME), now(request)
    try:
        async with engine().transaction():
            await identities.bind(staff.id, who, at=at)
            await append("staff:identity:added", at=at, actor=staff.actor)
            await tell(staff.id, Change.IDENTITY_ADDED, office=office_of(request), at=at)
    except Invalid as wrong:
        return await me_page(request, staff, wrong=wrong.sentence, status=wrong.status)
    return go(request, ME)


async def _leave(request: Req, what: str, *, again: bool = False) -> Template | Redirect:
    """Send the browser to the provider. Raises: NotFound, when there is none."""
    sign_on, limits = sign_on_of(request), limits_of(request)
    if STAFF not in sign_on.providers:
        raise NotFound
    if wait := limits.take((OUTSIDE_ALL, ""), (OUTSIDE_PEER, limits.peer(request))):
        return sign_in_page(request, wait=wait, status=429)
    browser, language = visitor_of(request).browser, language_of(request)
    try:
        address = await sign_on.begin(STAFF, browser=browser, language=language, next_path=what, again=again)
    except IdentityRefused as refused:
        return await _refused(request, refused)
    return Redirect(address, status_code=303)


async def _refused(request: Req, refused: IdentityRefused) -> Template:
    """Say that it did not work, where they came from."""
    log.info("staff sign-in refused", reason=refused.reason)
    words = words_of(request)
    sentence = {
        "denied": words("You did not go through with it there, so nothing has happened."),
        "unreachable": words("The single sign-on does not answer at the moment."),
        "unbound": words("The single sign-on knows you, but you are not bound to a member of staff here."),
    }.get(refused.reason, words("The single sign-on did not work. Try again, or take another way."))
    status = 503 if refused.reason == "unreachable" else 403
    if staff := await staff_of(request):
        return await factor_page(request, staff.id, CONFIRM, DESK, trouble=sentence, status=status)
    return sign_in_page(request, trouble=sentence, status=status)


async def _in(request: Req, session: str, next_path: str) -> Redirect:
    answer = go(request, await on_to(session, next_of(next_path), at=now(request)))
    give_session(request, answer, session)
    return answer


def _shown(who: Verified, at: datetime) -> datetime:
    """Return when they proved who they are; a provider that does not say counts as long ago."""
    return min(who.authenticated_at, at) if who.authenticated_at else at - FRESH


routes = [begin_to_enter, begin_to_confirm, begin_to_accept, begin_to_bind, come_back]

"""A member of staff's own page: their passkeys, recovery codes, single sign-on and open sessions.

Always true here: whoever adds or removes a key has shown one just now; nobody removes the last key that they have; the
new recovery codes are in the answer that makes them, and never again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from admin import openid_people as identities
from admin import passkeys, recovery
from admin.nav import staff_page
from admin.openid import sign_on_name
from admin.people_notices import ME, tell
from admin.people_words import Change, roles_in_words
from admin.sign_in_factor import asker_of, office_of
from admin.tables import LONGEST, StaffSession, StaffUser, hashed
from admin.who import COOKIE, Staff, need_self
from portal.database import engine
from portal.errors import Invalid, NotFound
from portal.evidence.log import append
from portal.identity.forms import form
from portal.web import Req, go, now, page, policy_of, settings_of, words_of

NEW_PASSKEY = f"{ME}/passkeys/new"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """One open session, as its owner sees it."""

    label: str
    began_at: datetime
    current: bool


@get(ME)
async def show_me(request: Req) -> Template:
    """Show what somebody gets in with and where they are signed in."""
    return await me_page(request, await need_self(request))


@get(NEW_PASSKEY)
async def show_new_passkey(request: Req) -> Template:
    """Offer to make one more passkey."""
    staff = await need_self(request, fresh=True)
    return await _making_page(request, staff)


@post(NEW_PASSKEY, status_code=200)
async def add_passkey(request: Req) -> Template | Redirect:
    """Keep one more passkey."""
    staff = await need_self(request, fresh=True, back=NEW_PASSKEY)
    fields, at = await form(request), now(request)
    try:
        made = await passkeys.check_made(asker_of(request, staff.id), fields.get("passkey", ""))
        async with engine().transaction():
            await passkeys.keep_made(made, staff.id, name=fields.get("called", ""), at=at)
            await _note(request, staff, "staff:passkey:added", Change.PASSKEY_ADDED)
    except Invalid as wrong:
        return await _making_page(request, staff, wrong=wrong)
    return go(request, ME)


@post(f"{ME}/passkeys/{{id:uuid}}/remove", status_code=200)
async def remove_passkey(request: Req, id: FromPath[UUID]) -> Template | Redirect:
    """Remove a passkey, unless it is the last thing that somebody gets in with."""
    staff = await need_self(request, fresh=True, back=ME)
    await form(request)
    try:
        async with engine().transaction():
            await _hold(staff)
            if not await passkeys.remove(id, staff.id):
                raise NotFound
            await _keep_one(staff)
            await _note(request, staff, "staff:passkey:removed", Change.PASSKEY_REMOVED)
    except Invalid as wrong:
        return await me_page(request, staff, wrong=wrong.sentence, status=wrong.status)
    return go(request, ME)


@post(f"{ME}/codes", status_code=200)
async def new_codes(request: Req) -> Template:
    """Make ten new recovery codes and show them, once."""
    staff = await need_self(request, fresh=True, back=ME)
    await form(request)
    async with engine().transaction():
        codes = await recovery.replace(staff.id, settings=settings_of(request), at=now(request))
        await _note(request, staff, "staff:recovery:replaced", Change.CODES_NEW)
    return codes_page(request, codes)


@post(f"{ME}/single-sign-on/remove", status_code=200)
async def forget_single_sign_on(request: Req) -> Template | Redirect:
    """Forget the identity of the single sign-on, unless it is the last thing that somebody gets in with."""
    staff = await need_self(request, fresh=True, back=ME)
    await form(request)
    try:
        async with engine().transaction():
            await _hold(staff)
            if await identities.unbind(staff.id):
                await _keep_one(staff)
                await _note(request, staff, "staff:identity:removed", Change.IDENTITY_REMOVED)
    except Invalid as wrong:
        return await me_page(request, staff, wrong=wrong.sentence, status=wrong.status)
    return go(request, ME)


@post(f"{ME}/sessions/end-others", status_code=200)
async def end_others(request: Req) -> Redirect:
    """End all sessions but this one."""
    staff = await need_self(request, back=ME)
    await form(request)
    async with engine().transaction():
        await StaffSession.end_all(staff.id, keep=request.cookies.get(COOKIE, ""))
        await append("staff:sessions:ended", at=now(request), actor=staff.actor, details={"staff": staff.id})
    return go(request, ME)


async def me_page(request: Req, staff: Staff, *, wrong: str = "", status: int = 200) -> Template:
    """Show somebody their own page."""
    names = roles_in_words(words_of(request))
    return staff_page(
        request, staff, "staff/me.html", status=status, wrong=wrong,
        keys=await passkeys.passkeys_of(staff.id), codes_left=await recovery.left(staff.id),
        bound=await identities.bound(staff.id), single_sign_on=sign_on_name(request),
        sessions=await _sessions(request, staff), roles=[names[role][0] for role in names if role in staff.roles],
    )  # fmt: skip


def codes_page(request: Req, codes: Sequence[str]) -> Template:
    """Show new recovery codes, to be printed. They are in this answer and nowhere else."""
    return page(request, "staff/factor_codes.html", codes=codes)


async def _making_page(request: Req, staff: Staff, *, wrong: Invalid | None = None) -> Template:
    options = await passkeys.offer_making(
        asker_of(request, staff.id), email=staff.email, name=staff.name, organisation=policy_of(request).controller.name
    )
    return staff_page(
        request, staff, "staff/factor_new.html", status=wrong.status if wrong else 200, options=options, wrong=wrong,
        usable=passkeys.usable(settings_of(request)),
    )  # fmt: skip


async def _hold(staff: Staff) -> None:
    """Let nobody else change this person's keys until the transaction ends: two windows must not remove two keys."""
    await StaffUser.select(StaffUser.id).where(StaffUser.id == staff.id).lock_rows("UPDATE")


async def _keep_one(staff: Staff) -> None:
    """Raises: Invalid, when somebody would have nothing left but codes on paper."""
    if not (await passkeys.passkeys_of(staff.id) or await identities.bound(staff.id)):
        raise Invalid("This is your last key. Add another one first.")


async def _note(request: Req, staff: Staff, event: str, change: Change) -> None:
    at = now(request)
    await append(event, at=at, actor=staff.actor)
    await tell(staff.id, change, office=office_of(request), at=at)


async def _sessions(request: Req, staff: Staff) -> list[Opened]:
    at = now(request).replace(tzinfo=None)
    rows = await (
        StaffSession.select(StaffSession.token, StaffSession.label, StaffSession.max_expiry_date)
        .where(
            StaffSession.user_id == staff.id, StaffSession.confirmed_at.is_not_null(),
            StaffSession.expiry_date > at, StaffSession.max_expiry_date > at,
        )
        .order_by(StaffSession.max_expiry_date, ascending=False)
    )  # fmt: skip
    mine = hashed(request.cookies.get(COOKIE, ""))
    return [
        Opened(label=row["label"], began_at=_aware(row["max_expiry_date"] - LONGEST), current=row["token"] == mine)
        for row in rows
    ]


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC)


routes = [
    show_me, show_new_passkey, add_passkey, remove_passkey, new_codes, forget_single_sign_on, end_others,
]  # fmt: skip

"""How staff get in: a code or link by e-mail first, which opens nothing, then a passkey or a recovery code.

Always true here: no answer tells whether an address belongs to a member of staff; whoever has only a mailbox gets no
further than the question for the second factor.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from admin.invitations import can_sign_in
from admin.recovery import left
from admin.roles import Role
from admin.tables import StaffSession, StaffUser
from portal.database import engine
from portal.evidence.log import append
from portal.identity.links import Attempt, Purpose, Wrong, ask, use_code
from portal.identity.links import use_link as use_mailed_link
from portal.settings import Settings

SEND = "staff.send"
LIFE = timedelta(minutes=15)
TRIES = 5


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """The browser at the door: the hash that stands for it, and what its owner would call it."""

    browser: str
    label: str
    settings: Settings
    at: datetime


class Halfway(msgspec.Struct, frozen=True):
    """Somebody has shown the first factor: the token of a session that opens nothing yet, and where they were going."""

    session: str
    next_path: str


async def ask_for_code(email: str, door: Door, *, language: str, next_path: str) -> None:
    """Have a code and a link sent to a normalised address, if it is a member's. Takes as long either way."""
    await ask(
        email, browser=door.browser, purpose=Purpose.STAFF, language=language, next_path=next_path, life=LIFE,
        settings=door.settings, at=door.at, job=SEND,
    )  # fmt: skip


async def enter_by_code(code: str, door: Door) -> Halfway | Wrong | None:
    """Show the first factor by the code, in the browser that asked. None when there is nothing left to try."""
    async with engine().transaction():
        found = await use_code(
            code, browser=door.browser, purpose=Purpose.STAFF, tries=TRIES, settings=door.settings, at=door.at
        )
        entered = await _admit(found, door)
    return entered  # noqa: RET504  mypy believes that a transaction may swallow what is raised in it


async def enter_by_link(token: str, code: str, door: Door) -> Halfway | Wrong | None:
    """Show the first factor by the link, in a browser that did not ask for it with the code as well."""
    async with engine().transaction():
        found = await use_mailed_link(
            token, code, browser=door.browser, tries=TRIES, settings=door.settings, at=door.at, purpose=Purpose.STAFF
        )
        entered = await _admit(found, door)
    return entered  # noqa: RET504  mypy believes that a transaction may swallow what is raised in it


async def member_behind(email: str) -> int | None:
    """Return the active member of staff with this address who has something to show as a second factor."""
    row = await StaffUser.select(StaffUser.id).where(StaffUser.email == email, StaffUser.active.eq(True)).first()
    if row and (await can_sign_in(row["id"]) or await left(row["id"])):
        return int(row["id"])
    return None


async def confirm(token: str, user: int, *, way: str, begins: bool, at: datetime) -> str | None:
    """Note that the second factor was shown, in the caller's transaction. Returns the session's new token.

    `begins`: they were at the door; otherwise they confirmed a session that was open. None: it is over meanwhile.
    """
    new = await StaffSession.confirm(token, at=at)
    if new:
        await started(user, way=way, begins=begins, at=at)
    return new


async def started(user: int, *, way: str, begins: bool, at: datetime) -> None:
    """Note that a session began, or was confirmed, in the caller's transaction."""
    if begins:
        await StaffUser.update({StaffUser.last_login: at.replace(tzinfo=None)}).where(StaffUser.id == user)
    event = "staff:session:started" if begins else "staff:session:confirmed"
    await append(event, at=at, actor=f"staff:{user}", details={"way": way})


async def sign_out(token: str, user: int, *, at: datetime) -> None:
    """End a session."""
    async with engine().transaction():
        await StaffSession.end(token)
        await append("staff:session:ended", at=at, actor=f"staff:{user}")


async def _admit(found: Attempt | Wrong | None, door: Door) -> Halfway | Wrong | None:
    if not isinstance(found, Attempt):
        return found
    user = await member_behind(found.email)
    if user is None:
        return None
    session = await StaffSession.begin(user, at=door.at, confirmed=False, label=door.label)
    return Halfway(session, found.next_path)


async def make_link(email: str, *, at: datetime, roles: Sequence[Role] = (Role.DPO,)) -> str:
    """Return what `use_link` opens a session with, for the demo and the tests; nothing of the product calls it.

    Whoever `email` is becomes a member of staff with `roles` if they are not one yet.
    """
    address = email.strip().lower()
    async with engine().transaction():
        user = await StaffUser.objects().get_or_create(
            StaffUser.username == address,
            {StaffUser.email: address, StaffUser.active: True, StaffUser.admin: True,
             StaffUser.roles: [str(role) for role in roles]},
        )  # fmt: skip
        token = await StaffSession.begin(user.id, at=at, confirmed=False)
    return token  # noqa: RET504  mypy believes that a transaction may swallow what is raised in it


async def use_link(token: str, *, at: datetime) -> str | None:
    """Return the token of a session whose second factor counts as shown just now, for the demo and the tests."""
    return await StaffSession.confirm(token, at=at)

"""Who is staff: list them, change their roles, end their access, reset how they sign in.

Always true here: nobody changes their own roles, access or keys here; each change checks, under one lock, that whoever
makes it may still do so, so that of two people who shut each other out one stays; each is evidence and a mail.
"""

from collections.abc import Collection
from datetime import datetime

import msgspec

from admin.invitations import can_sign_in, forget_factors, new_invitation
from admin.people_notices import Office, tell, tell_keepers
from admin.people_words import Change
from admin.roles import Permission, Role, permits, roles_of
from admin.tables import StaffSession, StaffUser
from admin.who import NotPermitted, Staff
from portal.database import engine
from portal.errors import Invalid, NotFound
from portal.evidence.log import append
from portal.rights.assignees import give_back

LOCK = 7_201_605_140


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff, as whoever keeps the list sees them."""

    id: int
    email: str
    name: str
    roles: frozenset[Role]
    active: bool
    last_login: datetime | None
    """When they last signed in, naive UTC as Piccolo keeps it."""
    passkeys: int
    codes: int
    identities: int
    sessions: int
    invited_until: datetime | None


async def members(user: int | None = None) -> list[Member]:
    """Return everybody, or one: those with access first, by address."""
    rows = await StaffUser.raw(
        "SELECT u.id, u.email, u.name, u.roles, u.active, u.last_login,"
        " (SELECT count(*) FROM staff_passkey p WHERE p.\"user\" = u.id) AS passkeys,"
        " (SELECT count(*) FROM staff_recovery_code c WHERE c.\"user\" = u.id AND c.used_at IS NULL) AS codes,"
        " (SELECT count(*) FROM staff_identity i WHERE i.\"user\" = u.id) AS identities,"
        " (SELECT count(*) FROM staff_session s WHERE s.user_id = u.id AND s.confirmed_at IS NOT NULL) AS sessions,"
        " (SELECT max(expires_at) FROM staff_invitation n WHERE n.\"user\" = u.id AND n.used_at IS NULL)"
        " AS invited_until"
        " FROM staff_user u WHERE {} OR u.id = {} ORDER BY u.active DESC, u.email",
        user is None, user or 0,
    )  # fmt: skip
    return [Member(**{**row, "roles": roles_of(row["roles"])}) for row in rows]


async def member(user: int) -> Member:
    """Return one of the staff. Raises: NotFound."""
    found = await members(user)
    if not found:
        raise NotFound
    return found[0]


async def change_roles(user: int, roles: Collection[Role], *, by: Staff, office: Office, at: datetime) -> None:
    """Give somebody other roles and end their sessions. Whoever may no longer work on requests has none any more.

    Raises:
        Invalid: it is oneself, or no role is given.
        NotPermitted: whoever asks may no longer do it.
    """
    if not roles:
        raise Invalid("Choose at least one role.", field="roles")
    async with engine().transaction():
        await _allowed(user, by)
        await StaffUser.update({StaffUser.roles: sorted(str(role) for role in roles)}).where(StaffUser.id == user)
        await StaffSession.end_all(user)
        if Permission.WRITE not in permits(roles):
            await give_back(user, at=at, actor=by.actor)
        details = {"staff": user, "roles": ",".join(sorted(roles))}
        await append(
            "staff:roles:changed", at=at, actor=by.actor, details=msgspec.convert(details, dict[str, str | int])
        )
        await tell(user, Change.ROLES, office=office, at=at)
        await tell_keepers(Change.OTHERS_ROLES, but={user, by.id}, office=office, at=at)


async def set_active(user: int, *, active: bool, by: Staff, office: Office, at: datetime) -> None:
    """End somebody's access, so that nobody has their requests, or open it again.

    Raises:
        Invalid: it is oneself.
        NotPermitted: whoever asks may no longer do it.
    """
    async with engine().transaction():
        await _allowed(user, by)
        await _set_active(user, active=active, actor=by.actor, keeper=by.id, office=office, at=at)


async def end_sessions(user: int, *, by: Staff, office: Office, at: datetime) -> None:
    """Sign somebody out everywhere. Raises: Invalid, when it is oneself; NotPermitted."""
    async with engine().transaction():
        await _allowed(user, by)
        await StaffSession.end_all(user)
        await append("staff:sessions:ended", at=at, actor=by.actor, details={"staff": user})
        await tell(user, Change.ENDED, office=office, at=at)


async def reset(user: int, *, by: Staff, office: Office, at: datetime) -> str:
    """Take away everything that somebody gets in with, and invite them anew. Returns the invitation's token.

    Raises:
        Invalid: it is oneself.
        NotPermitted: whoever asks may no longer do it.
    """
    async with engine().transaction():
        await _allowed(user, by)
        token = await reset_factors(user, actor=by.actor, keeper=by.id, office=office, at=at, mailed=True)
    return token  # noqa: RET504  mypy believes that a transaction may swallow what is raised in it


async def reset_factors(user: int, *, actor: str, keeper: int, office: Office, at: datetime, mailed: bool) -> str:
    """Do the same in the caller's transaction, whoever asks: the operator of the server may."""
    await forget_factors(user)
    await append("staff:factors:reset", at=at, actor=actor, details={"staff": user})
    if mailed:
        await tell(user, Change.RESET, office=office, at=at)
        await tell_keepers(Change.OTHERS_RESET, but={user, keeper}, office=office, at=at)
    return await new_invitation(user, again=True, office=office, at=at, mailed=mailed)


async def remove(user: int, *, actor: str, office: Office, at: datetime) -> None:
    """End somebody's access for good: their keys are forgotten, their name stays beside what they did.

    Raises:
        Invalid: nobody else could change people any more.
    """
    async with engine().transaction():
        await _lock()
        if not await _another_keeper(user):
            raise Invalid("Nobody else could invite staff any more. Invite somebody first.")
        await forget_factors(user)
        await _set_active(user, active=False, actor=actor, keeper=0, office=office, at=at)


async def _set_active(user: int, *, active: bool, actor: str, keeper: int, office: Office, at: datetime) -> None:
    await StaffUser.update({StaffUser.active: active}).where(StaffUser.id == user)
    await StaffSession.end_all(user)
    if not active:
        await give_back(user, at=at, actor=actor)
    event = "staff:member:activated" if active else "staff:member:deactivated"
    await append(event, at=at, actor=actor, details={"staff": user})
    await tell(user, Change.BACK if active else Change.LEFT, office=office, at=at)
    await tell_keepers(Change.OTHERS_ROLES, but={user, keeper}, office=office, at=at)


async def _allowed(user: int, by: Staff) -> None:
    """Check under the lock that `by` may still change people, and that it is somebody else."""
    await _lock()
    if user == by.id:
        raise Invalid("Nobody changes their own roles or access. Ask somebody else who may.")
    row = await StaffUser.select(StaffUser.active, StaffUser.roles).where(StaffUser.id == by.id).first()
    if row is None or not row["active"] or Permission.PEOPLE not in permits(roles_of(row["roles"])):
        raise NotPermitted
    if not await StaffUser.exists().where(StaffUser.id == user):
        raise NotFound


async def _another_keeper(user: int) -> bool:
    """Tell whether somebody else could change people and can sign in."""
    rows = await StaffUser.select(StaffUser.id, StaffUser.roles).where(
        StaffUser.active.eq(True), StaffUser.id != user
    )  # fmt: skip
    keepers = [row["id"] for row in rows if Permission.PEOPLE in permits(roles_of(row["roles"]))]
    return any([await can_sign_in(one) for one in keepers])


async def _lock() -> None:
    await engine().connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)

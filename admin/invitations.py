"""Invitations: how somebody becomes a member of staff, and how they get new keys after they lost all.

Always true here: an invitation is used up in the transaction that keeps what the person gets in with from then on, so
that nobody is left outside with a used link; of its token only a hash is stored.
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from admin import openid_people as identities
from admin import passkeys, recovery
from admin.people_notices import Office, send_invitation, tell, tell_keepers
from admin.people_words import Change
from admin.roles import Role, roles_of
from admin.tables import StaffSession, StaffUser, hashed
from admin.tables_factors import StaffIdentity, StaffInvitation, StaffPasskey
from portal.database import engine
from portal.errors import Invalid
from portal.evidence.log import Details, append
from portal.identity.address import normalise
from portal.identity.id_token import Verified

LIFE = timedelta(days=7)
LONGEST_NAME = 80
LONGEST_ADDRESS = 100
"""The width of Piccolo's column for user names."""


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that may still be used, and whom it is for."""

    id: UUID
    user: int
    email: str
    name: str
    roles: frozenset[Role]
    expires_at: datetime


class Accepted(msgspec.Struct, frozen=True):
    """What came of accepting: the session's token, and the recovery codes in clear. Neither is kept."""

    session: str
    codes: list[str]


async def invite(
    email: str, roles: Collection[Role], *, name: str = "", by: str, inviter: int | None, office: Office,
    at: datetime, mailed: bool = True,
) -> str:  # fmt: skip
    """Make an invitation and return its token, which is not kept. Earlier ones for the same person stop working.

    `by` is the actor, `inviter` their id if they are staff; both are not told by mail what they did themselves.

    Raises:
        Invalid: the address is none, no role is given, or it is a member who can sign in already.
    """
    address = normalise(email)
    if len(address) > LONGEST_ADDRESS:
        raise Invalid("This address is too long for a member of staff.", field="email")
    if not roles:
        raise Invalid("Choose at least one role.", field="roles")
    async with engine().transaction():
        user = await _member_to_be(address, roles, name)
        token = await new_invitation(user, again=False, office=office, at=at, mailed=mailed)
        details: Details = {"staff": user, "roles": ",".join(sorted(roles))}
        await append("staff:member:invited", at=at, actor=by, details=details)
        await tell_keepers(Change.OTHERS_INVITED, but={user, inviter or 0}, office=office, at=at)
    return token


async def new_invitation(user: int, *, again: bool, office: Office, at: datetime, mailed: bool) -> str:
    """Replace somebody's invitations by a new one, in the caller's transaction. Returns its token."""
    token, expires_at = secrets.token_urlsafe(32), at + LIFE
    await StaffInvitation.update({StaffInvitation.used_at: at}).where(
        StaffInvitation.user == user, StaffInvitation.used_at.is_null()
    )
    await StaffInvitation(
        id=uuid4(), user=user, token_hash=hashed(token), created_at=at, expires_at=expires_at
    ).save()  # fmt: skip
    if mailed:
        row = await StaffUser.select(StaffUser.email).where(StaffUser.id == user).first()
        address = row["email"] if row else ""
        await send_invitation(address, token, again=again, expires_at=expires_at, office=office, at=at)
    return token


async def invited_by(token: str, *, at: datetime) -> Invited | None:
    """Return the invitation of a link, if it may still be used. Looking changes nothing."""
    return await _find(token_hash=hashed(token), at=at)


async def invited_as(id: UUID, *, at: datetime) -> Invited | None:
    """Return an invitation by its id, if it may still be used."""
    return await _find(id=id, at=at)


async def accept(
    invited: Invited,
    *,
    name: str,
    keys: passkeys.Made | Verified,
    called: str,
    label: str,
    office: Office,
    at: datetime,
) -> Accepted | None:
    """Use an invitation up, keep what somebody gets in with, give them recovery codes and a session.

    `called` is what they call the passkey, `label` what their browser is called. None: it was used meanwhile.

    Raises:
        Invalid: the passkey or the identity is kept already.
    """
    async with engine().transaction():
        if not await _use(invited, at):
            return None
        await _set_name(invited, name or (keys.name if isinstance(keys, Verified) else ""))
        if isinstance(keys, Verified):
            await identities.bind(invited.user, keys, at=at)
        else:
            await passkeys.keep_made(keys, invited.user, name=called, at=at)
        codes = await recovery.replace(invited.user, settings=office.settings, at=at)
        session = await StaffSession.begin(invited.user, at=at, confirmed=True, label=label)
        await StaffUser.update({StaffUser.last_login: at.replace(tzinfo=None)}).where(StaffUser.id == invited.user)
        way = "single-sign-on" if isinstance(keys, Verified) else "passkey"
        await append("staff:member:joined", at=at, actor=f"staff:{invited.user}", details={"way": way})
        await tell(invited.user, Change.JOINED, office=office, at=at)
    return Accepted(session, codes)


async def _use(invited: Invited, at: datetime) -> bool:
    used = await (
        StaffInvitation.update({StaffInvitation.used_at: at})
        .where(
            StaffInvitation.id == invited.id, StaffInvitation.used_at.is_null(), StaffInvitation.expires_at > at
        )
        .returning(StaffInvitation.id)
    )  # fmt: skip
    return bool(used)


async def _set_name(invited: Invited, name: str) -> None:
    if chosen := " ".join(name.split())[:LONGEST_NAME]:
        await StaffUser.update({StaffUser.name: chosen}).where(StaffUser.id == invited.user)


async def _find(*, token_hash: str | None = None, id: UUID | None = None, at: datetime) -> Invited | None:
    rows = await StaffInvitation.raw(
        "SELECT i.id, i.\"user\", u.email, u.name, u.roles, i.expires_at"
        " FROM staff_invitation i JOIN staff_user u ON u.id = i.\"user\""
        " WHERE (i.token_hash = {} OR i.id = {}) AND i.used_at IS NULL AND i.expires_at > {} AND u.active",
        token_hash, id, at,
    )  # fmt: skip
    return Invited(**{**rows[0], "roles": roles_of(rows[0]["roles"])}) if rows else None


async def _member_to_be(address: str, roles: Collection[Role], name: str) -> int:
    """Return the id of somebody who cannot sign in yet, with these roles. Raises: Invalid, when they can already."""
    names = sorted(str(role) for role in roles)
    chosen = " ".join(name.split())[:LONGEST_NAME]
    user = await StaffUser.objects().where(StaffUser.username == address).lock_rows("UPDATE").first()
    if user is None:
        user = _new(username=address, email=address, password="", active=True, admin=True, roles=names, name=chosen)
        await user.save()
        return int(user.id)
    if user.active and await can_sign_in(user.id):
        raise Invalid("This person is a member already. Change their roles, or reset how they sign in.", field="email")
    await forget_factors(user.id)
    await StaffUser.update({StaffUser.active: True, StaffUser.roles: names, StaffUser.name: chosen or user.name}).where(
        StaffUser.id == user.id
    )
    return int(user.id)


async def can_sign_in(user: int) -> bool:
    """Tell whether somebody has a passkey or an identity of the single sign-on."""
    return (
        await StaffPasskey.exists().where(StaffPasskey.user == user)
        or await StaffIdentity.exists().where(StaffIdentity.user == user)
    )  # fmt: skip


async def forget_factors(user: int) -> None:
    """Take away everything that somebody gets in with, in the caller's transaction. Their invitations stop working."""
    for sql in (
        "DELETE FROM staff_passkey WHERE \"user\" = $1",
        "DELETE FROM staff_challenge WHERE \"user\" = $1",
        "DELETE FROM staff_recovery_code WHERE \"user\" = $1",
        "DELETE FROM staff_identity WHERE \"user\" = $1",
        "DELETE FROM staff_invitation WHERE \"user\" = $1",
        "DELETE FROM staff_session WHERE user_id = $1",
    ):  # fmt: skip
        await engine().connection.execute(sql, user)


def _new(**columns: object) -> StaffUser:
    return StaffUser(**columns)  # type: ignore[no-untyped-call]  # Piccolo 1.38 says nothing of its types.

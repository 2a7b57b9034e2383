"""Which identity of the single sign-on is which member of staff.

Always true here: an identity is its issuer and subject, never an address; it is bound while an invitation is accepted
or from inside a session with a fresh second factor, and in no other way.
"""

from datetime import datetime
from uuid import uuid4

from admin.tables_factors import StaffIdentity
from portal.errors import Invalid
from portal.identity.id_token import Verified


async def user_of(who: Verified) -> int | None:
    """Return the active member of staff whom an identity is bound to."""
    rows = await StaffIdentity.raw(
        "SELECT u.id FROM staff_identity i JOIN staff_user u ON u.id = i.\"user\""
        " WHERE i.issuer = {} AND i.identifier = {} AND u.active",
        who.issuer, who.identifier,
    )  # fmt: skip
    return int(rows[0]["id"]) if rows else None


async def bind(user: int, who: Verified, *, at: datetime) -> None:
    """Bind an identity to somebody, in the caller's transaction, in place of the one they had.

    Raises:
        Invalid: it is somebody else's.
    """
    await StaffIdentity.delete().where(StaffIdentity.user == user)
    await StaffIdentity.raw(
        "INSERT INTO staff_identity (id, \"user\", issuer, identifier, created_at) VALUES ({}, {}, {}, {}, {})"
        " ON CONFLICT (issuer, identifier) DO NOTHING",
        uuid4(), user, who.issuer, who.identifier, at,
    )  # fmt: skip
    if not await bound(user):
        raise Invalid("This identity belongs to another member of staff.")


async def unbind(user: int) -> bool:
    """Forget somebody's identity, in the caller's transaction. False: they had none."""
    gone = await StaffIdentity.delete().where(StaffIdentity.user == user).returning(StaffIdentity.id)
    return bool(gone)


async def bound(user: int) -> bool:
    """Tell whether somebody has an identity of the single sign-on."""
    found: bool = await StaffIdentity.exists().where(StaffIdentity.user == user)
    return found

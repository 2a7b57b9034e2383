"""How staff get in for now: a link made on the command line by whoever runs the server.

Always true here: a link works once, within a quarter of an hour, and only for an active member of staff.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from admin.roles import Role
from admin.tables import StaffLink, StaffSession, StaffUser, hashed
from portal.database import engine
from portal.evidence.log import append

LINK_LIFE = timedelta(minutes=15)


async def make_link(email: str, *, at: datetime, roles: Sequence[Role] = (Role.DPO,)) -> str:
    """Return the token of a new link for `email`, who becomes a member of staff with `roles` if they are not one yet.

    Links made before for the same person stop working.
    """
    token, address = secrets.token_urlsafe(32), email.strip().lower()
    async with engine().transaction():
        user = await StaffUser.objects().get_or_create(
            StaffUser.username == address,
            {StaffUser.email: address, StaffUser.active: True, StaffUser.admin: True,
             StaffUser.roles: [str(role) for role in roles]},
        )  # fmt: skip
        await StaffLink.update({StaffLink.used_at: at}).where(StaffLink.user == user.id, StaffLink.used_at.is_null())
        await StaffLink(user=user.id, token_hash=hashed(token), created_at=at, expires_at=at + LINK_LIFE).save()
        await append("staff:link:made", at=at, actor="command-line", details={"staff": user.id})
    return token


async def use_link(token: str, *, at: datetime) -> str | None:
    """Use up a link and return the token of a new session; None when the link is unknown, used or too old."""
    async with engine().transaction():
        used = await (
            StaffLink.update({StaffLink.used_at: at})
            .where(StaffLink.token_hash == hashed(token), StaffLink.used_at.is_null(), StaffLink.expires_at > at)
            .returning(StaffLink.user)
        )
        if not used:
            return None
        session = await StaffSession.begin(used[0]["user"], at=at, confirmed=True)
        await append("staff:session:started", at=at, actor=f"staff:{used[0]['user']}")
    return session

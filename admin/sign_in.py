"""How staff get in: a code or link by e-mail first, which opens nothing, then a passkey or a recovery code.

Always true here: no answer tells whether an address belongs to a member of staff; whoever has only a mailbox gets no
further than the question for the second factor.
"""

from collections.abc import Sequence
from datetime import datetime

from admin.roles import Role
from admin.tables import StaffSession, StaffUser
from portal.database import engine


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

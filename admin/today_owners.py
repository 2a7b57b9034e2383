"""Whom a request can be given to, and what everybody is called who ever had one.

Always true here: only active members of staff whose role lets them write to people are offered.
"""

from collections.abc import Mapping

import msgspec

from admin.colleagues import Colleague
from admin.roles import Permission, permits, roles_of
from admin.tables import StaffUser


class Owners(msgspec.Struct, frozen=True):
    """Staff, as Today needs them."""

    names: Mapping[int, str]
    """Of everybody, active or not."""
    givable: tuple[Colleague, ...]
    """Whom a request can be given to, by name."""
    approvers: frozenset[int]
    """The active ones who may be the second of two people."""

    def can_have(self, id: int) -> bool:
        """Tell whether a request can be given to this one."""
        return any(one.id == id for one in self.givable)

    def alone(self, id: int) -> bool:
        """Tell whether nobody but this one may be the second of two people."""
        return not self.approvers - {id}


async def owners() -> Owners:
    """Return all of them, in one query."""
    rows = await StaffUser.select(StaffUser.id, StaffUser.name, StaffUser.email, StaffUser.roles, StaffUser.active)
    names = {row["id"]: row["name"] or row["email"].partition("@")[0] for row in rows}
    may = {row["id"]: permits(roles_of(row["roles"])) for row in rows if row["active"]}
    givable = [
        Colleague(row["id"], names[row["id"]], row["email"]) for row in rows
        if Permission.WRITE in may.get(row["id"], frozenset())
    ]  # fmt: skip
    approvers = frozenset(id for id, permitted in may.items() if Permission.APPROVE in permitted)
    return Owners(names, tuple(sorted(givable, key=lambda one: one.name.lower())), approvers)

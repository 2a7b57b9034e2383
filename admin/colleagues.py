"""Who else is there: the active members of staff whose roles permit something.

Always true here: whoever is not active counts for nothing.
"""

from collections.abc import Iterable

import msgspec

from admin.roles import Permission, permits, roles_of
from admin.tables import StaffUser


class Colleague(msgspec.Struct, frozen=True):
    """A member of staff as others see them."""

    id: int
    name: str
    email: str


async def who_may(permission: Permission) -> list[Colleague]:
    """Return the active members of staff who may do something, by number."""
    rows = await (
        StaffUser.select(StaffUser.id, StaffUser.name, StaffUser.email, StaffUser.roles)
        .where(StaffUser.active.eq(True))
        .order_by(StaffUser.id)
    )
    return [_colleague(row) for row in rows if permission in permits(roles_of(row["roles"]))]


async def others_who_may(permission: Permission, *, but: int) -> list[Colleague]:
    """Return the same without one of them."""
    return [one for one in await who_may(permission) if one.id != but]


async def everybody() -> list[Colleague]:
    """Return every active member of staff."""
    rows = await (
        StaffUser.select(StaffUser.id, StaffUser.name, StaffUser.email)
        .where(StaffUser.active.eq(True))
        .order_by(StaffUser.id)
    )
    return [_colleague(row) for row in rows]


async def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Return what colleagues call each `staff:<id>`, active or not; whoever else evidence names stays as it is."""
    said = set(actors)
    ids = [int(one.removeprefix("staff:")) for one in said if one.startswith("staff:")]
    rows = await StaffUser.select(StaffUser.id, StaffUser.name, StaffUser.email).where(StaffUser.id.is_in(ids or [0]))
    named = {f"staff:{row['id']}": _colleague(row).name for row in rows}
    return {one: named.get(one, one) for one in said}


def _colleague(row: dict[str, str | int]) -> Colleague:
    email = str(row["email"])
    return Colleague(int(row["id"]), str(row["name"]) or email.partition("@")[0], email)

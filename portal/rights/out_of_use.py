"""What is out of use for a person now, and the question that every other processing asks first.

Always true here: it is read from our own rows, so it counts from the transaction that put it out of use, whatever any
system has done about it yet. Storing and handing out never ask. Source: GDPR Art. 18(2).
"""

from collections.abc import Collection
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from portal.errors import Refused
from portal.rights.tables import Restriction

type Reason = Literal["accuracy", "unlawful", "claims", "objection", "erasure", "child"]

ASKED_FOR: frozenset[Reason] = frozenset({"accuracy", "unlawful", "claims", "objection"})
"""The reasons of a person's own pause, Art. 18(1)(a) to (d): it ends only after they were told. Art. 18(3)."""


class OutOfUse(Refused):
    """The data is kept out of use: it can be seen and taken, and nothing else is done with it."""

    status = 409
    sentence = "This data is paused. You can see it and take it; nothing else is done with it until the pause ends."


class InPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One restriction that counts now."""

    request: UUID
    reference: str
    categories: list[str]
    """Empty: everything."""
    reason: Reason
    since: datetime
    noticed_at: datetime | None
    lifts_at: datetime | None
    """When it ends, once that was announced."""

    def covers(self, category: str) -> bool:
        """Return whether a category is out of use by it."""
        return not self.categories or category in self.categories


async def in_place(subject: UUID) -> list[InPlace]:
    """Return what is out of use for a person now, oldest first."""
    rows = await Restriction.raw(
        "SELECT x.*, r.reference FROM restriction x JOIN subject_request r ON r.id = x.request"
        " WHERE x.subject = {} AND x.lifted_at IS NULL ORDER BY x.since, r.reference",
        subject,
    )
    return msgspec.convert(rows, list[InPlace])


async def need_in_use(subject: UUID, category: str, *, but: Collection[Reason] = ()) -> None:
    """Refuse every processing of a category that is out of use.

    `but` names reasons that do not stand in the way: what is wrong may be corrected while it is paused for that.

    Raises:
        OutOfUse: it is.
    """
    if any(one.covers(category) and one.reason not in but for one in await in_place(subject)):
        raise OutOfUse

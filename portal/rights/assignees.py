"""Say who has a request: one member of staff, or nobody.

Always true here: it changes who works on it and nothing else; whom it is given to is for the staff's room to check;
every change is evidence with both numbers.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from portal.database import engine
from portal.errors import Refused
from portal.evidence.log import append
from portal.rights.lifecycle import NotPossible


class GivenMeanwhile(Refused):
    """Somebody else gave or took it at the same time."""

    status = 409
    sentence = "Somebody gave this request to another colleague meanwhile. Look who has it now."


async def give_back(staff: int, *, at: datetime, actor: str) -> None:
    """Let nobody have what a member of staff had who works on requests no more, inside the caller's transaction."""
    run = engine().connection
    rows = await run.fetch(
        "SELECT id, reference FROM subject_request WHERE assignee = $1 AND closed_at IS NULL ORDER BY id FOR UPDATE",
        staff,
    )
    await run.execute(
        "UPDATE subject_request SET assignee = NULL WHERE id = ANY($1)", [row["id"] for row in rows]
    )  # fmt: skip
    for row in rows:
        details = {"before": staff, "to": None}
        await append("staff:request:given", at=at, actor=actor, reference=row["reference"], details=details)


async def give(
    request: UUID, to: int | None, *, at: datetime, actor: str, before: int | Literal["anybody"] | None = "anybody"
) -> bool:
    """Give an open request to a member of staff, None for nobody. Returns False when they have it already.

    `before` is who had it when the page was made; left out, it does not matter.

    Raises:
        NotPossible: the request has ended, or there is none.
        GivenMeanwhile: somebody else than `before` has it.
    """
    async with engine().transaction():
        run = engine().connection
        row = await run.fetchrow(
            "SELECT reference, assignee FROM subject_request WHERE id = $1 AND closed_at IS NULL FOR UPDATE", request
        )
        if row is None:
            raise NotPossible
        if row["assignee"] == to:
            return False
        if before not in ("anybody", row["assignee"]):
            raise GivenMeanwhile
        await run.execute("UPDATE subject_request SET assignee = $2 WHERE id = $1", request, to)
        details = {"before": row["assignee"], "to": to}
        await append("staff:request:given", at=at, actor=actor, reference=row["reference"], details=details)
    return True

"""Open a person's data to one member of staff, for a reason that the person reads afterwards.

Always true here: the look is written down before anything is shown; it counts for this member of staff, this request
and a quarter of an hour; evidence has who, when and which reason, never what was seen.

Source: law S-18, S-19; C-579/21.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import Invalid
from portal.evidence.log import append
from portal.rights.requests import RequestView
from portal.rights.tables_looks import RequestLook

REASONS = ("decide", "identify", "answer", "other")
"""Decide this request, find out who they are, answer their question, or something else, in words."""
OPEN_FOR = timedelta(minutes=15)
LONGEST = 200
"""Characters of the words that go with a reason."""


class LookView(msgspec.Struct, frozen=True, kw_only=True):
    """One look, for staff."""

    at: datetime
    staff: int
    reason: str
    why: str


async def look(request: RequestView, reason: str, why: str, *, staff: int, at: datetime) -> None:
    """Note that a member of staff looks at the person's data, and why. What is open already is not noted twice.

    Raises:
        Invalid: no such reason, no words where they are needed, or too many; names the field.
    """
    words = " ".join(why.split())
    if reason not in REASONS:
        raise Invalid("Say why you need to see it. The person reads the reason.", field="reason")
    if reason == "other" and not words:
        raise Invalid("Say in a few words what for. The person reads them.", field="why")
    if len(words) > LONGEST:
        raise Invalid("Shorten it to 200 characters.", field="why")
    async with engine().transaction():
        await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", request.id)
        if await _same(request.id, reason, words, staff=staff, at=at):
            return
        await RequestLook(request=request.id, at=at, staff=staff, reason=reason, why=words).save()
        actor, details = f"staff:{staff}", {"reason": reason}
        await append("staff:person:looked", at=at, actor=actor, reference=request.reference, details=details)


async def open_until(request: UUID, *, staff: int, at: datetime) -> datetime | None:
    """Return until when the data is open to a member of staff; None when it is shut."""
    rows = await RequestLook.raw(
        "SELECT max(at) AS at FROM request_look WHERE request = {} AND staff = {} AND at > {} AND at <= {}",
        request, staff, at - OPEN_FOR, at,
    )  # fmt: skip
    return rows[0]["at"] + OPEN_FOR if rows[0]["at"] else None


async def _same(request: UUID, reason: str, why: str, *, staff: int, at: datetime) -> bool:
    """Tell whether this very look is open: a second click on the same button is no second look."""
    return await RequestLook.exists().where(
        (RequestLook.request == request) & (RequestLook.staff == staff) & (RequestLook.reason == reason)
        & (RequestLook.why == why) & (RequestLook.at > at - OPEN_FOR)
    )  # fmt: skip

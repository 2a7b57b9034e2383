"""What waits for a second person, as rows; and how it ends when the request moves on meanwhile.

Always true here: of two who end the same thing one does; what was to be done is gone with the end.
"""

from datetime import date, datetime
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import NotFound
from portal.evidence.log import Details, append
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables_desk import Approval


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that takes two people."""

    id: UUID
    request: UUID | None
    verb: str
    digest: str
    sealed: bytes | None
    sealed_for: UUID
    asked_by: str
    asked_at: datetime
    state: str
    decided_by: str
    decided_at: datetime | None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits for a second person, for a list: no content."""

    id: UUID
    verb: str
    reference: str
    """Empty when it is about no request."""
    asked_by: str
    """As evidence names them: staff:7"""
    asked_at: datetime
    act_by_day: date | None
    """The last day on which it can be decided in time; None when it is about no request."""
    can_decide_from: datetime


async def find(id: UUID) -> ApprovalView:
    """Return one. Raises: NotFound."""
    row = await Approval.select().where(Approval.id == id).first()
    if row is None:
        raise NotFound
    return msgspec.convert(row, ApprovalView)


async def request_of(id: UUID) -> RequestView | None:
    """Return the request that one is about; None when there is no such thing, or it is about none."""
    row = await Approval.select(Approval.request).where(Approval.id == id).first()
    return await find_by_id(row["request"]) if row and row["request"] else None


async def of_request(request: UUID) -> list[ApprovalView]:
    """Return all of a request, oldest first."""
    rows = await Approval.select().where(Approval.request == request).order_by(Approval.asked_at)
    return msgspec.convert(rows, list[ApprovalView])


async def overtake(request: UUID, reference: str, *, at: datetime, actor: str) -> None:
    """End what waits about a request that has moved on, inside the caller's transaction."""
    rows = await Approval.raw(
        "UPDATE approval SET state = 'overtaken', sealed = NULL, decided_at = {} WHERE request = {}"
        " AND state = 'waiting' RETURNING id, verb",
        at, request,
    )  # fmt: skip
    for row in rows:
        details: Details = {"approval": str(row["id"]), "verb": row["verb"]}
        await append("rights:approval:overtaken", at=at, actor=actor, reference=reference, details=details)


async def forget_key(approval: ApprovalView) -> None:
    """Destroy the key of an approval that is about nobody, inside the caller's transaction."""
    if approval.request is None:
        await engine().connection.execute("DELETE FROM seal_key WHERE subject = $1", approval.id)

"""Take a request in: one transaction that holds the request, its dates, evidence, the acknowledgement and the job.

Always true here: a person has at most one open request of a kind; asking again gives back the same one.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from portal.database import engine
from portal.jobs import enqueue
from portal.mail.messages import request_received
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights.deadlines import dates
from portal.rights.person import address_of
from portal.rights.requests import RequestView, find
from portal.rights.tables import SubjectRequest
from portal.rights.timeline import record
from portal.words import Words

ACCESS = "access"


class Opened(msgspec.Struct, frozen=True):
    """A request, and whether it was there already."""

    request: RequestView
    existing: bool


async def open_access(
    *,
    subject_id: UUID,
    categories: Sequence[str],
    format: str,
    language: str,
    policy: Policy,
    public_url: str,
    at: datetime,
) -> Opened:
    """Open a request for a copy, or return the one that is open already.

    `categories` are ids of the policy; `format` is `all` (ZIP) or `pdf`. Idempotent while the request is open.
    """
    try:
        async with engine().transaction():
            reference = await _insert(subject_id, categories, format, language, policy, public_url, at)
    except asyncpg.UniqueViolationError:
        return Opened(await _open_one(subject_id), existing=True)
    return Opened(await find(reference, subject_id), existing=False)


async def withdraw(reference: str, subject_id: UUID, *, at: datetime) -> None:
    """Close an open request because the person says so. Idempotent; what runs for it stops at its next step.

    Raises:
        NotFound: when it is not theirs.
    """
    request = await find(reference, subject_id)
    async with engine().transaction():
        closed = await (
            SubjectRequest.update({
                SubjectRequest.state: "closed", SubjectRequest.outcome: "withdrawn", SubjectRequest.closed_at: at,
            })
            .where((SubjectRequest.id == request.id) & SubjectRequest.closed_at.is_null())
            .returning(SubjectRequest.id)
        )  # fmt: skip
        if closed:
            await record(request.id, reference, "withdrawn", at=at, actor="person")


async def _insert(
    subject_id: UUID,
    categories: Sequence[str],
    format: str,
    language: str,
    policy: Policy,
    public_url: str,
    at: datetime,
) -> str:
    due = dates(at, policy)
    number = (await SubjectRequest.raw("SELECT nextval('request_reference') AS n"))[0]["n"]
    reference = f"DR-{due.received.year}-{number:04d}"
    request = SubjectRequest(
        reference=reference, subject=subject_id, right=ACCESS, categories=list(categories), format=format,
        language=language, received_at=at, promise_day=due.promise, law_day=due.law, due_day=due.due,
    )  # fmt: skip
    await request.save()
    await record(
        request.id, reference, "received", at=at, actor="person",
        details={"right": ACCESS, "categories": len(categories), "due": due.due.isoformat()},
    )  # fmt: skip
    words = Words(language, policy.controller.zone)
    link = f"{public_url}/{language}/requests/{reference}"
    message = request_received(words, policy, reference=reference, due_day=due.due, link=link)
    await post(message, to=await address_of(subject_id), language=language, reference=reference, at=at)
    await enqueue("rights.export", {"request": str(request.id)}, key=f"export:{request.id}")
    return reference


async def _open_one(subject_id: UUID) -> RequestView:
    row = await SubjectRequest.select().where(
        (SubjectRequest.subject == subject_id) & (SubjectRequest.right == ACCESS) & SubjectRequest.closed_at.is_null()
    ).first()  # fmt: skip
    return msgspec.convert(row, RequestView)

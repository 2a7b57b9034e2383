"""Give a request to the person it was proven to be of; join it to the one they have open already, or begin it.

Always true here: nothing is joined before it is proven who asks; of two requests for the same the earlier receipt
counts, the open one keeps its reference, and no `received_at` is ever changed. Source: law D15, D16.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from portal.database import engine
from portal.jobs import enqueue
from portal.mail.messages import joined, request_received
from portal.mail.wording import asked_in_words
from portal.policy.model import Policy
from portal.rights import clocks
from portal.rights.answer import end
from portal.rights.approvals_rows import overtake
from portal.rights.deadlines import join
from portal.rights.lifecycle import SELF_SERVICE, move
from portal.rights.replies import link_to, tell, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import RequestMessage, SubjectRequest
from portal.rights.tasks import open_task
from portal.rights.timeline import record
from portal.settings import Settings

ONE_AT_A_TIME = SELF_SERVICE | {"erasure"}
"""Of these a person has one open at a time, so a second one is a duplicate. Two questions, two corrections are not."""

BEGIN = "rights.begin"


async def settle(
    request: RequestView, subject: UUID, *, event: str, policy: Policy, settings: Settings, at: datetime, actor: str
) -> RequestView:
    """Give a request in `verifying` to `subject`, inside the caller's transaction. Returns the one that goes on.

    Raises:
        NotPossible: it has moved on in the meantime.
    """
    # Whoever opens a request for this person holds a weaker lock on the same row until they commit.
    await engine().connection.execute("SELECT FROM subject WHERE id = $1 FOR UPDATE", subject)
    other = await _open_one(subject, request.right)
    if other is not None and other.id != request.id:
        await _join(request, other, policy=policy, settings=settings, at=at, actor=actor)
        return await find_by_id(other.id)
    await SubjectRequest.update({SubjectRequest.subject: subject}).where(SubjectRequest.id == request.id)
    await move(
        request.id, request.reference, "deciding", event=event, at=at, actor=actor, start=["verifying"]
    )  # fmt: skip
    settled = await find_by_id(request.id)
    await begin(settled, at=at, actor=actor)
    await acknowledge(settled, policy, settings, at=at)
    return settled


async def begin(request: RequestView, *, at: datetime, actor: str) -> None:
    """Have a proven request done by the worker where it can, else by a person, inside the caller's transaction.

    An erasure goes by itself only if the person typed a code; where `actor` is of our staff, it takes two people.
    """
    confirmed = request.right == "erasure" and request.categories and not actor.startswith("staff:")
    by_itself = request.right in SELF_SERVICE or confirmed
    if by_itself:
        await enqueue(BEGIN, {"request": str(request.id)}, key=f"begin:{request.id}")
    else:
        await ask_for_decision(request, at=at)


async def ask_for_decision(request: RequestView, *, at: datetime) -> None:
    """Leave a request to a person of ours, inside the caller's transaction."""
    due = request.act_by_day or request.due_day
    await open_task(request.id, request.reference, "decide", request.right, due=due, at=at)


async def acknowledge(request: RequestView, policy: Policy, settings: Settings, *, at: datetime) -> None:
    """Say that we have it, with its date, to the address of the person."""
    words = words_for(request, policy)
    message = request_received(
        words, policy, reference=request.reference, due_day=request.due_day, signed_in=False,
        what=asked_in_words(words, request.right), link=link_to(request, settings),
    )  # fmt: skip
    await tell(request, message, at=at)


async def _join(
    request: RequestView, other: RequestView, *, policy: Policy, settings: Settings, at: datetime, actor: str
) -> None:
    moved = await clocks.change(other.id, lambda inputs: join(inputs, received_at=request.received_at))
    due = moved.after
    await _widen(other, request)
    await overtake(other.id, other.reference, at=at, actor=actor)
    await RequestMessage.update({RequestMessage.request: other.id}).where(RequestMessage.request == request.id)
    details = {"with": request.reference, "received_at": request.received_at.isoformat(), "due": due.due.isoformat()}
    await record(other.id, other.reference, "joined", at=at, actor=actor, details=details)
    await end(
        request, "joined", event="joined-to-other", policy=policy, settings=settings, at=at, actor=actor,
        details={"with": other.reference},
    )  # fmt: skip
    await SubjectRequest.update({SubjectRequest.subject: other.owner, SubjectRequest.about: other.id}).where(
        SubjectRequest.id == request.id
    )
    message = joined(
        words_for(other, policy), policy, reference=other.reference, other=request.reference, due_day=due.due,
        link=link_to(other, settings),
    )  # fmt: skip
    await tell(other, message, at=at)


async def _widen(other: RequestView, request: RequestView) -> None:
    """Let the open request cover what the form asks for besides, while nothing has been done for it yet."""
    more = [category for category in request.categories if category not in other.categories]
    if more and other.state in {"received", "deciding"}:
        await SubjectRequest.update({SubjectRequest.categories: [*other.categories, *more]}).where(
            SubjectRequest.id == other.id
        )


async def _open_one(subject: UUID, right: str) -> RequestView | None:
    if right not in ONE_AT_A_TIME:
        return None
    row = await SubjectRequest.select().where(
        (SubjectRequest.subject == subject) & (SubjectRequest.right == right) & SubjectRequest.closed_at.is_null()
    ).first()  # fmt: skip
    return msgspec.convert(row, RequestView) if row else None

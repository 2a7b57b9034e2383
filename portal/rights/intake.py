"""Take a request in: one transaction that holds the request, its dates, evidence, the acknowledgement and the work.

Always true here: whatever the door, the day of receipt is the day it reached us; a person has at most one open request
for a copy, for a file to take along or for erasure, and asking again gives back the same one.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from portal.database import engine
from portal.jobs import enqueue
from portal.mail.messages import request_received
from portal.mail.outbox import post
from portal.mail.wording import asked_in_words
from portal.policy.model import Policy
from portal.rights import restriction, stopped_uses
from portal.rights.answer import end
from portal.rights.deadlines import Inputs, deadline, inputs_for, to_json
from portal.rights.lifecycle import NotPossible, Right
from portal.rights.person import address_of
from portal.rights.plans import plan_of
from portal.rights.requests import RequestView, find, find_by_id
from portal.rights.tables import RequestMessage, SubjectRequest
from portal.rights.tasks import drop_open
from portal.rights.timeline import record
from portal.settings import Settings
from portal.words import Words

INQUIRIES = frozenset({"inquiry", "complaint", "child"})
"""Not the exercise of a right, or not by the person: answered as every privacy inquiry is."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What reaches us. `text` is the person's own wording and is kept as it came."""

    right: Right
    subject: UUID | None
    """None until it is proven whose data it is about."""
    language: str
    categories: tuple[str, ...] = ()
    format: str = "all"
    """all (ZIP) or pdf"""
    channel: str = "portal"
    about: UUID | None = None
    text: str = ""
    author: str = "person"
    actor: str = ""
    """Who had it taken in, when that is not the author: `staff:<id>`."""
    state: str = "received"
    """received, or verifying while it is not proven who asks"""
    received_at: datetime


class Opened(msgspec.Struct, frozen=True):
    """A request, and whether it was there already."""

    request: RequestView
    existing: bool


type Then = Callable[[RequestView], Awaitable[None]]
"""What else belongs into the transaction that takes a request in."""


async def open_request(
    asked: Asked, *, policy: Policy, public_url: str, at: datetime, then: Then | None = None, receipt: bool = True
) -> Opened:
    """Open a request, or return the one that is open already where there is only one at a time.

    `receipt` is False where another mail of the same moment says more.
    """
    try:
        async with engine().transaction():
            request = await take_in(asked, policy=policy, public_url=public_url, at=at, receipt=receipt)
            if then is not None:
                await then(request)
    except asyncpg.UniqueViolationError:
        return Opened(await _open_one(asked), existing=True)
    return Opened(request, existing=False)


async def open_access(
    *,
    subject_id: UUID,
    categories: tuple[str, ...],
    format: str,
    language: str,
    policy: Policy,
    public_url: str,
    at: datetime,
    right: Right = "access",
) -> Opened:
    """Open a request for a copy, or return the one that is open already.

    `categories` are ids of the policy; `format` is `all` (ZIP) or `pdf`.
    """
    asked = Asked(
        right=right, subject=subject_id, categories=categories, format=format, language=language, received_at=at
    )
    return await open_request(asked, policy=policy, public_url=public_url, at=at, then=begin_copy)


async def begin_copy(request: RequestView) -> None:
    """Have the copy made; inside the caller's transaction."""
    await enqueue("rights.export", {"request": str(request.id)}, key=f"export:{request.id}")


async def take_in(asked: Asked, *, policy: Policy, public_url: str, at: datetime, receipt: bool = True) -> RequestView:
    """Store a request with its dates, words and evidence, and acknowledge it, inside the caller's transaction.

    Raises:
        asyncpg.UniqueViolationError: one of its kind is open for this person.
    """
    inputs = clock_of(asked.right, asked.received_at, policy)
    due = deadline(inputs)
    number = (await SubjectRequest.raw("SELECT nextval('request_reference') AS n"))[0]["n"]
    reference = f"DR-{due.received.year}-{number:04d}"
    request = SubjectRequest(
        reference=reference, subject=asked.subject, right=asked.right, channel=asked.channel, about=asked.about,
        categories=list(asked.categories), format=asked.format, language=asked.language, state=asked.state,
        received_at=asked.received_at, promise_day=due.promise, law_day=due.law, due_day=due.due,
        act_by_day=due.act_by, clock=to_json(inputs),
    )  # fmt: skip
    await request.save()
    if asked.text:
        await RequestMessage(
            request=request.id, at=asked.received_at, author=asked.author, kind="message", text=asked.text
        ).save()  # fmt: skip
    await record(
        request.id, reference, "received", at=at, actor=asked.actor or asked.author,
        details={"right": asked.right, "channel": asked.channel, "categories": len(asked.categories),
                 "received_at": asked.received_at.isoformat(), "due": due.due.isoformat()},
    )  # fmt: skip
    view = await find_by_id(request.id)
    if receipt and asked.subject is not None:
        await _acknowledge(view, policy, public_url, at)
    return view


async def withdraw(
    reference: str, subject_id: UUID, *, policy: Policy, settings: Settings, at: datetime
) -> None:  # fmt: skip
    """Close an open request because the person says so. Idempotent; what runs for it stops at its next step.

    A pause or a stopped use that was asked for with it ends too.

    Raises:
        NotFound: when it is not theirs.
        NotPossible: it is being carried out already and cannot be called back, or it is what somebody else reported
            about their account: only a person of ours ends that.
    """
    request = await find(reference, subject_id)
    if not request.is_open:
        return
    if request.right == "child":
        raise NotPossible
    async with engine().transaction():
        await end(request, "withdrawn", event="withdrawn", policy=policy, settings=settings, at=at, actor="person")
        if await plan_of(request.id, "erase"):
            raise NotPossible
        if request.right in {"restriction", "objection"}:
            await drop_open(request.id, at=at, actor="person")
            await restriction.lift(request.id, reference, at=at, actor="person")
            await stopped_uses.resume(request.id, reference, policy, at=at, actor="person")


def clock_of(right: Right, received_at: datetime, policy: Policy) -> Inputs:
    """Return what the dates of a new request are computed from: the promise for rights, or for plain questions."""
    return inputs_for(received_at, policy, inquiry=right in INQUIRIES, complaint=right == "complaint")


async def _acknowledge(request: RequestView, policy: Policy, public_url: str, at: datetime) -> None:
    words = Words(request.language, policy.controller.zone)
    message = request_received(
        words, policy, reference=request.reference, due_day=request.due_day, what=asked_in_words(words, request.right),
        link=f"{public_url}/{request.language}/requests/{request.reference}",
    )  # fmt: skip
    to = await address_of(request.owner)
    await post(message, to=to, language=request.language, reference=request.reference, at=at)


async def _open_one(asked: Asked) -> RequestView:
    row = await SubjectRequest.select().where(
        (SubjectRequest.subject == asked.subject)
        & (SubjectRequest.right == asked.right)
        & SubjectRequest.closed_at.is_null()
    ).first()  # fmt: skip
    return msgspec.convert(row, RequestView)

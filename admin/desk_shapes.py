"""What the desk shows of one request: everything about it.

Always true here: the whole of one request is read only by opening it,
and that is evidence.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import NotFound
from portal.evidence.log import append
from portal.policy.model import Policy
from portal.rights import clocks, corrections
from portal.rights.corrections import CorrectionView, Values
from portal.rights.deadlines import Deadline
from portal.rights.intake_forms import FormView, form_of
from portal.rights.messages import MessageView, messages_of
from portal.rights.out_of_use import InPlace, in_place
from portal.rights.plan_shapes import Steps, steps_of
from portal.rights.plans import plan_of
from portal.rights.requests import REFERENCE, RequestView, TimelineView, find_by_id, timeline_of
from portal.rights.stopped_uses import Stopped, stopped
from portal.rights.tables import SubjectRequest
from portal.rights.tasks import TaskView, tasks_of
from portal.settings import Settings
from portal.words import Words


class File(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one request."""

    request: RequestView
    due: Deadline
    messages: Sequence[MessageView]
    timeline: Sequence[TimelineView]
    steps: Sequence[Steps]
    tasks: Sequence[TaskView]
    form: FormView | None
    pause: InPlace | None
    use: Stopped | None
    correction: CorrectionView | None
    values: Values | None
    erasing: bool
    """True while an erasure is planned or under way."""


async def by_reference(reference: str) -> RequestView:
    """Return a request for staff. Raises: NotFound."""
    row = await _id_of(reference) if REFERENCE.fullmatch(reference) else None
    if row is None:
        raise NotFound
    return await find_by_id(row)


async def open_file(
    request: RequestView, words: Words, policy: Policy, settings: Settings, *, at: datetime, actor: str
) -> File:
    """Return everything about a request. That it was read, and by whom, is evidence. Source: law S-19."""
    async with engine().transaction():
        await append("staff:request:opened", at=at, actor=actor, reference=request.reference)
    subject = request.subject
    correction = await corrections.of_request(request.id)
    return File(
        request=request,
        due=await clocks.deadline_of(request.id),
        messages=await messages_of(request.id),
        timeline=await timeline_of(request.id),
        steps=await steps_of(words, policy, request),
        tasks=await tasks_of(request.id),
        form=await _form(request.id),
        pause=next((one for one in await in_place(subject) if one.request == request.id), None) if subject else None,
        use=next((one for one in await stopped(subject) if one.request == request.id), None) if subject else None,
        correction=correction,
        values=await corrections.values_of(correction, settings) if correction else None,
        erasing=await plan_of(request.id, "erase") is not None,
    )


async def decided_by(request: UUID | None, actor: str) -> bool:
    """Tell whether a member of staff wrote the letter of a request: somebody else should look at a complaint."""
    if request is None:
        return False
    rows = await engine().run_querystring(
        QueryString(
            "SELECT EXISTS (SELECT FROM evidence e JOIN subject_request r ON r.reference = e.reference WHERE r.id = {}"
            " AND e.event = 'rights:letter:written' AND e.actor = {}) AS same",
            request, actor,
        )
    )  # fmt: skip
    return bool(rows[0]["same"])


async def _id_of(reference: str) -> UUID | None:
    row = await SubjectRequest.select(SubjectRequest.id).where(SubjectRequest.reference == reference).first()
    return row["id"] if row else None


async def _form(request: UUID) -> FormView | None:
    try:
        return await form_of(request)
    except NotFound:
        return None

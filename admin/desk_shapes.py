"""What the desk shows: the open requests by day, the open tasks, and everything about one request.

Always true here: lists hold references and no person; the whole of one request is read only by opening it, and that
is evidence.
"""

from collections.abc import Sequence
from datetime import date, datetime
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
from portal.rights.tables import SubjectRequest, Task
from portal.rights.tasks import TaskView, tasks_of
from portal.settings import Settings
from portal.words import Words

SOON, WEEK = 3, 7
"""Days left that put a request into the second and the third group."""


class Group(msgspec.Struct, frozen=True):
    """Requests whose day is about as near."""

    name: str
    """late, soon, week or later"""
    requests: tuple[RequestView, ...]


class OpenTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task with the request it belongs to."""

    task: TaskView
    reference: str


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


async def groups(today: date) -> list[Group]:
    """Return the open requests by the day that counts, those that are late first."""
    rows = await SubjectRequest.select().where(SubjectRequest.closed_at.is_null()).order_by(
        SubjectRequest.due_day, SubjectRequest.reference
    )  # fmt: skip
    requests = msgspec.convert(rows, list[RequestView])
    by_name: dict[str, list[RequestView]] = {"late": [], "soon": [], "week": [], "later": []}
    for request in requests:
        by_name[_group((request.due_day - today).days)].append(request)
    return [Group(name, tuple(found)) for name, found in by_name.items() if found]


async def unanswered() -> frozenset[UUID]:
    """Return the open requests in which the person wrote after they asked, and nobody of ours wrote since."""
    rows = await SubjectRequest.raw(
        "SELECT r.id FROM subject_request r WHERE r.closed_at IS NULL AND EXISTS (SELECT FROM request_message m"
        " WHERE m.request = r.id AND m.author <> 'staff' AND m.at > r.received_at AND NOT EXISTS (SELECT FROM"
        " request_message s WHERE s.request = r.id AND s.author = 'staff' AND s.at > m.at))"
    )
    return frozenset(row["id"] for row in rows)


async def open_tasks() -> list[OpenTask]:
    """Return every task that is not ended, the most urgent first. What is to be decided stands with the requests."""
    rows = await Task.raw(
        "SELECT t.*, r.reference FROM task t JOIN subject_request r ON r.id = t.request WHERE t.ended_at IS NULL"
        " AND t.kind <> 'decide'"
        " ORDER BY t.due_day, t.opened_at"
    )
    return [OpenTask(task=msgspec.convert(row, TaskView), reference=row["reference"]) for row in rows]


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


def _group(days: int) -> str:
    if days < 0:
        return "late"
    if days <= SOON:
        return "soon"
    return "week" if days <= WEEK else "later"


async def _id_of(reference: str) -> UUID | None:
    row = await SubjectRequest.select(SubjectRequest.id).where(SubjectRequest.reference == reference).first()
    return row["id"] if row else None


async def _form(request: UUID) -> FormView | None:
    try:
        return await form_of(request)
    except NotFound:
        return None

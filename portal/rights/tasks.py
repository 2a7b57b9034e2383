"""What only a person of ours can do for a request: tell a recipient, act in a system by hand, look and decide.

Always true here: a task has a day by which it is done, it is opened once for a row of a plan, and ending it is
evidence with who ended it.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import NotFound
from portal.evidence.log import append
from portal.jobs import enqueue
from portal.rights.lifecycle import NotPossible
from portal.rights.plans import JOB
from portal.rights.tables import PlanItem, Task

type TaskKind = Literal["tell", "by-hand", "refused", "silent", "left", "decide", "child", "identify", "redact"]
"""`tell` a recipient · `by-hand` a source has no means · `refused` a source says no · `silent` a source does not
answer · `left` a search found something again and again · `decide` what the person asked for · `child` check a
report · `identify` who is it · `redact` look at what may name others in a copy."""

BY_STAFF: tuple[TaskKind, ...] = ("tell", "by-hand", "refused", "silent", "left")
"""What somebody notes as done. The others end with what they ask for: a decision, an answer, a released copy."""

type Ending = Literal["done", "not-needed"]


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """One task."""

    id: UUID
    request: UUID
    item: UUID | None
    kind: TaskKind
    about: str
    state: str
    """open, asked (a recipient who has not answered yet), done or not-needed"""
    opened_at: datetime
    due_day: date
    asked_at: datetime | None
    ended_at: datetime | None
    reason: str


async def open_task(
    request: UUID, reference: str, kind: TaskKind, about: str, *, due: date, at: datetime, item: UUID | None = None
) -> None:
    """Open a task inside the caller's transaction; a row of a plan gets each kind once."""
    opened = await Task.raw(
        "INSERT INTO task (id, request, item, kind, about, state, opened_at, due_day, ended_by, reason)"
        " VALUES (gen_random_uuid(), {}, {}, {}, {}, 'open', {}, {}, '', '')"
        " ON CONFLICT (item, kind) WHERE item IS NOT NULL DO NOTHING RETURNING id",
        request, item, kind, about, at, due,
    )  # fmt: skip
    if opened:
        details = {"kind": kind, "about": about, "due": due.isoformat()}
        await append("rights:task:opened", at=at, actor="worker", reference=reference, details=details)


async def tasks_of(request: UUID) -> list[TaskView]:
    """Return the tasks of a request, oldest first."""
    rows = await Task.select().where(Task.request == request).order_by(Task.opened_at)
    return msgspec.convert(rows, list[TaskView])


async def asked(id: UUID, *, at: datetime, actor: str) -> None:
    """Note that a recipient was written to and has not answered yet.

    Raises:
        NotPossible: the task has ended.
    """
    await _change(id, "asked", at=at, actor=actor)


async def end_task(id: UUID, ending: Ending, *, at: datetime, actor: str, reason: str = "") -> None:
    """End a task. What a plan waited for is done by that, and the plan goes on.

    Raises:
        NotFound: there is no such task.
        NotPossible: it has ended already, or ends with what it asks for and not by itself.
    """
    await _change(id, ending, at=at, actor=actor, reason=reason)


async def drop_open(request: UUID, *, at: datetime, actor: str) -> None:
    """End every open task of a request inside the caller's transaction: nobody needs to do it any more."""
    await Task.update({Task.state: "not-needed", Task.ended_at: at, Task.ended_by: actor}).where(
        (Task.request == request) & Task.ended_at.is_null()
    )  # fmt: skip


async def drop_trouble(items: Sequence[UUID], *, at: datetime) -> None:
    """End what was left to a person about rows of a plan which their source has done by itself since. Idempotent."""
    await Task.update({
        Task.state: "not-needed", Task.ended_at: at, Task.ended_by: "worker",
        Task.reason: "The place has done it by itself since.",
    }).where(
        Task.item.is_in(list(items)) & Task.kind.is_in(["by-hand", "refused", "silent"]) & Task.ended_at.is_null()
    )  # fmt: skip


async def _change(id: UUID, state: str, *, at: datetime, actor: str, reason: str = "") -> None:
    if not await Task.exists().where(Task.id == id):
        raise NotFound
    over = state != "asked"
    async with engine().transaction():
        rows = await Task.raw(
            "UPDATE task t SET state = {}, reason = {}, asked_at = CASE WHEN {} THEN t.asked_at ELSE {} END,"
            " ended_at = CASE WHEN {} THEN {}::timestamptz END, ended_by = CASE WHEN {} THEN {} ELSE '' END"
            " FROM subject_request r WHERE t.id = {} AND t.ended_at IS NULL AND t.kind = ANY({}) AND r.id = t.request"
            " RETURNING t.item, t.kind, t.about, r.reference",
            state, reason, over, at, over, at, over, actor, id, list(BY_STAFF),
        )  # fmt: skip
        if not rows:
            raise NotPossible
        row = rows[0]
        details = {"kind": row["kind"], "about": row["about"], "reason": reason}
        await append(f"rights:task:{state}", at=at, actor=actor, reference=row["reference"], details=details)
        if over and row["item"]:
            await _go_on(row["item"], state, at)


async def _go_on(item: UUID, state: str, at: datetime) -> None:
    """What the task stands for is done by hand: the row, and for a system every row of it. Its plan goes on.

    A row that a source has done meanwhile stays as it is.
    """
    means = "by-hand" if state == "done" else "not-needed"
    done = await PlanItem.raw(
        "UPDATE plan_item i SET state = 'done', means = {}, error = '', done_at = {} FROM plan_item t"
        " WHERE t.id = {} AND i.plan = t.plan AND i.source = t.source AND i.state <> 'done'"
        " AND (i.id = t.id OR (i.action <> 'tell' AND t.action <> 'tell')) RETURNING i.plan",
        means, at, item,
    )  # fmt: skip
    if done:
        await enqueue(JOB, {"plan": str(done[0]["plan"])}, key=f"plan:{done[0]['plan']}:{item}")

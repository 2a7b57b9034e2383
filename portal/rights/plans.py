"""Plans: what is to be done in several systems for one request, one row each, and how far each row is.

Always true here: a row changes in one statement with its evidence; a plan that was cancelled or done is never
carried out again.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

import msgspec

from portal.database import engine
from portal.evidence.log import append
from portal.jobs import enqueue
from portal.rights.lifecycle import NotPossible
from portal.rights.tables import Plan, PlanItem

JOB = "rights.plan"
DUE = "SELECT id FROM plan WHERE state IN ('approved', 'running', 'scanning') AND runs_at <= {}"

type Kind = Literal["erase", "restrict", "lift", "rectify"]


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One source and category of a plan, or one recipient to be told."""

    id: UUID
    position: int
    source: str
    category: str
    action: str
    ground: str
    until: date | None
    expected: int | None
    state: str
    """waiting, working, done, failed or by-hand"""
    means: str
    handle: str
    error: str
    tries: int
    failed_at: datetime | None
    done_at: datetime | None

    @property
    def over(self) -> bool:
        """True when nothing more is to be done for it."""
        return self.state == "done"

    @property
    def by_hand(self) -> bool:
        """True while a person of ours has to do it: the system has no means, or says no."""
        return self.state == "by-hand" or (self.state == "failed" and self.error == "refused")


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A plan and the request it is for."""

    id: UUID
    request: UUID
    reference: str
    subject: UUID
    language: str
    received_at: datetime
    due_day: date
    kind: Kind
    digest: str
    whole: bool
    state: str
    """approved, running, scanning, done or cancelled"""
    pseudonym: UUID
    known: bytes | None
    rounds: int
    approved_at: datetime
    runs_at: datetime
    begun_at: datetime | None
    done_at: datetime | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a plan before it is stored."""

    source: str
    category: str = ""
    action: str
    ground: str = ""
    until: date | None = None
    expected: int | None = None


async def lay(
    request: UUID,
    reference: str,
    kind: Kind,
    lines: Sequence[Line],
    *,
    at: datetime,
    runs_at: datetime,
    actor: str,
    digest: str = "",
    whole: bool = False,
) -> UUID:
    """Store a plan inside the caller's transaction, and have it carried out from `runs_at` on. Returns its id."""
    id = uuid4()
    await Plan(
        id=id, request=request, kind=kind, digest=digest, whole=whole, pseudonym=uuid4(), approved_at=at,
        runs_at=runs_at,
    ).save()  # fmt: skip
    await PlanItem.insert(*(
        PlanItem(
            plan=id, position=position, source=line.source, category=line.category, action=line.action,
            ground=line.ground, until=line.until, expected=line.expected,
        )
        for position, line in enumerate(lines)
    ))  # fmt: skip
    details = {"kind": kind, "items": len(lines), "digest": digest, "runs_at": runs_at.isoformat()}
    await append("rights:plan:laid", at=at, actor=actor, reference=reference, details=details)
    if runs_at <= at:
        await enqueue(JOB, {"plan": str(id)}, key=f"plan:{id}:start")
    return id


async def find_plan(id: UUID) -> PlanView | None:
    """Return a plan by its id."""
    rows = await Plan.raw(f"{_SELECT} WHERE p.id = {{}}", id)
    return msgspec.convert(rows[0], PlanView) if rows else None


async def plan_of(request: UUID, kind: Kind) -> PlanView | None:
    """Return the living plan of a kind for a request, done or not; None when there is none."""
    rows = await Plan.raw(
        f"{_SELECT} WHERE p.request = {{}} AND p.kind = {{}} AND p.state <> 'cancelled'", request, kind
    )
    return msgspec.convert(rows[0], PlanView) if rows else None


async def plans_of(request: UUID) -> list[PlanView]:
    """Return every plan of a request, cancelled ones too, oldest first."""
    rows = await Plan.raw(f"{_SELECT} WHERE p.request = {{}} ORDER BY p.approved_at, p.kind DESC", request)
    return msgspec.convert(rows, list[PlanView])


async def items_of(plan: UUID) -> list[ItemView]:
    """Return the rows of a plan in the order in which they are carried out."""
    rows = await PlanItem.select().where(PlanItem.plan == plan).order_by(PlanItem.position)
    return msgspec.convert(rows, list[ItemView])


async def begin(plan: PlanView, known: bytes, expected: Sequence[tuple[UUID, int | None]], *, at: datetime) -> None:
    """Note inside the caller's transaction that the work has begun, on what, and how much there was.

    Raises:
        NotPossible: it was cancelled, or has begun already.
    """
    begun = await (
        Plan.update({Plan.state: "running", Plan.begun_at: at, Plan.known: known})
        .where((Plan.id == plan.id) & (Plan.state == "approved"))
        .returning(Plan.id)
    )
    if not begun:
        raise NotPossible
    for id, number in expected:
        await PlanItem.update({PlanItem.expected: number}).where(PlanItem.id == id)
    await append("rights:plan:begun", at=at, actor="worker", reference=plan.reference, details={"kind": plan.kind})


async def cancel(plan: PlanView, *, at: datetime, actor: str) -> None:
    """Cancel a plan that has not begun, inside the caller's transaction.

    Raises:
        NotPossible: it has begun, or was cancelled already.
    """
    cancelled = await (
        Plan.update({Plan.state: "cancelled", Plan.done_at: at})
        .where((Plan.id == plan.id) & (Plan.state == "approved"))
        .returning(Plan.id)
    )
    if not cancelled:
        raise NotPossible
    await append("rights:plan:cancelled", at=at, actor=actor, reference=plan.reference, details={"kind": plan.kind})


async def turn(plan: PlanView, state: str, *, at: datetime) -> bool:
    """Move a plan that is being carried out to `scanning`, `running` (again) or `done`, in the caller's transaction.

    Returns False when it is there already.
    """
    moved = await (
        Plan.update({Plan.state: state, Plan.done_at: at if state == "done" else None})
        .where((Plan.id == plan.id) & Plan.state.is_in(["running", "scanning"]) & (Plan.state != state))
        .returning(Plan.id)
    )
    if moved:
        await append(
            f"rights:plan:{state}", at=at, actor="worker", reference=plan.reference, details={"kind": plan.kind}
        )
    return bool(moved)


async def finished(
    plan: PlanView, items: Sequence[ItemView], means: str, *, at: datetime, actor: str = "worker"
) -> None:
    """Mark rows as done, once, in one transaction with their evidence."""
    async with engine().transaction():
        done = await (
            PlanItem.update({PlanItem.state: "done", PlanItem.means: means, PlanItem.error: "", PlanItem.done_at: at})
            .where(PlanItem.id.is_in([item.id for item in items]) & (PlanItem.state != "done"))
            .returning(PlanItem.source, PlanItem.category, PlanItem.action)
        )
        for row in done:
            details = {**row, "means": means}
            await append("rights:item:done", at=at, actor=actor, reference=plan.reference, details=details)


async def under_way(items: Sequence[ItemView], means: str, handle: str) -> None:
    """Note that a source works on it by itself, and what it calls that."""
    await PlanItem.update({
        PlanItem.state: "working", PlanItem.means: means, PlanItem.handle: handle, PlanItem.error: "",
    }).where(PlanItem.id.is_in([item.id for item in items]))  # fmt: skip


async def failed(plan: PlanView, items: Sequence[ItemView], error: str, *, at: datetime) -> None:
    """Note that a source did not do it. The first time, and when the reason changes, this is evidence too."""
    async with engine().transaction():
        for item in items:
            await PlanItem.update({
                PlanItem.state: "failed", PlanItem.error: error, PlanItem.tries: PlanItem.tries + 1,
                PlanItem.failed_at: at if item.failed_at is None else item.failed_at,
            }).where((PlanItem.id == item.id) & (PlanItem.state != "done"))  # fmt: skip
            if item.error != error:
                details = {"source": item.source, "category": item.category, "error": error}
                await append("rights:item:failed", at=at, actor="worker", reference=plan.reference, details=details)


async def reopen(plan: PlanView, sources: Sequence[str], *, at: datetime) -> None:
    """Have sources do their rows again, because something was found there, inside the caller's transaction."""
    await PlanItem.update({
        PlanItem.state: "waiting", PlanItem.error: "left", PlanItem.handle: "", PlanItem.done_at: None,
    }).where(
        (PlanItem.plan == plan.id) & PlanItem.source.is_in(list(sources)) & (PlanItem.action != "tell")
    )  # fmt: skip
    await Plan.update({Plan.rounds: Plan.rounds + 1}).where(Plan.id == plan.id)
    for source in sources:
        await append(
            "rights:item:reopened", at=at, actor="worker", reference=plan.reference, details={"source": source}
        )


async def again(plan: PlanView, delay: timedelta, *, at: datetime) -> None:
    """Have the plan looked at again after `delay`."""
    await Plan.update({Plan.runs_at: at + delay}).where((Plan.id == plan.id) & (Plan.state != "approved"))


async def enqueue_due(*, at: datetime) -> int:
    """Enqueue every plan whose time has come; the schedule calls this each minute. Returns how many."""
    rows = await Plan.raw(DUE, at)
    for row in rows:
        async with engine().transaction():
            await enqueue(JOB, {"plan": str(row["id"])}, key=f"plan:{row['id']}")
    return len(rows)


_SELECT = (
    "SELECT p.*, r.reference, r.subject, r.language, r.received_at, r.due_day"
    " FROM plan p JOIN subject_request r ON r.id = p.request"
)

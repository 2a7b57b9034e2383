"""What staff can do about something that failed: try it again, skip it with a reason, or note that it is done by hand.

Always true here: of two who act on the same failure one does, and the other is told; what was skipped or done by hand
never runs by itself afterwards; every act is evidence, with a digest of the reason and not its words.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.database import engine
from portal.errors import Invalid, NotFound, Refused
from portal.evidence.log import append
from portal.jobs import drop, enqueue, requeue
from portal.mail.messages.again import written_again
from portal.policy.model import Policy
from portal.rights import plans
from portal.rights.erasure_end import after_task
from portal.rights.failures import Action, Failure, find_failure
from portal.rights.reach import reach_of, write_to
from portal.rights.replies import words_for
from portal.rights.requests import find_by_id
from portal.rights.tables import Plan, SubjectRequest, Task
from portal.rights.tables_alarms import FailureEnd
from portal.rights.tasks import end_task
from portal.settings import Settings

LONGEST_REASON = 200
HOW: Mapping[Action, str] = {"retry": "retried", "skip": "skipped", "by-hand": "by-hand"}


class Mended(Refused):
    """Somebody was faster, or it has mended itself."""

    status = 409
    sentence = "Somebody has seen to this already, or it has mended itself. Look at the list again."


@dataclass(frozen=True)
class Act:
    """What a member of staff does about a failure."""

    failure: Failure
    action: Action
    reason: str
    policy: Policy
    settings: Settings
    at: datetime
    actor: str

    @property
    def number(self) -> str:
        """What stands after the kind in the failure's id."""
        return self.failure.id.partition(":")[2]


async def mend(
    id: str, turn: int, action: Action, *, reason: str = "", policy: Policy, settings: Settings, at: datetime,
    actor: str, reference: str = "",
) -> None:  # fmt: skip
    """Act on the failure that was seen at `turn`; with a `reference`, only if it belongs to that request.

    Raises:
        Mended: it is not there any more, or somebody acted on it since.
        Invalid: a reason is missing, or this failure does not permit this.
    """
    failure = await find_failure(id, policy, at=at)
    if failure is None or failure.turn != turn or (reference and failure.reference != reference):
        raise Mended
    if action not in failure.actions:
        raise Invalid("This cannot be done about it.")
    reason = reason.strip()[:LONGEST_REASON]
    if action != "retry" and not reason:
        raise Invalid("Say why it is skipped, or what you did.", field="reason")
    act = Act(failure, action, reason, policy, settings, at, actor)
    if action == "by-hand" and failure.kind in {"place", "recipient"}:
        await _end_tasks(act)
        return
    async with engine().transaction():
        await _claim(act)
        if action == "retry":
            await _RETRIES[failure.kind](act)
        elif failure.kind == "job" and not await drop(int(act.number)):
            raise Mended


async def _claim(act: Act) -> None:
    """Be the one who acts on this turn of the failure, inside the caller's transaction, and write it down."""
    failure, how = act.failure, HOW[act.action]
    mine = await FailureEnd.raw(
        "INSERT INTO failure_end (key, how, at, by, reason) VALUES ({}, {}, {}, {}, {}) ON CONFLICT DO NOTHING"
        " RETURNING key",
        f"{failure.id}#{failure.turn}", how, act.at, act.actor, act.reason,
    )  # fmt: skip
    if not mine:
        raise Mended
    details: dict[str, str | int | bool | None] = {
        "failure": failure.id,
        "what": failure.what,
        "error": failure.error,
        "turn": failure.turn,
    }
    if act.reason:
        details["reason_sha256"] = hashlib.sha256(act.reason.encode()).hexdigest()
    await append(
        f"staff:failure:{how}", at=act.at, actor=act.actor, reference=failure.reference, details=details
    )  # fmt: skip


async def _retry_job(act: Act) -> None:
    if not await requeue(int(act.number)):
        raise Mended


async def _retry_mail(act: Act) -> None:
    """Write again that there is something to read; what it was is on the request's page."""
    request = await find_by_id(await _request_of(act.failure.reference))
    try:
        reach = await reach_of(request, act.settings)
    except NotFound:
        reach = None
    if reach is None:
        raise Invalid("Nobody can be written to about this request any more.")
    message = written_again(
        words_for(request, act.policy), act.policy, kind=act.failure.what, reference=request.reference, link=reach.link
    )  # fmt: skip
    await write_to(reach, message, request, at=act.at)


async def _retry_place(act: Act) -> None:
    """Have the plan carried out now, whenever its next turn would have been."""
    plan = act.number.partition(":")[0]
    await Plan.update({Plan.runs_at: act.at}).where((Plan.id == UUID(plan)) & (Plan.runs_at > act.at))
    await enqueue(plans.JOB, {"plan": plan}, key=f"plan:{plan}")


async def _retry_copy(act: Act) -> None:
    """Ask the places that failed again now, as the person's own button does."""
    request = act.number.partition(":")[0]
    await enqueue("rights.export", {"request": request, "once": "yes"}, key=f"export:{request}:now")


async def _end_tasks(act: Act) -> None:
    """End the tasks that stand for it: that ends the plan's rows, too, and the plan goes on."""
    for task in await _tasks_of(act):
        await end_task(task, "done", at=act.at, actor=act.actor, reason=act.reason)
        await after_task(task, policy=act.policy, settings=act.settings, at=act.at)


async def _tasks_of(act: Act) -> list[UUID]:
    if act.failure.kind == "recipient":
        return [UUID(act.number)]
    plan, _, source = act.number.partition(":")
    rows = await Task.raw(
        "SELECT t.id FROM task t JOIN plan_item i ON i.id = t.item WHERE i.plan = {} AND i.source = {}"
        " AND t.ended_at IS NULL AND t.kind IN ('silent', 'refused', 'by-hand') ORDER BY t.opened_at",
        UUID(plan), source,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def _request_of(reference: str) -> UUID:
    row = await SubjectRequest.select(SubjectRequest.id).where(SubjectRequest.reference == reference).first()
    if row is None:
        raise Mended
    return UUID(str(row["id"]))


_RETRIES: Mapping[str, Callable[[Act], Awaitable[None]]] = {
    "job": _retry_job, "mail": _retry_mail, "place": _retry_place, "copy": _retry_copy,
}  # fmt: skip

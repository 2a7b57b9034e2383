"""Ask the person something about their request, and take the answer.

Always true here: one question waits at a time; the clock goes on meanwhile unless a law says otherwise; not answering
closes nothing by itself; the question's text stays on the request's page. Source: GDPR Art. 12(6); law D11 to D14.
"""

from contextlib import suppress
from datetime import datetime
from typing import Literal

from portal.database import engine
from portal.errors import Invalid
from portal.mail.messages import question
from portal.policy.model import Policy
from portal.rights import clocks, deadlines
from portal.rights.deadlines import Inputs, Paused
from portal.rights.letters import case_of, identity_question
from portal.rights.lifecycle import NotPossible, move
from portal.rights.messages import checked, store
from portal.rights.replies import enclose, link_to, tell, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import SubjectRequest, Task
from portal.rights.tasks import open_task
from portal.rights.timeline import record
from portal.settings import Settings

type Kind = Literal["none", "identity", "clarification"]
"""What is asked: something that concerns no clock, who they are, or what they mean."""


async def ask(
    request: RequestView,
    text: str,
    *,
    kind: Kind = "none",
    doubt: str = "",
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> None:
    """Ask one question; the person is told by mail that there is one.

    Asking who somebody is needs a `doubt`, in words for the person, and comes with the letter that the law wants; the
    request waits in `verifying`. The days of waiting count as the law says, see `deadlines.may_pause`.

    Raises:
        Invalid: it is empty or too long.
        NotPossible: the request has ended, a question waits already, or nobody can doubt any more who it is.
        NotFound: it is not known yet whose request it is.
        NotComplete: who they are is asked without a doubt.
    """
    plain = checked(text)
    async with engine().transaction():
        await _wait(request, waits=True)
        moves = await _note(request, kind, at)
        asked = await find_by_id(request.id)
        if kind == "identity":
            await _doubt(asked, plain, doubt, policy, moves=moves, at=at, actor=actor)
        await store(request, "staff", "question", plain, at=at)
        details = {"kind": kind, "moves": moves}
        await record(request.id, request.reference, "asked", at=at, actor=actor, details=details)
        message = question(
            words_for(request, policy), policy, reference=request.reference,
            due_day=None if moves else asked.due_day, link=link_to(request, settings),
        )  # fmt: skip
        await tell(request, message, at=at)


async def answer(request: RequestView, text: str, *, policy: Policy, settings: Settings, at: datetime) -> None:  # noqa: ARG001
    """Take the person's answer. When it was about who they are, a person of ours looks at it.

    Raises:
        Invalid: it is empty or too long.
        NotPossible: the request has ended, or no question waits.
    """
    plain = checked(text)
    async with engine().transaction():
        await _wait(request, waits=False)
        moved = await clocks.change(request.id, lambda inputs: _answered(inputs, at))
        await store(request, "person", "answer", plain, at=at)
        asked = await find_by_id(request.id)
        details = {"due": moved.after.due.isoformat()}
        if asked.state == "verifying":
            await move(
                request.id, request.reference, "deciding", event="answered-question", at=at, actor="person",
                details=details,
            )  # fmt: skip
            await _have_it_looked_at(asked, at)
        else:
            await record(
                request.id, request.reference, "answered-question", at=at, actor="person", details=details
            )  # fmt: skip


def waits_for_identity(inputs: Inputs) -> bool:
    """Tell whether we have asked who somebody is and have no answer."""
    return any(
        isinstance(event, Paused) and event.kind == "identity" and event.answered_at is None for event in inputs.events
    )


async def _wait(request: RequestView, *, waits: bool) -> None:
    changed = await (
        SubjectRequest.update({SubjectRequest.waits: waits})
        .where(
            (SubjectRequest.id == request.id)
            & (SubjectRequest.waits == (not waits))
            & SubjectRequest.closed_at.is_null()
        )
        .returning(SubjectRequest.id)
    )
    if not changed:
        raise NotPossible


async def _note(request: RequestView, kind: Kind, at: datetime) -> bool:
    """Tell the clock what was asked. Returns whether a law lets that move its day. Source: D11, D12."""
    if kind == "none":
        return False
    inputs = await clocks.inputs_of(request.id)
    moves = False
    with suppress(Invalid):
        deadlines.may_pause(inputs, kind=kind, asked_at=at)
        moves = True
    await clocks.change(request.id, lambda inputs: deadlines.pause(inputs, kind=kind, asked_at=at))
    return moves


async def _doubt(
    request: RequestView, text: str, doubt: str, policy: Policy, *, moves: bool, at: datetime, actor: str
) -> None:
    """Write the letter that goes with asking who somebody is, and wait for it. Source: GDPR Art. 12(6); 2f."""
    words = words_for(request, policy)
    letter = identity_question(
        words, policy, case_of(request, policy, at=at), doubt=(doubt,), asked_for=(text,), moves_the_date=moves
    )  # fmt: skip
    await enclose(request, letter, policy, at=at, actor=actor)
    if request.state != "verifying":
        await move(request.id, request.reference, "verifying", event="identity-doubted", at=at, actor=actor)


def _answered(inputs: Inputs, at: datetime) -> Inputs:
    known = deadlines.answer(inputs, kind="identity", answered_at=at)
    return deadlines.answer(known, kind="clarification", answered_at=at)


async def _have_it_looked_at(request: RequestView, at: datetime) -> None:
    """See to it that a person of ours has a task to decide, now that the answer is there."""
    waiting = (Task.request == request.id) & Task.kind.is_in(["decide", "identify"]) & Task.ended_at.is_null()
    if not await Task.exists().where(waiting):
        due = request.act_by_day or request.due_day
        await open_task(request.id, request.reference, "decide", request.right, due=due, at=at)

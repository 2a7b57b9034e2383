"""Somebody who no longer reaches the mailbox of their account: a person of ours finds out who it is.

Always true here: the answer goes to the portal of the account that staff found, never to an address that a form
named; asking more does not stop the clock but where a law says so; without an answer for 30 days the honest end is that
we could not tell. Source: GDPR Art. 11(2), 12(2), 12(6); law D11 to D13, S-01.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from portal.database import engine
from portal.errors import Invalid
from portal.evidence.log import append
from portal.identity.address import normalise
from portal.identity.sessions import subject_for
from portal.policy.model import Policy
from portal.rights import clocks, deadlines, letters
from portal.rights.answer import end
from portal.rights.intake_forms import FormView, form_of
from portal.rights.intake_sender import ask_sender, tell_sender
from portal.rights.intake_settle import settle
from portal.rights.lifecycle import NotPossible
from portal.rights.messages import checked, said_already
from portal.rights.replies import enclose, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import RequestMessage, SubjectRequest, Task
from portal.rights.tasks import open_task
from portal.rights.timeline import record
from portal.settings import Settings

METHODS = ("account-details", "address-on-record", "payment-details", "in-person", "telephone", "other")
"""How staff found out who it is. The details themselves are not noted. Source: law/rules.md, section 5."""


async def begin(request: RequestView, *, at: datetime) -> None:
    """Ask staff to find out who it is, inside the caller's transaction."""
    due = request.act_by_day or request.due_day
    await open_task(request.id, request.reference, "identify", "lost-mailbox", due=due, at=at)


async def identified(
    request: RequestView, account: str, *, method: str, policy: Policy, settings: Settings, at: datetime, actor: str
) -> RequestView:
    """Note that it is the person of this account (its e-mail address), and go on. Returns the request that goes on.

    What is asked for is answered in that account's portal. Giving the account another address is a second step, with a
    second pair of eyes.

    Raises:
        Invalid: no such method, or no address.
        NotPossible: it is not in question any more.
    """
    email = normalise(account)
    if method not in METHODS:
        raise Invalid("Say how you found out who it is.", field="method")
    async with engine().transaction():
        await _answered(request, at=at)
        subject = await subject_for(email, language=request.language, at=at)
        settled = await settle(
            request, subject, event="identified", policy=policy, settings=settings, at=at, actor=actor
        )  # fmt: skip
        await append(
            "rights:identity:established", at=at, actor=actor, reference=request.reference, details={"method": method}
        )
        await _end_tasks(request, at=at, actor=actor)
        if request.channel in {"mailbox", "agent"}:
            await ask_sender(await form_of(request.id), policy, settings, at=at)
    return settled


async def ask_more(
    request: RequestView, text: str, *, policy: Policy, settings: Settings, at: datetime, actor: str
) -> None:
    """Ask one thing more, of the mailbox that was confirmed. The clock stands only where the policy's law lets it.

    Raises:
        Invalid: the text is empty, or the same is asked already.
        NotPossible: it is not in question any more.
    """
    if not text.strip():
        raise Invalid("Write your question.", field="text")
    form = await form_of(request.id)
    async with engine().transaction():
        await _need_verifying(request)
        await clocks.change(request.id, lambda inputs: deadlines.pause(inputs, kind="identity", asked_at=at))
        await SubjectRequest.update({SubjectRequest.waits: True}).where(SubjectRequest.id == request.id)
        await RequestMessage(request=request.id, at=at, author="staff", kind="question", text=text.strip()).save()
        await record(request.id, request.reference, "asked", at=at, actor=actor)
        await ask_sender(form, policy, settings, at=at)


async def add_answer(form: FormView, text: str, *, at: datetime) -> None:
    """Take what the sender adds or answers. Sent twice, it is one message.

    Raises:
        Invalid: it is empty or too long.
        NotPossible: it is not in question any more.
    """
    words = checked(text)
    request = await find_by_id(form.request)
    async with engine().transaction():
        await _need_verifying(request)
        kind = "answer" if request.waits else "message"
        author = {"agent": "agent", "child": "reporter"}.get(form.kind, "person")
        if await said_already(request.id, author, words, at=at):
            return
        await _answered(request, at=at)
        await RequestMessage(request=request.id, at=at, author=author, kind=kind, text=words).save()
        await record(request.id, request.reference, "answered-question", at=at, actor=author)


async def unable(
    request: RequestView, *, facts: str, would_help: str, policy: Policy, settings: Settings, at: datetime, actor: str
) -> None:
    """Say that we cannot tell who it is, why, and what would help. Source: GDPR Art. 11(2), 12(2), 12(4).

    Raises:
        NotComplete: one of the two is empty.
        NotPossible: it is not in question any more.
    """
    words = words_for(request, policy)
    letter = letters.unidentified(
        words, policy, letters.case_of(request, policy, at=at), facts=(facts,), would_help=(would_help,)
    )  # fmt: skip
    async with engine().transaction():
        await _need_verifying(request)
        await enclose(request, letter, policy, at=at, actor=actor)
        await _end_tasks(request, at=at, actor=actor)
        await end(
            request, "unidentified", event="unidentified", policy=policy, settings=settings, at=at, actor=actor
        )  # fmt: skip
        await tell_sender(await form_of(request.id), policy, settings, at=at)


async def close_unanswered(policy: Policy, settings: Settings, *, at: datetime) -> int:
    """Answer those who never answered our question that we cannot tell who they are. Returns how many. Source: D13."""
    today, closed = at.astimezone(ZoneInfo(policy.controller.zone)).date(), 0
    rows = await SubjectRequest.raw(
        "SELECT r.id, r.clock FROM subject_request r JOIN intake_form f ON f.request = r.id"
        " WHERE r.state = 'verifying' AND r.waits AND r.subject IS NULL AND f.kind = 'lost'"
    )
    for row in rows:
        due = deadlines.deadline(deadlines.from_json(row["clock"]))
        if due.close_on is None or today < due.close_on:
            continue
        request = await find_by_id(row["id"])
        words = words_for(request, policy)
        facts = words("We asked you for something that only the holder of the account knows. You did not answer.")
        helps = words("Tell us what you remember of the account: when it began, what you did with it, what you paid.")
        await unable(
            request, facts=facts, would_help=helps, policy=policy, settings=settings, at=at, actor="worker",
        )  # fmt: skip
        closed += 1
    return closed


async def _answered(request: RequestView, *, at: datetime) -> None:
    """Let the clock run again, if it waited."""
    if request.waits:
        await clocks.change(request.id, lambda inputs: deadlines.answer(inputs, kind="identity", answered_at=at))
        await SubjectRequest.update({SubjectRequest.waits: False}).where(SubjectRequest.id == request.id)


async def _need_verifying(request: RequestView) -> None:
    found = await engine().connection.fetchval(
        "SELECT state FROM subject_request WHERE id = $1 FOR UPDATE", request.id
    )  # fmt: skip
    if found != "verifying":
        raise NotPossible


async def _end_tasks(request: RequestView, *, at: datetime, actor: str) -> None:
    await Task.update({Task.state: "done", Task.ended_at: at, Task.ended_by: actor}).where(
        (Task.request == request.id) & (Task.kind == "identify") & Task.ended_at.is_null()
    )

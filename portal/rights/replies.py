"""Give an answer: the letter that says it, what the request ends in, and the mail that it can be read.

Always true here: a letter that lacks a block stops the whole answer; what it says is stored with the request alone, and
evidence knows its kind and digest.
"""

from datetime import datetime

from portal.evidence.log import Details, append
from portal.mail.letter import Message
from portal.mail.messages import answered
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights.answer import end
from portal.rights.letters import Letter, Written, digest, render
from portal.rights.lifecycle import Outcome
from portal.rights.person import address_of
from portal.rights.reference import with_addition
from portal.rights.requests import RequestView
from portal.rights.tables import RequestMessage, Task
from portal.settings import Settings
from portal.words import Words


async def enclose(
    request: RequestView, letter: Letter, policy: Policy, *, at: datetime, actor: str
) -> Written:  # fmt: skip
    """Store a letter with its request, open or not, inside the caller's transaction.

    Raises:
        NotComplete: a required block is empty.
    """
    written = render(await with_addition(letter, request.language), words_for(request, policy), policy)
    await RequestMessage(request=request.id, at=at, author="staff", kind="letter", text=written.text).save()
    details = {"letter": written.kind, "sha256": digest(written)}
    await append("rights:letter:written", at=at, actor=actor, reference=request.reference, details=details)
    return written


async def reply(
    request: RequestView,
    letter: Letter,
    outcome: Outcome,
    *,
    event: str,
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
    mail: Message | None = None,
    details: Details | None = None,
) -> None:
    """End a request with its letter inside the caller's transaction; what was left to decide is decided by that.

    `mail` is sent instead of the one that says that there is an answer; `details` go into the evidence of the end.

    Raises:
        NotComplete: a required block of the letter is empty.
        NotPossible: the request has ended already.
    """
    await enclose(request, letter, policy, at=at, actor=actor)
    await decided(request, at=at, actor=actor)
    await end(
        request, outcome, event=event, policy=policy, settings=settings, at=at, actor=actor, details=details
    )  # fmt: skip
    link = link_to(request, settings)
    words = words_for(request, policy)
    message = mail or answered(words, policy, reference=request.reference, link=link)
    await tell(request, message, at=at)


async def decided(request: RequestView, *, at: datetime, actor: str) -> None:
    """End the tasks that asked for a decision on a request, inside the caller's transaction. Idempotent."""
    await Task.update({Task.state: "done", Task.ended_at: at, Task.ended_by: actor}).where(
        (Task.request == request.id) & (Task.kind == "decide") & Task.ended_at.is_null()
    )  # fmt: skip


async def tell(request: RequestView, message: Message, *, at: datetime) -> None:
    """Write to the person of a request, inside the caller's transaction."""
    to = await address_of(request.owner)
    await post(message, to=to, language=request.language, reference=request.reference, at=at)


def link_to(request: RequestView, settings: Settings) -> str:
    """Return the address of a request's page."""
    return f"{settings.public_url}/{request.language}/requests/{request.reference}"


def words_for(request: RequestView, policy: Policy) -> Words:
    """Return the words of the request's own language."""
    return Words(request.language, policy.controller.zone)

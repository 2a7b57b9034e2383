"""Ask the person something about their request, and take the answer.

Always true here: one question waits at a time; the clock goes on meanwhile unless a law says otherwise; not answering
closes nothing; the question's text stays on the request's page.
"""

from datetime import datetime

from portal.database import engine
from portal.mail.messages import question
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights.lifecycle import NotPossible
from portal.rights.messages import checked, store
from portal.rights.person import address_of
from portal.rights.requests import RequestView
from portal.rights.tables import SubjectRequest
from portal.rights.timeline import record
from portal.settings import Settings
from portal.words import Words


async def ask(request: RequestView, text: str, *, policy: Policy, settings: Settings, at: datetime, actor: str) -> None:
    """Ask one question; the person is told by mail that there is one.

    Raises:
        Invalid: it is empty or too long.
        NotPossible: the request has ended, or a question waits already.
    """
    plain = checked(text)
    words = Words(request.language, policy.controller.zone)
    link = f"{settings.public_url}/{request.language}/requests/{request.reference}"
    async with engine().transaction():
        await _wait(request, waits=True)
        await store(request, "staff", "question", plain, at=at)
        await record(request.id, request.reference, "asked", at=at, actor=actor)
        message = question(words, policy, reference=request.reference, due_day=request.due_day, link=link)
        to = await address_of(request.owner)
        await post(message, to=to, language=request.language, reference=request.reference, at=at)


async def answer(request: RequestView, text: str, *, policy: Policy, settings: Settings, at: datetime) -> None:  # noqa: ARG001
    """Take the person's answer.

    Raises:
        Invalid: it is empty or too long.
        NotPossible: the request has ended, or no question waits.
    """
    plain = checked(text)
    async with engine().transaction():
        await _wait(request, waits=False)
        await store(request, "person", "answer", plain, at=at)
        await record(request.id, request.reference, "answered-question", at=at, actor="person")


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

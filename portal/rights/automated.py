"""The question whether a program alone decides about somebody: answered truthfully at once, and by a person if wanted.

Always true here: the answer is the policy's own; nobody is told that a person looked when none did; whoever insists
gets one, by a day. Source: GDPR Art. 15(1)(h), 22; law CG-20.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from portal.database import engine
from portal.policy.model import Policy
from portal.rights import messages
from portal.rights.intake import Asked, Opened, take_in
from portal.rights.letters import automated_answer, case_of
from portal.rights.lifecycle import move
from portal.rights.replies import enclose, reply, words_for
from portal.rights.requests import RequestView, find_by_id, requests_of
from portal.rights.tasks import open_task
from portal.settings import Settings

AGAIN = timedelta(days=1)
"""Asked for again within a day, the same answer is given back."""


async def ask(
    subject: UUID, *, insist: bool, text: str = "", language: str, policy: Policy, settings: Settings, at: datetime
) -> Opened:
    """Answer at once; with `insist` a person looks too, and until then the request stays open. One transaction.

    What is written the second time is added to the request while it is open.
    """
    asked = Asked(right="automated", subject=subject, language=language, text=text, received_at=at)
    async with engine().transaction():
        await engine().connection.execute("SELECT FROM subject WHERE id = $1 FOR UPDATE", subject)
        same = await _same(subject, insist=insist, at=at)
        id = same or await _begin(asked, insist=insist, policy=policy, settings=settings, at=at)
    opened = Opened(await find_by_id(id), existing=same is not None)
    await messages.add(opened, text, policy=policy, settings=settings, at=at)
    return opened


async def answer_by_person(
    request_id: UUID, findings: Sequence[str], *, policy: Policy, settings: Settings, at: datetime, actor: str
) -> None:
    """Say what a person found, in their own words, and end the request.

    Raises:
        NotPossible: it was answered already.
        NotComplete: `findings` hold an empty paragraph.
    """
    async with engine().transaction():
        request = await find_by_id(request_id)
        letter = automated_answer(
            words_for(request, policy), policy, case_of(request, policy, at=at), human=findings
        )  # fmt: skip
        await reply(
            request, letter, "fulfilled", event="looked-at", policy=policy, settings=settings, at=at, actor=actor
        )  # fmt: skip


async def _begin(asked: Asked, *, insist: bool, policy: Policy, settings: Settings, at: datetime) -> UUID:
    request = await take_in(asked, policy=policy, public_url=settings.public_url, at=at, receipt=insist)
    await _answer(request, insist=insist, policy=policy, settings=settings, at=at)
    return request.id


async def _answer(request: RequestView, *, insist: bool, policy: Policy, settings: Settings, at: datetime) -> None:
    words, case = words_for(request, policy), case_of(request, policy, at=at)
    if not insist:
        human = words("No person has looked at your case. If you want one to, ask for it; it is free.")
        letter = automated_answer(words, policy, case, human=[human])
        await reply(
            request, letter, "fulfilled", event="answered-at-once", policy=policy, settings=settings, at=at,
            actor="worker",
        )  # fmt: skip
        return
    human = words("A person will look at your case and answer you by {day}.", day=words.day(request.due_day))
    await enclose(request, automated_answer(words, policy, case, human=[human]), policy, at=at, actor="worker")
    await move(request.id, request.reference, "deciding", event="answered-at-once", at=at, actor="worker")
    due = request.act_by_day or request.due_day
    await open_task(request.id, request.reference, "decide", "automated", due=due, at=at)


async def _same(subject: UUID, *, insist: bool, at: datetime) -> UUID | None:
    """Return the request that a second click means: the open one, or the answer of today."""
    earlier = [one for one in await requests_of(subject) if one.right == "automated"]
    waiting = next((one.id for one in earlier if one.is_open), None)
    if waiting is not None or insist:
        return waiting
    return next((one.id for one in earlier if at - one.received_at < AGAIN), None)

"""Somebody acts for somebody else: the person is asked, by their own mailbox, whether that is so.

Always true here: nothing is done before the person said yes; what comes of it goes to the person's own portal, and
the agent sees how far it is and nothing more; the mandate is deleted when it is decided. Source: law S-01, S-16;
D2019 art. 77; design/ux.md, 5.
"""

from datetime import datetime

from exports.storage import Storage
from portal.database import engine
from portal.identity.sessions import subject_for
from portal.mail.messages import mandate
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights import uploads
from portal.rights.answer import end
from portal.rights.intake_answers import ANSWER_WITHIN, answer_once, mailed_lately, new_link, try_code
from portal.rights.intake_forms import FormView, lock_form
from portal.rights.intake_sender import tell_sender
from portal.rights.intake_settle import settle
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tasks import open_task
from portal.rights.timeline import record
from portal.settings import Settings
from portal.words import Words


async def begin(form: FormView, request: RequestView, *, policy: Policy, settings: Settings, at: datetime) -> None:
    """Ask the person, once the agent has shown that they can be reached, inside the caller's transaction.

    Whoever was asked several times today is asked tomorrow, by the clock.
    """
    if not await mailed_lately(form.about, at=at):
        await ask_person(form, request, policy=policy, settings=settings, at=at)


async def ask_person(form: FormView, request: RequestView, *, policy: Policy, settings: Settings, at: datetime) -> None:
    """Write to the person with a link and a code, inside the caller's transaction, whoever that address belongs to."""
    path, code = await new_link(form, settings, at=at)
    words = Words(form.language, policy.controller.zone)
    message = mandate(
        words, policy, reference=request.reference, until=at + ANSWER_WITHIN, code=code,
        link=f"{settings.public_url}/{form.language}{path}",
    )  # fmt: skip
    await post(message, to=form.about, language=form.language, reference=request.reference, at=at)


async def answer(
    form: FormView, said: str, code: str, *, storage: Storage, policy: Policy, settings: Settings, at: datetime
) -> int | None:
    """Take the person's answer: yes, no, or unknown. None when it counts, else how many tries of the code are left.

    Raises:
        Invalid: it is none of the three.
        NotPossible: it was answered already.
    """
    async with engine().transaction():
        locked = await lock_form(form.id)
        left = await try_code(locked, code, settings, at=at)
        if left is None:
            await answer_once(locked, said, at=at)
            await _follow(locked, said, policy=policy, settings=settings, at=at)
    if left is None and said != "unknown":
        await uploads.delete_of(storage, form.request, at=at)
    return left


async def _follow(form: FormView, said: str, *, policy: Policy, settings: Settings, at: datetime) -> None:
    request = await find_by_id(form.request)
    if said == "yes":
        subject = await subject_for(form.about, language=form.language, at=at)
        await settle(
            request, subject, event="mandate-confirmed", policy=policy, settings=settings, at=at, actor="person"
        )  # fmt: skip
        return
    if said == "no":
        await end(
            request, "unidentified", event="mandate-denied", policy=policy, settings=settings, at=at, actor="person"
        )  # fmt: skip
        await tell_sender(form, policy, settings, at=at)
        return
    await record(request.id, request.reference, "mandate-unknown", at=at, actor="person")
    await open_task(request.id, request.reference, "identify", "mandate-unknown", due=request.due_day, at=at)

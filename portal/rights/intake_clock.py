"""What is done about forms by the clock: forget those that nobody confirmed, end those that nobody answered.

Always true here: a form that was never confirmed is gone after 30 days and only its number is kept; one that was
confirmed is never deleted, it ends with an answer. Source: law/rules.md, section 5; D13.
"""

from datetime import datetime, timedelta

from portal.database import engine
from portal.evidence.log import append
from portal.policy.model import Policy
from portal.rights import intake_agent, intake_child, intake_lost, letters, uploads
from portal.rights.answer import end
from portal.rights.intake_answers import mailed_lately
from portal.rights.intake_forms import FormView, form_of, lock_form, not_mailed
from portal.rights.intake_sender import tell_sender
from portal.rights.replies import enclose, words_for
from portal.rights.requests import find_by_id
from portal.rights.tables import SubjectRequest
from portal.rights.workshop import Workshop
from portal.settings import Settings

KEEP = timedelta(days=30)


async def tend(shop: Workshop) -> None:
    """Do everything that is due now. Idempotent."""
    at = shop.clock()
    await forget_unconfirmed(at=at)
    await ask_waiting(shop.policy, shop.settings, at=at)
    await end_unanswered_mandates(shop.policy, shop.settings, at=at)
    await intake_lost.close_unanswered(shop.policy, shop.settings, at=at)
    await uploads.delete_over(shop.storage, at=at)


async def forget_unconfirmed(*, at: datetime) -> int:
    """Delete forms that nobody confirmed within 30 days, with all that was written in them. Returns how many.

    A report about a child needs no confirmation and stays.
    """
    async with engine().transaction():
        rows = await SubjectRequest.raw(
            "DELETE FROM subject_request r USING intake_form f WHERE f.request = r.id AND f.kind <> 'child'"
            " AND f.confirmed_at IS NULL AND f.said = '' AND f.sent_at <= {} AND r.subject IS NULL RETURNING r.id",
            at - KEEP,
        )  # fmt: skip
        if rows:
            await append("rights:forms:forgotten", at=at, actor="worker", details={"count": len(rows)})
    return len(rows)


async def ask_waiting(policy: Policy, settings: Settings, *, at: datetime) -> None:
    """Write to those who were not asked yet because they had too many such mails in one day."""
    for form in await not_mailed():
        request = await find_by_id(form.request)
        write = intake_agent.ask_person if form.kind == "agent" else intake_child.write_to_holder
        async with engine().transaction():
            locked = await lock_form(form.id)
            if locked.mails == 0 and locked.is_open and not await mailed_lately(form.about, at=at):
                await write(locked, request, policy=policy, settings=settings, at=at)


async def end_unanswered_mandates(policy: Policy, settings: Settings, *, at: datetime) -> int:
    """End what an agent asked for when the person has not answered for 30 days. Returns how many."""
    rows = await SubjectRequest.raw(
        "SELECT r.id FROM subject_request r JOIN intake_form f ON f.request = r.id WHERE f.kind = 'agent'"
        " AND f.said = '' AND r.state = 'verifying' AND f.confirmed_at <= {}",
        at - KEEP,
    )  # fmt: skip
    for row in rows:
        await _end_mandate(await form_of(row["id"]), policy, settings, at=at)
    return len(rows)


async def _end_mandate(form: FormView, policy: Policy, settings: Settings, *, at: datetime) -> None:
    request = await find_by_id(form.request)
    words = words_for(request, policy)
    letter = letters.unidentified(
        words, policy, letters.case_of(request, policy, at=at),
        facts=(words("We asked the person whether you act for them. There was no answer for 30 days."),),
        would_help=(words("The person can answer our message, or ask us directly."),),
    )  # fmt: skip
    async with engine().transaction():
        locked = await lock_form(form.id)
        if locked.said or not locked.is_open:
            return
        await enclose(request, letter, policy, at=at, actor="worker")
        await end(
            request, "unidentified", event="mandate-unanswered", policy=policy, settings=settings, at=at,
            actor="worker",
        )  # fmt: skip
        await tell_sender(locked, policy, settings, at=at)

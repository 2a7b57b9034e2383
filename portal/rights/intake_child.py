"""A child's account, reported by anyone: out of use first, then checked, then erased.

Always true here: whoever reports gets no access and learns nothing of what we hold; the account's own mailbox, or a
person of ours, decides; no proof of age is asked for or kept; what was out of use comes back only when both were told.
Source: GDPR Art. 8, 17(1)(f), 18(3); law CG-30, S-04; design/ux.md, 5.
"""

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.database import engine
from portal.errors import Invalid, SourceUnavailable
from portal.identity.address import normalise
from portal.identity.sessions import subject_for
from portal.jobs import Payload, enqueue
from portal.mail.messages import child_erasure_planned, child_report, child_report_noted, pause_ending
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.rights import restriction
from portal.rights.answer import end
from portal.rights.approvals import use
from portal.rights.erasure import GRACE, draw_now, lay_erasure
from portal.rights.erasure_plan import choosable
from portal.rights.four_eyes import Consent, Verb
from portal.rights.intake_answers import answer_once, mailed_lately, new_link, try_code
from portal.rights.intake_forms import FormView, Sent, form_of, lock_form, take_form
from portal.rights.intake_sender import status_link, tell_sender
from portal.rights.lifecycle import NotPossible, Outcome, move
from portal.rights.person import find_person
from portal.rights.plans import cancel, plan_of
from portal.rights.replies import link_to, tell, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.second_click import form_before
from portal.rights.tables import Restriction, SubjectRequest, Task, TimelineEntry
from portal.rights.tasks import open_task
from portal.rights.timeline import record
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.sources.base import Identifiers
from portal.words import Words
from portal.working_days import Calendar, add_working_days

FREEZE = "rights.child"
ERASE = "rights.child-erase"
NOTICE = timedelta(days=3)
"""How long before an account works again both are told."""


async def report(sent: Sent, *, policy: Policy, settings: Settings, at: datetime) -> FormView:
    """Take a report in: the same for every account, known or not; the worker looks it up afterwards. Twice is once."""
    async with engine().transaction():
        if before := await form_before(sent, at=at):
            return await form_of(before)
        form, request = await take_form(sent, policy=policy, settings=settings, at=at)
        day = at.astimezone(ZoneInfo(policy.controller.zone)).date()
        due = add_working_days(day, 1, Calendar(policy.controller.holidays))
        await open_task(request.id, request.reference, "child", "report", due=due, at=at)
        await enqueue(FREEZE, {"request": str(request.id)}, key=f"child:{request.id}")
        if form.email:
            words = Words(form.language, policy.controller.zone)
            message = child_report_noted(
                words, policy, reference=form.reference, decide_by=request.due_day, link=status_link(form, settings)
            )  # fmt: skip
            await post(message, to=form.email, language=form.language, reference=form.reference, at=at)
    return form


async def freeze(shop: Workshop, payload: Payload) -> None:
    """Put the reported account out of use, if its address is known anywhere, and write to that address. Idempotent.

    Raises:
        SourceUnavailable: nobody knows it so far, and a place did not answer.
    """
    form = await form_of(UUID(payload["request"]))
    email = _address(form.about)
    if form.subject is not None or not form.is_open or not email or not await _known(shop, email):
        return
    at = shop.clock()
    async with engine().transaction():
        locked = await lock_form(form.id)
        if locked.subject is None and locked.is_open:
            await take_out_of_use(locked, email, policy=shop.policy, settings=shop.settings, at=at, actor="worker")


async def take_out_of_use(
    form: FormView, email: str, *, policy: Policy, settings: Settings, at: datetime, actor: str
) -> None:
    """Tie a report to the account of `email`, inside the caller's transaction: out of use, and its holder written to.

    Staff call it for reports that name no address.
    """
    subject = await subject_for(email, language=form.language, at=at)
    await SubjectRequest.update({SubjectRequest.subject: subject}).where(SubjectRequest.id == form.request)
    request = await find_by_id(form.request)
    await restriction.put_out_of_use(request, policy, (), reason="child", at=at, actor=actor)
    await record(request.id, request.reference, "child-frozen", at=at, actor=actor)
    if not await mailed_lately(form.about, at=at):
        await write_to_holder(form, request, policy=policy, settings=settings, at=at)


async def write_to_holder(
    form: FormView, request: RequestView, *, policy: Policy, settings: Settings, at: datetime
) -> None:
    """Write to the account's address with a link and a code, inside the caller's transaction."""
    path, code = await new_link(form, settings, at=at)
    message = child_report(
        words_for(request, policy), policy, reference=request.reference, decide_by=request.due_day, code=code,
        link=f"{settings.public_url}/{request.language}{path}",
    )  # fmt: skip
    await tell(request, message, at=at)


async def answer(form: FormView, said: str, code: str, *, under: str, settings: Settings, at: datetime) -> int | None:
    """Take the holder's or a parent's answer: yes (erase it) or no. None when it counts, else the tries left.

    Raises:
        Invalid: it is neither.
        NotPossible: it was answered already.
    """
    if said not in {"yes", "no"}:
        raise Invalid("Choose one of the answers.", field="said")
    async with engine().transaction():
        locked = await lock_form(form.id)
        left = await try_code(locked, code, settings, at=at)
        if left is None:
            await answer_once(locked, said, at=at)
            await _follow(locked, said, under or locked.under, at=at)
    return left


async def _follow(form: FormView, said: str, under: str, *, at: datetime) -> None:
    if said == "yes":
        await record(form.request, form.reference, "child-confirmed", at=at, actor="person")
        await erase_later(form, under, by="holder")
        return
    await record(form.request, form.reference, "child-disputed", at=at, actor="person")
    request = await find_by_id(form.request)
    await open_task(request.id, request.reference, "child", "disputed", due=request.due_day, at=at)


async def erase_later(form: FormView, under: str, *, by: str) -> None:
    """Have the account erased, inside the caller's transaction."""
    payload = {"request": str(form.request), "under": under, "by": by}
    await enqueue(ERASE, payload, key=f"child-erase:{form.request}")


async def erase(shop: Workshop, payload: Payload) -> None:
    """Plan the erasure of everything in a child's account: at once if they are under the age, else in three days.

    Idempotent.
    """
    request = await find_by_id(UUID(payload["request"]))
    if request.state != "verifying" or request.subject is None:
        return
    person = await find_person(shop.sources, request.subject)
    everything = tuple(category.id for category in choosable(shop.policy))
    drawn = await draw_now(shop.sources, shop.policy, person, everything, at=shop.clock())
    at = shop.clock()
    runs_at = at if payload.get("under") == "yes" else at + GRACE
    async with engine().transaction():
        await lay_erasure(
            request, drawn, everything, policy=shop.policy, public_url=shop.settings.public_url, at=at, runs_at=runs_at,
            actor="person" if payload.get("by") == "holder" else payload.get("by", "worker"),
        )  # fmt: skip
        if runs_at > at:
            await _say_planned(request, shop.policy, shop.settings, at=at, erase_at=runs_at)


async def may_stop(request: RequestView) -> bool:
    """Tell whether the account's own mailbox can still stop the erasure: once, then a person of ours has decided."""
    disputed = (TimelineEntry.request == request.id) & (TimelineEntry.event == "child-disputed")
    plan = await plan_of(request.id, "erase")
    return plan is not None and plan.state == "approved" and not await TimelineEntry.exists().where(disputed)


async def stop_erasure(request: RequestView, *, at: datetime) -> None:
    """Stop what was to be erased in three days, on the word of the account's own mailbox; a person of ours looks again.

    The account stays out of use meanwhile: a child alone must not bring it back.

    Raises:
        NotPossible: it has begun, is not planned, or was disputed before.
    """
    async with engine().transaction():
        await lock_form((await form_of(request.id)).id)
        plan = await plan_of(request.id, "erase")
        if plan is None or not await may_stop(request):
            raise NotPossible
        await cancel(plan, at=at, actor="person")
        stopped, disputed = "child-erasure-stopped", "child-disputed"
        await move(request.id, request.reference, "deciding", event=stopped, at=at, actor="person", start=["working"])
        await move(request.id, request.reference, "verifying", event=disputed, at=at, actor="person")
        await open_task(request.id, request.reference, "child", "disputed", due=request.due_day, at=at)


async def confirm(request: RequestView, *, under: bool, consent: Consent | None, at: datetime, actor: str) -> None:
    """Decide as staff that it is a child's account. How they checked stays with them: no proof is kept.

    Raises:
        NeedsSecond: no second person has agreed. See `approvals.ask`.
        NotPossible: it is decided, or no account is known yet.
    """
    form = await form_of(request.id)
    async with engine().transaction():
        locked = await lock_form(form.id)
        if locked.state != "verifying" or locked.subject is None:
            raise NotPossible
        await use(consent, Verb.CHILD_ERASE, request, at=at, actor=actor)
        await record(request.id, request.reference, "child-checked", at=at, actor=actor)
        await _end_tasks(request, at=at, actor=actor)
        await erase_later(locked, "yes" if under else "no", by=actor)


async def not_a_child(
    request: RequestView, *, policy: Policy, settings: Settings, at: datetime, actor: str, reason: str
) -> None:
    """Decide as staff that the report does not hold: both are told, and the account works again in three days.

    `reason` is a sentence for the holder, without anything about the reporter. Source: GDPR Art. 18(3).

    Raises:
        NotPossible: it is decided already.
    """
    form = await form_of(request.id)
    async with engine().transaction():
        locked = await lock_form(form.id)
        if locked.state != "verifying":
            raise NotPossible
        await _end_tasks(request, at=at, actor=actor)
        outcome: Outcome = "unidentified"
        if locked.subject is not None:
            outcome = "refused"
            await move(
                request.id, request.reference, "deciding", event="child-lifting", at=at, actor=actor,
                start=["verifying"],
            )  # fmt: skip
            await _announce(await find_by_id(request.id), policy, settings, reason, at=at)
        await end(
            request, outcome, event="child-not-held", policy=policy, settings=settings, at=at, actor=actor
        )  # fmt: skip
        await tell_sender(locked, policy, settings, at=at)


async def _announce(request: RequestView, policy: Policy, settings: Settings, reason: str, *, at: datetime) -> None:
    """Tell the holder from which day on the account works again; the schedule for pauses lifts it then."""
    zone = ZoneInfo(policy.controller.zone)
    ends_on = at.astimezone(zone).date() + NOTICE
    await Restriction.update({
        Restriction.noticed_at: at, Restriction.lifts_at: datetime.combine(ends_on, time.min, zone),
    }).where((Restriction.request == request.id) & Restriction.lifted_at.is_null())  # fmt: skip
    message = pause_ending(
        words_for(request, policy), policy, reference=request.reference, ends_on=ends_on, reason=reason,
        link=link_to(request, settings),
    )  # fmt: skip
    await tell(request, message, at=at)


async def _say_planned(
    request: RequestView, policy: Policy, settings: Settings, *, at: datetime, erase_at: datetime
) -> None:
    message = child_erasure_planned(
        words_for(request, policy), policy, reference=request.reference, erase_at=erase_at,
        can_stop=await may_stop(request), link=link_to(request, settings),
    )  # fmt: skip
    await tell(request, message, at=at)


async def _end_tasks(request: RequestView, *, at: datetime, actor: str) -> None:
    await Task.update({Task.state: "done", Task.ended_at: at, Task.ended_by: actor}).where(
        (Task.request == request.id) & (Task.kind == "child") & Task.ended_at.is_null()
    )


def _address(about: str) -> str:
    """Return the address that a report names, or nothing: a name is looked up by a person."""
    try:
        return normalise(about)
    except Invalid:
        return ""


async def _known(shop: Workshop, email: str) -> bool:
    """Tell whether any place knows an account by this address. Raises: SourceUnavailable."""
    found = await shop.sources.identify(Identifiers(emails=frozenset({email})))
    if not found.identifiers.known() and found.unreachable:
        raise SourceUnavailable(found.unreachable[0], "could not be asked who this is")
    return found.identifiers.known()

"""The right to object: say no to a use that rests on our own interest; it stops at once while we weigh it.

Always true here: which uses can be refused follows from the legal basis in the policy file; advertising stops for good
without any weighing; a use that is to go on stands still until the person has been told from when. Source: GDPR
Art. 18(1)(d), 21.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from portal.database import engine
from portal.mail.messages import refused
from portal.policy.model import Basis, Policy, Purpose
from portal.rights import stopped_uses
from portal.rights.intake import Asked, Opened, take_in
from portal.rights.letters import case_of, objection_stopped, objection_weighed
from portal.rights.letters.reasons import noted, reason
from portal.rights.lifecycle import NotPossible, move
from portal.rights.person import address_of
from portal.rights.replies import link_to, reply, words_for
from portal.rights.requests import RequestView, find_by_id, requests_of
from portal.rights.stopped_uses import Stopped, stopped
from portal.rights.tables_uses import StoppedUse
from portal.rights.tasks import open_task
from portal.rights.timeline import record
from portal.rights.workshop import Workshop
from portal.settings import Settings

type Answer = Literal["refuse", "withdraw", "needed", "law"]
"""What a person can do about a use: `refuse` it, `withdraw` their consent, or neither: it is `needed` to run the
account, or the `law` wants it."""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One use of the policy, and what this person can do about it or has done."""

    purpose: Purpose
    answer: Answer
    stopped: Stopped | None
    stoppable: bool = True
    """False where we cannot tell whose data it is: it cannot stop for one person alone. Source: GDPR Art. 11(1)."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A person says no to one use."""

    subject: UUID
    purpose: str
    """The id of a purpose that `answer_of` lets them refuse."""
    text: str = ""
    language: str


def answer_of(purpose: Purpose) -> Answer:
    """Return what a person can do about a use. Advertising can be refused on any basis. Source: GDPR Art. 21(1)-(3)."""
    if purpose.marketing or purpose.basis is Basis.LEGITIMATE_INTEREST:
        return "refuse"
    if purpose.basis is Basis.CONSENT:
        return "withdraw"
    return "law" if purpose.basis is Basis.LEGAL_DUTY else "needed"


def uses(policy: Policy, now_stopped: Sequence[Stopped]) -> list[Use]:
    """Return every use, those that can be refused first, each with how it stands for this person."""
    by_purpose = {one.purpose: one for one in now_stopped}
    every = [
        Use(
            purpose=one, answer=answer_of(one), stopped=by_purpose.get(one.id), stoppable=stoppable(policy, one.id)
        )
        for one in policy.purposes
    ]  # fmt: skip
    return sorted(every, key=lambda use: use.answer != "refuse")


def stoppable(policy: Policy, purpose: str) -> bool:
    """Return whether a use can stop for one person: whether any of its data can be looked up by person."""
    return any(category.searchable for category in stopped_uses.categories_for(policy, purpose))


async def say_no(refusal: Refusal, *, policy: Policy, settings: Settings, at: datetime) -> Opened:
    """Stop a use and open the request for it; one transaction. Said twice, it is one request.

    A use that cannot stop for one person alone is only weighed, and nothing says that it stopped.

    Raises:
        ValueError: a use that cannot be refused.
    """
    purpose = next((one for one in policy.purposes if one.id == refusal.purpose), None)
    if purpose is None or answer_of(purpose) != "refuse":
        raise ValueError("no use that can be refused")
    async with engine().transaction():
        await engine().connection.execute("SELECT FROM subject WHERE id = $1 FOR UPDATE", refusal.subject)
        same = await _same(refusal, purpose, policy)
        id = same or await _begin(refusal, purpose, policy, settings, at)
    return Opened(await find_by_id(id), existing=same is not None)


async def stop_for_good(request_id: UUID, *, policy: Policy, settings: Settings, at: datetime, actor: str) -> None:
    """Give the person right: the use does not come back, and the letter says so.

    One that could not stop for them alone must have stopped for everybody by now.

    Raises:
        NotPossible: it was decided already.
    """
    async with engine().transaction():
        request, use = await _weighed(request_id)
        if use is not None:
            await stopped_uses.make_final(request, at=at, actor=actor)
        letter = objection_stopped(
            words_for(request, policy), policy, case_of(request, policy, at=at),
            purpose=use.purpose if use else _purpose_of(request, policy), stopped_at=use.since if use else at,
        )  # fmt: skip
        await reply(
            request, letter, "fulfilled", event="use-stopped", policy=policy, settings=settings, at=at, actor=actor
        )  # fmt: skip


async def overriding_grounds(
    request_id: UUID,
    *,
    your_side: Sequence[str],
    our_side: Sequence[str],
    balance: Sequence[str],
    resumes_on: date | None = None,
    reason_id: str = "compelling",
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> None:
    """Show that our grounds weigh more: refuse with both sides and the balance; the use goes on from `resumes_on`.

    `resumes_on` is a day in the controller's zone; by default a week from today.

    Raises:
        NotPossible: it was decided already, or the use does not stand still: refuse it with the usual letter.
        NotComplete: a side or the balance says nothing, or the use would go on before the person hears of it.
        ValueError: `reason_id` cannot refuse an objection.
    """
    zone = ZoneInfo(policy.controller.zone)
    day = resumes_on or at.astimezone(zone).date() + NOTICE
    async with engine().transaction():
        request, use = await _weighed(request_id)
        if use is None:
            raise NotPossible
        words = words_for(request, policy)
        letter = objection_weighed(
            words, policy, case_of(request, policy, at=at), purpose=use.purpose, your_side=your_side,
            our_side=our_side, balance=balance, reason_id=reason_id, resumes_on=day,
        )  # fmt: skip
        await stopped_uses.announce_end(request, datetime.combine(day, time.min, zone), at=at, actor=actor)
        mail = refused(
            words, policy, reference=request.reference, reasons=[reason(reason_id).plain[request.language]],
            link=link_to(request, settings),
        )  # fmt: skip
        await reply(
            request, letter, "refused", event="use-weighed", policy=policy, settings=settings, at=at, actor=actor,
            mail=mail, details=noted([reason_id]),
        )  # fmt: skip


async def resume_due(shop: Workshop) -> int:
    """Let every use go on whose announced day has come; the schedule calls this. Returns how many."""
    at, resumed = shop.clock(), 0
    rows = await StoppedUse.raw(
        "SELECT u.request, r.reference FROM stopped_use u JOIN subject_request r ON r.id = u.request"
        " WHERE u.ended_at IS NULL AND u.ends_at <= {}",
        at,
    )
    for row in rows:
        id, reference = row["request"], row["reference"]
        async with engine().transaction():
            if await stopped_uses.resume(id, reference, shop.policy, at=at, actor="worker"):
                await record(id, reference, "use-resumed", at=at, actor="worker")
                resumed += 1
    return resumed


NOTICE = timedelta(days=7)
"""Between the letter and the day on which a use goes on: a week to disagree, as before the end of a pause."""


async def _begin(refusal: Refusal, purpose: Purpose, policy: Policy, settings: Settings, at: datetime) -> UUID:
    asked = Asked(
        right="objection", subject=refusal.subject, language=refusal.language, text=refusal.text, received_at=at,
        categories=tuple(category.id for category in stopped_uses.categories_for(policy, purpose.id)),
    )  # fmt: skip
    request = await take_in(
        asked, policy=policy, public_url=settings.public_url, at=at, receipt=not purpose.marketing
    )  # fmt: skip
    why: stopped_uses.Why = "marketing" if purpose.marketing else "objection"
    stops = purpose.marketing or stoppable(policy, purpose.id)
    if stops:
        await stopped_uses.stop(request, policy, purpose.id, why=why, at=at, actor="person")
    if purpose.marketing:
        await _never_again(request, purpose, policy, settings, at)
    else:
        event = "use-standing-still" if stops else "use-weighing"
        await move(request.id, request.reference, "deciding", event=event, at=at, actor="person")
        due = request.act_by_day or request.due_day
        await open_task(request.id, request.reference, "decide", "objection", due=due, at=at)
    return request.id


async def _never_again(
    request: RequestView, purpose: Purpose, policy: Policy, settings: Settings, at: datetime
) -> None:  # fmt: skip
    """Advertising: nothing is weighed, and the address is remembered only as what must not be written to."""
    await stopped_uses.suppress(purpose.id, await address_of(request.owner), settings, at=at)
    letter = objection_stopped(
        words_for(request, policy), policy, case_of(request, policy, at=at), purpose=purpose.id, stopped_at=at,
        marketing=True,
    )  # fmt: skip
    await reply(
        request, letter, "fulfilled", event="use-stopped", policy=policy, settings=settings, at=at, actor="person"
    )  # fmt: skip


async def _same(refusal: Refusal, purpose: Purpose, policy: Policy) -> UUID | None:
    """Return the request of the same no: the use stands still for it, or it is being weighed."""
    still = next((one.request for one in await stopped(refusal.subject) if one.purpose == purpose.id), None)
    if still is not None or stoppable(policy, purpose.id):
        return still
    every = [one for one in await requests_of(refusal.subject) if one.right == "objection" and one.is_open]
    return next((one.id for one in every if _purpose_of(one, policy) == purpose.id), None)


def _purpose_of(request: RequestView, policy: Policy) -> str:
    """Return which use an objection is about that did not stop anything: the one with exactly its categories.

    Raises:
        NotPossible: the policy has no such use any more.
    """
    for purpose in policy.purposes:
        used = [category.id for category in stopped_uses.categories_for(policy, purpose.id)]
        if answer_of(purpose) == "refuse" and used == request.categories:
            return purpose.id
    raise NotPossible


async def _weighed(request_id: UUID) -> tuple[RequestView, Stopped | None]:
    """Return an objection that is being weighed, which nobody else can decide before we commit, and what it stopped."""
    await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", request_id)
    request = await find_by_id(request_id)
    use = next((one for one in await stopped(request.owner) if one.request == request_id and not one.final), None)
    if not request.is_open or request.right != "objection":
        raise NotPossible
    return request, use

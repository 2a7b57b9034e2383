"""What staff do about a person's pause: confirm it, decline it, announce its end, keep it after all.

Always true here: it never ends before the person was told and the days they were told have passed; each verb is
evidence with who did it. Source: GDPR Art. 18(3).
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from portal.database import engine
from portal.evidence.log import append
from portal.mail.messages import answered, pause_ending, refused
from portal.policy.model import Policy
from portal.rights import restriction
from portal.rights.letters import Letter, Line, case_of, lifting_notice, refusal
from portal.rights.letters import restriction as restriction_letter
from portal.rights.letters.reasons import noted, reason
from portal.rights.lifecycle import NotPossible, move
from portal.rights.out_of_use import ASKED_FOR
from portal.rights.pauses import LIFTING
from portal.rights.plans import items_of, plan_of
from portal.rights.replies import decided, enclose, link_to, reply, tell, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import Restriction, Task
from portal.rights.timeline import record
from portal.rights.workshop import Workshop
from portal.settings import Settings

NOTICE = timedelta(days=7)
"""The least time between the notice and the end: a week to read it and to disagree. A choice of ours; the law says
only that the notice comes before."""


class Living(msgspec.Struct, frozen=True, kw_only=True):
    """A pause that counts."""

    id: UUID
    reason: str
    lifts_at: datetime | None


async def confirm(request_id: UUID, *, policy: Policy, settings: Settings, at: datetime, actor: str) -> None:
    """Confirm a pause with its letter. It is answered when every system keeps the data out of use, by hand or not.

    Raises:
        NotPossible: it was decided, or ended by the person, already.
    """
    async with engine().transaction():
        request, living = await _living(request_id)
        plan = await plan_of(request.id, "restrict")
        letter = await _letter(request, policy, living.reason, plan.id if plan else None, at)
        if plan is None or plan.state == "done":
            await reply(
                request, letter, "fulfilled", event="pause-confirmed", policy=policy, settings=settings, at=at,
                actor=actor,
            )  # fmt: skip
            return
        await move(
            request.id, request.reference, "working", event="pause-confirmed", at=at, actor=actor, start=["deciding"]
        )  # fmt: skip
        await decided(request, at=at, actor=actor)
        await enclose(request, letter, policy, at=at, actor=actor)
        words = words_for(request, policy)
        await tell(
            request, answered(words, policy, reference=request.reference, link=link_to(request, settings)), at=at
        )


async def decline(
    request_id: UUID,
    ends_on: date,
    *,
    facts: Sequence[str],
    why: Sequence[str],
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> None:
    """Refuse a pause with reasons; it ends on `ends_on`, of which the person hears by the same mail.

    Raises:
        TooSoon: `ends_on` is not far enough away.
        NotPossible: it was decided, or ended by the person, already.
        NotComplete: `facts` or `why` say nothing.
    """
    async with engine().transaction():
        request, living = await _living(request_id)
        words, case = words_for(request, policy), case_of(request, policy, at=at)
        letter = refusal(words, policy, case, reasons=["no-pause"], facts=facts, why=why)
        await _set_end(request, living.id, ends_on, policy, at=at, actor=actor)
        told = (
            reason("no-pause").plain[request.language],
            words("From {day} on we use this data again as before.", day=words.day(ends_on)),
        )
        await reply(
            request, letter, "refused", event="pause-declined", policy=policy, settings=settings, at=at, actor=actor,
            details=noted(["no-pause"]),
            mail=refused(
                words, policy, reference=request.reference, reasons=told, link=link_to(request, settings)
            ),
        )  # fmt: skip


async def announce_lifting(
    request_id: UUID, ends_on: date, reason_id: str, *, policy: Policy, settings: Settings, at: datetime, actor: str
) -> None:
    """Tell the person on which day their pause ends and why; it then ends by itself. `reason_id` is of `LIFT`.

    Announced again, the later word counts.

    Raises:
        TooSoon: `ends_on` is not far enough away.
        NotPossible: there is no pause of the person's own any more.
        ValueError: `reason_id` is no reason to end a pause.
    """
    async with engine().transaction():
        request, living = await _living(request_id)
        words, case = words_for(request, policy), case_of(request, policy, at=at)
        letter = lifting_notice(
            words, policy, case, categories=request.categories, reason_id=reason_id, lifts_on=ends_on
        )  # fmt: skip
        await _set_end(request, living.id, ends_on, policy, at=at, actor=actor)
        await record(request.id, request.reference, "pause-ending", at=at, actor=actor)
        await enclose(request, letter, policy, at=at, actor=actor)
        message = pause_ending(
            words, policy, reference=request.reference, ends_on=ends_on,
            reason=reason(reason_id).plain[request.language], link=link_to(request, settings),
        )  # fmt: skip
        await tell(request, message, at=at)


async def keep_paused(request_id: UUID, *, at: datetime, actor: str) -> None:
    """Take an announced end back; the pause stays until another notice.

    Raises:
        NotPossible: no end is announced.
    """
    async with engine().transaction():
        request, living = await _living(request_id)
        if living.lifts_at is None:
            raise NotPossible
        await Restriction.update({Restriction.lifts_at: None, Restriction.noticed_at: None}).where(
            Restriction.id == living.id
        )
        await _looked(request, at=at, actor=actor)
        await record(request.id, request.reference, "pause-kept", at=at, actor=actor)


async def lift_due(shop: Workshop) -> int:
    """End every pause whose announced day has come; the schedule calls this. Returns how many.

    One that the person does not agree with stays until somebody has looked: kept, or announced anew.
    """
    at, ended = shop.clock(), 0
    rows = await Restriction.raw(
        "SELECT x.request, r.reference FROM restriction x JOIN subject_request r ON r.id = x.request"
        " WHERE x.lifted_at IS NULL AND x.noticed_at IS NOT NULL AND x.lifts_at <= {} AND NOT EXISTS ("
        "SELECT FROM task t WHERE t.request = x.request AND t.about = {} AND t.ended_at IS NULL)",
        at,
        LIFTING,
    )
    for row in rows:
        async with engine().transaction():
            held = await Restriction.raw(
                "SELECT id FROM restriction WHERE request = {} AND lifted_at IS NULL AND lifts_at <= {} FOR UPDATE",
                row["request"], at,
            )  # fmt: skip
            if held and await restriction.lift(row["request"], row["reference"], at=at, actor="worker"):
                await record(row["request"], row["reference"], "pause-ended", at=at, actor="worker")
                ended += 1
    return ended


async def _living(request_id: UUID) -> tuple[RequestView, Living]:
    """Return a request and its own living restriction, which nobody else can end before we commit."""
    rows = await Restriction.raw(
        "SELECT id, reason, lifts_at FROM restriction WHERE request = {} AND lifted_at IS NULL FOR UPDATE", request_id
    )
    request = await find_by_id(request_id)
    if not rows or rows[0]["reason"] not in ASKED_FOR:
        raise NotPossible
    return request, msgspec.convert(rows[0], Living)


async def _looked(request: RequestView, *, at: datetime, actor: str) -> None:
    """Somebody has looked at what the person said against the end."""
    await Task.update({Task.state: "done", Task.ended_at: at, Task.ended_by: actor}).where(
        (Task.request == request.id) & (Task.about == LIFTING) & Task.ended_at.is_null()
    )  # fmt: skip


async def _set_end(
    request: RequestView, restriction_id: UUID, ends_on: date, policy: Policy, *, at: datetime, actor: str
) -> None:
    zone = ZoneInfo(policy.controller.zone)
    if ends_on < at.astimezone(zone).date() + NOTICE:
        raise restriction.TooSoon
    lifts_at = datetime.combine(ends_on, time.min, zone)
    await _looked(request, at=at, actor=actor)
    await Restriction.update({Restriction.noticed_at: at, Restriction.lifts_at: lifts_at}).where(
        Restriction.id == restriction_id
    )
    details = {"ends_on": ends_on.isoformat()}
    await append("rights:restriction:end-announced", at=at, actor=actor, reference=request.reference, details=details)


async def _letter(
    request: RequestView, policy: Policy, reason_id: str, plan: UUID | None, at: datetime
) -> Letter:  # fmt: skip
    words = words_for(request, policy)
    titles = {spec.id: spec.title[request.language] for spec in policy.sources}
    items = await items_of(plan) if plan else []
    soon = words("being told; not done yet")
    return restriction_letter(
        words, policy, case_of(request, policy, at=at),
        categories=request.categories, reason_id=reason_id,
        stopped=[
            Line(words("This portal"), words("refuses every use from the moment you asked")),
            *(
                Line(titles[item.source], words("out of use") if item.over else soon)
                for item in items
                if not item.by_hand
            ),
        ],
        by_hand=[titles[item.source] for item in items if item.by_hand],
    )  # fmt: skip

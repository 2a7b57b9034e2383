"""The right to rectification: the person's own words at once, everything else decided by a person of ours.

Always true here: a correction is written place by place with the strictest first, and taken back where a place does not
take it; of two for one field the later word wins, whoever's worker comes first. Source: GDPR Art. 5(1)(d), 16, 19.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import Invalid, NotFound
from portal.policy.model import Category, Field, Policy
from portal.rights import answer, corrections
from portal.rights.corrections import CorrectionView, Values
from portal.rights.erasure_plan import recipients_told
from portal.rights.fields import checked, held_now, places_of
from portal.rights.intake import Asked, Opened, take_in
from portal.rights.lifecycle import NotPossible, move
from portal.rights.messages import SAME_WITHIN
from portal.rights.messages import checked as checked_message
from portal.rights.out_of_use import need_in_use
from portal.rights.person import find_person
from portal.rights.plans import Line, lay
from portal.rights.replies import decided
from portal.rights.requests import RequestView, find, find_by_id
from portal.rights.tables import Plan, RequestMessage
from portal.rights.tables_rectification import Correction
from portal.rights.tasks import open_task
from portal.settings import Settings
from portal.sources.registry import Sources


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to have corrected. Without a field it is a note about a category, or about anything."""

    subject: UUID
    category: str
    field: str = ""
    value: str = ""
    why: str = ""
    """Required where there is no field."""
    language: str


def field_of(policy: Policy, category: str, field: str) -> tuple[Category, Field]:
    """Return a category with one of its fields. Raises: NotFound, for what the policy does not have."""
    try:
        found = policy.category(category)
    except KeyError:
        raise NotFound from None
    one = next((part for part in found.fields if part.id == field), None)
    if one is None or not found.searchable:
        raise NotFound
    return found, one


async def correct(wish: Wish, *, sources: Sources, policy: Policy, settings: Settings, at: datetime) -> Opened:
    """Correct a field at once, or ask for a decision on it, as the policy says. Sent twice, it is one request.

    Raises:
        NotFound: there is no such field.
        ValueError: the field is not the person's to change here.
        Invalid: the value does not fit, or is there already.
        OutOfUse: the category is paused for another reason than its accuracy.
    """
    category, field = field_of(policy, wish.category, wish.field)
    if field.correct.how not in {"at-once", "decide"}:
        raise ValueError("this field is not corrected here")
    new, why = checked(field, wish.value), checked_message(wish.why) if wish.why.strip() else ""
    person = await find_person(sources, wish.subject)
    held = await held_now(sources, policy, person, category)
    old = held.only(field.id)
    async with engine().transaction():
        await corrections.lock(wish.subject)
        await need_in_use(wish.subject, category.id, but={"accuracy"})
        earlier = await _earlier(wish)
        said = corrections.digest(settings, wish.subject, f"{wish.category}.{wish.field}", new)
        if same := next((one for one in earlier[:1] if one.new_digest == said and (one.lives or old == new)), None):
            return Opened(await find_by_id(same.request), existing=True)
        if old == new:
            raise Invalid("This is what we hold already.", field="value")
        await _replace(earlier, policy, settings, at)
        values = Values(old=old, new=new)
        request = await _begin(wish, field, values, why, policy, settings, at)
    return Opened(request, existing=False)


async def note(wish: Wish, *, policy: Policy, settings: Settings, at: datetime) -> Opened:
    """Ask a person of ours about something that no single field holds, or leave a note beside what cannot be rewritten.

    Sent twice, it is one request.

    Raises:
        NotFound: there is no such category.
        Invalid: it says nothing, or too much.
    """
    text = checked_message(wish.why)
    known = {category.id for category in policy.categories if category.searchable}
    if wish.category and wish.category not in known:
        raise NotFound
    async with engine().transaction():
        await corrections.lock(wish.subject)
        if before := await _noted_before(wish, text, at=at):
            return Opened(await find_by_id(before), existing=True)
        request = await _take(wish, text, policy, settings, at, receipt=True)
        await corrections.make(
            request, wish.category, "", "decide", "deciding", None, settings=settings, at=at, actor="person"
        )  # fmt: skip
        await _ask_staff(request, "correction-asked", at=at)
    return Opened(await find_by_id(request.id), existing=False)


async def undo(reference: str, subject: UUID, *, policy: Policy, settings: Settings, at: datetime) -> Opened:
    """Put the old value back, everywhere. Pressed twice, it is one request.

    Raises:
        NotFound: it is not theirs.
        NotPossible: the 30 days are over, or it was changed again since.
        OutOfUse: the category is paused.
    """
    request = await find(reference, subject)
    async with engine().transaction():
        await corrections.lock(subject)
        correction = await corrections.of_request(request.id)
        if correction is None:
            raise NotFound
        newest = (await _of_field(subject, correction.category, correction.field))[0]
        if correction.state == "undone":
            return Opened(await find_by_id(newest.request), existing=True)
        values = await corrections.values_of(correction, settings)
        if newest.id != correction.id or values is None or not may_undo(correction, values, at):
            raise NotPossible
        await need_in_use(subject, correction.category, but={"accuracy"})
        await Correction.update({Correction.state: "undone"}).where(Correction.id == correction.id)
        wish = Wish(
            subject=subject, category=correction.category, field=correction.field, language=request.language
        )  # fmt: skip
        _, field = field_of(policy, correction.category, correction.field)
        back = Values(old=values.new, new=values.old or "", record=values.record)
        opened = await _begin(wish, field, back, "", policy, settings, at)
    return Opened(opened, existing=False)


async def _noted_before(wish: Wish, text: str, *, at: datetime) -> UUID | None:
    """Return the open request of the same note, sent a moment ago. The person's corrections are locked."""
    notes = [
        one.request for one in await corrections.of_person(wish.subject)
        if one.category == wish.category and not one.field
    ]  # fmt: skip
    row = notes and await RequestMessage.select(RequestMessage.request).where(
        RequestMessage.request.is_in(notes) & (RequestMessage.text == text) & (RequestMessage.at > at - SAME_WITHIN)
        & RequestMessage.request.closed_at.is_null()
    ).first()  # fmt: skip
    return row["request"] if row else None


def may_undo(correction: CorrectionView, values: Values, at: datetime) -> bool:
    """Return whether a correction can be put back at this moment by the person alone."""
    until = correction.kept_until
    return (
        correction.how == "at-once" and correction.state == "done" and values.old is not None
        and until is not None and at < until
    )  # fmt: skip


async def lay_plan(
    request: RequestView, correction: CorrectionView | UUID, places: tuple[tuple[str, str], ...], policy: Policy, *,
    at: datetime, actor: str, tell: bool = True,
) -> UUID:  # fmt: skip
    """Have a correction carried out in these (source, category) places, inside the caller's transaction.

    With `tell` everybody else who got one of the categories hears of it from a person of ours. Source: GDPR Art. 19.
    """
    touched = {category for _, category in places}
    scope = [category for category in policy.categories if category.id in touched]
    told = [Line(source=one.id, action="tell") for one in recipients_told(policy, scope)] if tell else []
    lines = [Line(source=source, category=category, action="rectify") for source, category in places]
    plan = await lay(request.id, request.reference, "rectify", [*lines, *told], at=at, runs_at=at, actor=actor)
    id = correction if isinstance(correction, UUID) else correction.id
    await Correction.update({Correction.plan: plan, Correction.state: "working"}).where(Correction.id == id)
    return plan


async def cancel_plan(request: UUID, *, at: datetime, actor: str) -> tuple[tuple[str, str], ...]:
    """Stop carrying a correction out, inside the caller's transaction; what people had left to do for it is dropped.

    Returns the (source, category) places that had been written already, or may have been.
    """
    rows = await Plan.raw(
        "UPDATE plan SET state = 'cancelled', done_at = {} WHERE request = {} AND kind = 'rectify'"
        " AND state <> 'cancelled' RETURNING id",
        at, request,
    )  # fmt: skip
    ids = [row["id"] for row in rows]
    await engine().connection.execute(
        "UPDATE task SET state = 'not-needed', ended_at = $1, ended_by = $2 WHERE ended_at IS NULL"
        " AND item IN (SELECT id FROM plan_item WHERE plan = ANY($3))",
        at, actor, ids,
    )  # fmt: skip
    items = await Plan.raw(
        "SELECT source, category FROM plan_item WHERE plan = ANY({}) AND action = 'rectify' AND error <> 'refused'"
        " AND state IN ('done', 'failed') ORDER BY position",
        ids,
    )
    return tuple(dict.fromkeys((item["source"], item["category"]) for item in items))


async def take_back(
    request: RequestView, correction: CorrectionView, policy: Policy, settings: Settings, *, at: datetime
) -> None:  # fmt: skip
    """Give a correction up that somebody does not take, and have the old value put back wherever it was written.

    Inside the caller's transaction.
    """
    values = await corrections.values_of(correction, settings)
    await corrections.end(correction, "unfit", at=at, actor="worker")
    written = await cancel_plan(request.id, at=at, actor="worker")
    if not written or values is None or values.old is None:
        return
    back = Values(old=values.new, new=values.old, record=values.record)
    id = await corrections.make(
        request, correction.category, correction.field, "back", "working", back, settings=settings, at=at,
        actor="worker",
    )  # fmt: skip
    await lay_plan(request, id, written, policy, at=at, actor="worker", tell=False)


async def _begin(
    wish: Wish, field: Field, values: Values, why: str, policy: Policy, settings: Settings, at: datetime
) -> RequestView:
    at_once = field.correct.how == "at-once"
    request = await _take(wish, why, policy, settings, at, receipt=not at_once)
    id = await corrections.make(
        request, wish.category, wish.field, field.correct.how, "working" if at_once else "deciding", values,
        settings=settings, at=at, actor="person",
    )  # fmt: skip
    if at_once:
        await move(request.id, request.reference, "working", event="correction-begun", at=at, actor="person")
        places = tuple((source, wish.category) for source in places_of(policy, wish.category, wish.field))
        await lay_plan(request, id, places, policy, at=at, actor="person")
    else:
        await _ask_staff(request, "correction-asked", at=at)
    return await find_by_id(request.id)


async def _take(
    wish: Wish, text: str, policy: Policy, settings: Settings, at: datetime, *, receipt: bool
) -> RequestView:  # fmt: skip
    asked = Asked(
        right="rectification", subject=wish.subject, language=wish.language, text=text, received_at=at,
        categories=(wish.category,) if wish.category else (),
    )  # fmt: skip
    return await take_in(asked, policy=policy, public_url=settings.public_url, at=at, receipt=receipt)


async def _ask_staff(request: RequestView, event: str, *, at: datetime) -> None:
    await move(request.id, request.reference, "deciding", event=event, at=at, actor="person")
    due = request.act_by_day or request.due_day
    await open_task(request.id, request.reference, "decide", "rectification", due=due, at=at)


async def _earlier(wish: Wish) -> list[CorrectionView]:
    return await _of_field(wish.subject, wish.category, wish.field)


async def _of_field(subject: UUID, category: str, field: str) -> list[CorrectionView]:
    """Return what was corrected in one field, newest first."""
    every = await corrections.of_person(subject)
    return [one for one in every if (one.category, one.field) == (category, field)]


async def _replace(
    earlier: list[CorrectionView], policy: Policy, settings: Settings, at: datetime
) -> None:  # fmt: skip
    """The person has said something newer. What is under way ends at its next step; what waited ends now."""
    for one in earlier:
        if not one.lives:
            continue
        await corrections.end(one, "replaced", at=at, actor="person")
        if one.state == "working":
            continue
        request = await find_by_id(one.request)
        await decided(request, at=at, actor="person")
        await answer.end(
            request, "withdrawn", event="correction-replaced", policy=policy, settings=settings, at=at, actor="person"
        )  # fmt: skip

"""Carry corrections out: what every place is asked to write, what follows when all have, and when one does not.

Always true here: only the newest correction of a field is written; a value that one place does not take is taken back
in the others, and a person of ours looks; nothing is called corrected before every place has answered.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid5
from zoneinfo import ZoneInfo

from portal.database import engine
from portal.errors import SourceRefused, SourceUnavailable, SourceUnsupported
from portal.identity.tables import Subject
from portal.mail.messages import answered, message_waiting, recipients_told
from portal.policy.model import Policy, PortalSource, PostgresSource, SourceSpec
from portal.rights import address_fanout, corrections
from portal.rights.answer import end
from portal.rights.correction_answers import answer_letter, done_lines, recipients_of
from portal.rights.corrections import CorrectionView, Values
from portal.rights.fields import address_fields, own_column
from portal.rights.lifecycle import move
from portal.rights.plans import ItemView, PlanView, items_of, turn
from portal.rights.platform_news import Event, tell_platform
from portal.rights.rectification import take_back
from portal.rights.replies import decided, enclose, link_to, tell, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import RequestMessage, SubjectRequest
from portal.rights.tasks import open_task, tasks_of
from portal.rights.timeline import record
from portal.rights.walk import Did
from portal.rights.workshop import Workshop, alone
from portal.sources import base
from portal.sources.base import Identifiers, Source

SELF = frozenset({"at-once", "new-address"})
"""Where the person's own word is enough."""


async def act(
    shop: Workshop, plan: PlanView, subject: Identifiers, source: Source, items: Sequence[ItemView]
) -> Did:  # fmt: skip
    """Have one place hold the value, if it is still the newest. Idempotent.

    Raises:
        Later: another worker corrects something of the same person there.
        SourceUnsupported: the place cannot; a person of ours does it.
    """
    spec = next(spec for spec in shop.policy.sources if spec.id == source.id)
    async with alone(shop.settings.database_dsn, uuid5(plan.subject, f"correct:{source.id}")):
        correction = await corrections.of_plan(plan.id)
        if correction is None or correction.state != "working":
            return Did(done=True, means="not-needed")
        values = await corrections.values_of(correction, shop.settings)
        if values is None or await _withdrawn(shop, plan, correction):
            return Did(done=True, means="not-needed")
        if correction.how == "new-address" and not await address_fanout.may_go_on(
            shop, plan, subject, spec, values, correction
        ):  # fmt: skip
            return Did(done=False, means="")
        if isinstance(spec, PortalSource):
            return await _own(shop, plan, correction, values)
        total = sum([await _write(shop.policy, spec, source, subject, item, correction, values) for item in items])
        await _tell_platform(shop, plan, source, subject)
    return Did(done=True, means="corrected" if total else "nothing")


async def _withdrawn(shop: Workshop, plan: PlanView, correction: CorrectionView) -> bool:
    """Return whether the person took it back before any place was written; what is half written is finished."""
    if correction.outcome != "withdrawn" or correction.how in {"back", "kept"}:
        return False
    if any(item.over for item in await items_of(plan.id)):
        return False
    async with engine().transaction():
        await corrections.end(correction, "replaced", at=shop.clock(), actor="worker")
    return True


async def _tell_platform(shop: Workshop, plan: PlanView, source: Source, subject: Identifiers) -> None:
    """Let the platform hear of it. One that does not want to hear has taken the value all the same: ask again later."""
    try:
        await tell_platform(shop, source, subject, Event.CORRECTED, str(plan.id))
    except SourceRefused as error:
        raise SourceUnavailable(source.id, f"its webhook {type(error).__name__}") from None


async def _write(
    policy: Policy, spec: SourceSpec, source: Source, subject: Identifiers, item: ItemView,
    correction: CorrectionView, values: Values,
) -> int:  # fmt: skip
    """Write one field. Several records are never changed by one word that was meant for one of them."""
    field = _field_of(policy, item, correction)
    if correction.how == "decide" and isinstance(spec, PostgresSource):
        tables = [table for table in spec.tables if table.category == item.category]
        filling = [table for table in tables if field in {part.target for part in table.columns}]
        account = all(table.name == spec.lookup.table for table in filling)
        if not account and (not values.record or len(filling) > 1):
            raise SourceUnsupported(spec.id, "which of several records is meant, a person must say there")
    return await source.rectify(
        subject,
        base.Correction(category=item.category, field=field, value=values.new, record=values.record),
    )


def _field_of(policy: Policy, item: ItemView, correction: CorrectionView) -> str:
    """Return the field that a row of a plan is about: an address has another name in other places."""
    if item.category == correction.category and own_column(policy, item.category, correction.field) != "email":
        return correction.field
    known = {(source, category): field for source, category, field in address_fields(policy)}
    return known.get((item.source, item.category), correction.field)


async def _own(shop: Workshop, plan: PlanView, correction: CorrectionView, values: Values) -> Did:
    """Remember the same in our own row of the person."""
    ours = own_column(shop.policy, correction.category, correction.field)
    if ours == "email":
        if any(item.error == "refused" and not item.over for item in await items_of(plan.id)):
            await settled(shop, plan)
            return Did(done=False, means="")
        return await address_fanout.switch(shop, plan, correction, values)
    known = values.new[:2].lower() if ours == "language" else values.new
    column = Subject.language if ours == "language" else Subject.display_name
    if ours != "language" or known in shop.policy.languages:
        await Subject.update({column: known}).where(Subject.id == plan.subject)
    return Did(done=True, means="corrected")


async def settled(shop: Workshop, plan: PlanView) -> None:
    """Take a correction back that a place refuses, everywhere, and have a person of ours look at it. Idempotent."""
    items, at = await items_of(plan.id), shop.clock()
    refused = [item for item in items if item.state == "failed" and item.error == "refused"]
    async with engine().transaction():
        await corrections.lock(plan.subject)
        correction = await corrections.of_plan(plan.id)
        if not refused or correction is None or correction.state != "working" or correction.how not in SELF:
            return
        request = await find_by_id(plan.request)
        await take_back(request, correction, shop.policy, shop.settings, at=at)
        if request.is_open:
            await _say_unfit(shop, request, refused[0].source, at)


async def finish(shop: Workshop, plan: PlanView) -> None:
    """End a correction that every place holds now: receipt, answer, and who else is told. Idempotent."""
    at = shop.clock()
    async with engine().transaction():
        if not await turn(plan, "done", at=at):
            return
        await corrections.lock(plan.subject)
        correction, request = await corrections.of_plan(plan.id), await find_by_id(plan.request)
        if correction is None:
            return
        if correction.state == "working":
            await corrections.end(correction, "done", at=at, actor="worker")
        if correction.how in {"back", "kept"}:
            await address_fanout.went_back(shop, request, correction, at=at)
        elif request.is_open:
            await _answer(shop, plan, request, correction, at)


async def tell_due(shop: Workshop) -> int:
    """Write once who else was told, when a person of ours has written to all of them. Returns how many. Art. 19."""
    rows = await SubjectRequest.raw(
        "SELECT r.id FROM subject_request r JOIN plan p ON p.request = r.id AND p.kind = 'rectify' AND p.state = 'done'"
        " WHERE r.\"right\" = 'rectification' AND EXISTS (SELECT FROM task t WHERE t.request = r.id"
        " AND t.kind = 'tell' AND t.state IN ('asked', 'done')) AND NOT EXISTS (SELECT FROM task t"
        " WHERE t.request = r.id AND t.kind = 'tell' AND t.state = 'open') AND NOT EXISTS (SELECT FROM mail m"
        " WHERE m.reference = r.reference AND m.kind = 'recipients-told')"
    )
    for row in rows:
        async with engine().transaction():
            await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", row["id"])
            request = await find_by_id(row["id"])
            if request.subject is not None:
                await _say_told(shop, request)
    return len(rows)


async def _answer(
    shop: Workshop, plan: PlanView, request: RequestView, correction: CorrectionView, at: datetime
) -> None:  # fmt: skip
    """Close the request of a correction, inside the caller's transaction."""
    policy, settings = shop.policy, shop.settings
    if correction.state == "replaced":
        await end(
            request, "withdrawn", event="correction-replaced", policy=policy, settings=settings, at=at, actor="worker"
        )  # fmt: skip
        return
    items, tasks = await items_of(plan.id), await tasks_of(request.id)
    zone = ZoneInfo(policy.controller.zone)
    if correction.how == "decide":
        letter = await answer_letter(shop, request, correction, tasks, at=at)
        await enclose(request, letter, policy, at=at, actor="worker")
    await decided(request, at=at, actor="worker")
    await end(
        request, "fulfilled", event="corrected", policy=policy, settings=settings, at=at, actor="worker",
        done=done_lines(policy, request, items), recipients=recipients_of(policy, items, tasks, zone, at),
    )  # fmt: skip
    late = at.astimezone(zone).date() > plan.approved_at.astimezone(zone).date()
    if correction.how == "decide" or late or any(item.means == "by-hand" for item in items):
        words = words_for(request, policy)
        message = answered(words, policy, reference=request.reference, link=link_to(request, settings))
        await tell(request, message, at=at)


async def _say_unfit(shop: Workshop, request: RequestView, place: str, at: datetime) -> None:
    words, policy = words_for(request, shop.policy), shop.policy
    title = next(spec.title[request.language] for spec in policy.sources if spec.id == place)
    text = words(
        "{place} did not take the new value. It may be too long, or hold a sign that is not known there. Nothing is "
        "changed: what was written in other places is put back. You can try another value under “Correct it”. A "
        "person of ours looks at it too.",
        place=title,
    )
    await move(
        request.id, request.reference, "deciding", event="correction-unfit", at=at, actor="worker",
        details={"source": place},
    )  # fmt: skip
    due = request.act_by_day or request.due_day
    await open_task(request.id, request.reference, "decide", "rectification", due=due, at=at)
    await RequestMessage(request=request.id, at=at, author="staff", kind="message", text=text).save()
    message = message_waiting(words, policy, reference=request.reference, link=link_to(request, shop.settings))
    await tell(request, message, at=at)


async def _say_told(shop: Workshop, request: RequestView) -> None:
    words, policy, at = words_for(request, shop.policy), shop.policy, shop.clock()
    states = {task.about: task.state for task in await tasks_of(request.id) if task.kind == "tell"}
    message = recipients_told(
        words, policy, reference=request.reference, link=link_to(request, shop.settings),
        told=[policy.recipient(id).name for id, state in states.items() if state == "done"],
        waiting=[policy.recipient(id).name for id, state in states.items() if state == "asked"],
    )  # fmt: skip
    await tell(request, message, at=at)
    await record(request.id, request.reference, "recipients-told", at=at, actor="worker")

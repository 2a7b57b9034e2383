"""A person's own pause: asked for with one of the four reasons, in place at once, ended by themself whenever they like.

Always true here: nothing waits for a decision of ours; the same pause asked for twice is one request; what a person
ends is in use again without a notice, for they know. Source: GDPR Art. 18(1).
"""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from portal.database import engine
from portal.mail.messages import paused
from portal.policy.model import Category, Policy, PortalSource, PostgresSource, categories_of
from portal.rights import messages, restriction
from portal.rights.answer import end
from portal.rights.intake import Asked, Opened, take_in
from portal.rights.lifecycle import NotPossible, move
from portal.rights.out_of_use import ASKED_FOR, Reason, in_place
from portal.rights.plans import PlanView, items_of, turn
from portal.rights.replies import link_to, tell, words_for
from portal.rights.requests import RequestView, find, find_by_id
from portal.rights.tables import Restriction, SubjectRequest, TimelineEntry
from portal.rights.tasks import drop_open, open_task, tasks_of
from portal.rights.timeline import record
from portal.rights.workshop import Workshop
from portal.settings import Settings

LIFTING = "lifting"
"""What the task is about that a person opens who does not agree with the end of their pause."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to have paused, and why."""

    subject: UUID
    categories: tuple[str, ...]
    """Ids of `pausable`."""
    reason: Reason
    """One of `out_of_use.ASKED_FOR`."""
    text: str = ""
    language: str


def pausable(policy: Policy) -> list[Category]:
    """Return what can be paused: what can be looked up by person. Our own record of requests answers the person."""
    ours = {source.category for source in policy.sources if isinstance(source, PortalSource)}
    return [
        category
        for category in policy.categories
        if category.searchable and category.id not in ours and policy.sources_of(category.id)
    ]


def stops_account(policy: Policy) -> frozenset[str]:
    """Return the categories whose pause stops the whole account: a platform's flag knows no parts."""
    return frozenset(
        category
        for source in policy.sources
        if isinstance(source, PostgresSource) and source.restrict is not None
        for category in categories_of(source)
    )


async def pause(wish: Wish, *, policy: Policy, settings: Settings, at: datetime) -> Opened:
    """Put the data out of use and open the request for it; one transaction. Asked for twice, it is one.

    What is written the second time is added to the request while it is open.

    Raises:
        ValueError: no category, one that cannot be paused, or no reason of Art. 18(1).
    """
    if not wish.categories or not {one.id for one in pausable(policy)} >= set(wish.categories):
        raise ValueError("no category that can be paused")
    if wish.reason not in ASKED_FOR:
        raise ValueError("no reason of Art. 18(1)")
    async with engine().transaction():
        await engine().connection.execute("SELECT FROM subject WHERE id = $1 FOR UPDATE", wish.subject)
        same = await _same(wish)
        id = same or await _begin(wish, policy, settings, at)
    opened = Opened(await find_by_id(id), existing=same is not None)
    await messages.add(opened, wish.text, policy=policy, settings=settings, at=at)
    return opened


async def end_own(reference: str, subject: UUID, *, policy: Policy, settings: Settings, at: datetime) -> None:
    """End one's own pause at once. Idempotent.

    Raises:
        NotFound: it is not theirs.
    """
    request = await find(reference, subject)
    if request.right != "restriction":
        return
    async with engine().transaction():
        if not await restriction.lift(request.id, reference, at=at, actor="person"):
            return
        await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", request.id)
        request = await find_by_id(request.id)
        await drop_open(request.id, at=at, actor="person")
        if request.is_open:
            await end(
                request, "withdrawn", event="pause-ended-by-you", policy=policy, settings=settings, at=at,
                actor="person",
            )  # fmt: skip
        else:
            await record(request.id, reference, "pause-ended-by-you", at=at, actor="person")


async def disagree(reference: str, subject: UUID, *, policy: Policy, at: datetime) -> None:
    """Say that one's pause must not end as announced: it stays until a person of ours has looked. Idempotent.

    Raises:
        NotFound: it is not theirs.
        NotPossible: no end is announced.
    """
    request = await find(reference, subject)
    async with engine().transaction():
        held = await Restriction.raw(
            "SELECT lifts_at FROM restriction WHERE request = {} AND lifted_at IS NULL AND lifts_at IS NOT NULL"
            " FOR UPDATE",
            request.id,
        )
        if not held:
            raise NotPossible
        if any(task.about == LIFTING and task.ended_at is None for task in await tasks_of(request.id)):
            return
        day = held[0]["lifts_at"].astimezone(ZoneInfo(policy.controller.zone)).date()
        await open_task(request.id, reference, "decide", LIFTING, due=day, at=at)
        await record(request.id, reference, "pause-disagreed", at=at, actor="person")


async def settled(shop: Workshop, plan: PlanView) -> None:
    """Say once that a pause is in place, when every system has answered: done, or left to a person. Idempotent."""
    request, at = await find_by_id(plan.request), shop.clock()
    if request.right != "restriction" or plan.kind != "restrict":
        return
    async with engine().transaction():
        await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", request.id)
        living = any(one.request == request.id for one in await in_place(plan.subject))
        if not living or await _said(request):
            return
        await record(request.id, request.reference, "in-place", at=at, actor="worker")
        await _say_paused(shop, request, plan, at)


async def finish(shop: Workshop, plan: PlanView) -> None:
    """End a plan whose systems all keep the data out of use, or have let it go; with it what staff confirmed."""
    await settled(shop, plan)
    at = shop.clock()
    async with engine().transaction():
        if not await turn(plan, "done", at=at) or plan.kind != "restrict":
            return
        rows = await SubjectRequest.raw(
            "SELECT id FROM subject_request WHERE id = {} AND state = 'working' AND \"right\" = 'restriction'"
            " FOR UPDATE",
            plan.request,
        )
        if rows:
            request = await find_by_id(plan.request)
            await end(
                request, "fulfilled", event="pause-everywhere", policy=shop.policy, settings=shop.settings, at=at,
                actor="worker",
            )  # fmt: skip


async def _same(wish: Wish) -> UUID | None:
    """Return the request of a pause that says the same and has no end announced."""
    return next(
        (
            one.request
            for one in await in_place(wish.subject)
            if one.reason == wish.reason and set(one.categories) == set(wish.categories) and one.lifts_at is None
        ),
        None,
    )


async def _begin(wish: Wish, policy: Policy, settings: Settings, at: datetime) -> UUID:
    asked = Asked(
        right="restriction", subject=wish.subject, language=wish.language, categories=wish.categories,
        text=wish.text, received_at=at,
    )  # fmt: skip
    request = await take_in(asked, policy=policy, public_url=settings.public_url, at=at)
    id, reference, due = request.id, request.reference, request.act_by_day or request.due_day
    await move(id, reference, "deciding", event="paused", at=at, actor="person")
    await restriction.put_out_of_use(request, policy, wish.categories, reason=wish.reason, at=at, actor="person")
    await open_task(id, reference, "decide", "restriction", due=due, at=at)
    return id


async def _said(request: RequestView) -> bool:
    return await TimelineEntry.exists().where(
        (TimelineEntry.request == request.id) & (TimelineEntry.event == "in-place")
    )  # fmt: skip


async def _say_paused(shop: Workshop, request: RequestView, plan: PlanView, at: datetime) -> None:
    words, policy = words_for(request, shop.policy), shop.policy
    titles = {spec.id: spec.title[request.language] for spec in policy.sources}
    message = paused(
        words,
        policy,
        reference=request.reference,
        stopped=[policy.category(id).title[request.language] for id in request.categories],
        by_hand=[titles[item.source] for item in await items_of(plan.id) if item.by_hand],
        link=link_to(request, shop.settings),
    )
    await tell(request, message, at=at)

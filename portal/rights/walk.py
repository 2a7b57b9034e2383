"""Carry out plans: source by source, row by row, as often as it takes.

Always true here: what a source did is asked for again after any crash, and every source answers that harmlessly; a
failure belongs to its source and never stops the others; no call leaves inside a transaction.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.database import engine
from portal.errors import SourceError, SourceRefused, SourceUnsupported
from portal.jobs import Payload
from portal.policy.model import PostgresSource
from portal.rights import known, plans
from portal.rights.out_of_use import OutOfUse, need_in_use
from portal.rights.person import find_person
from portal.rights.plans import ItemView, PlanView
from portal.rights.tables import PlanItem
from portal.rights.tasks import TaskKind, drop_trouble, open_task
from portal.rights.workshop import Workshop, alone
from portal.sources.base import Identifiers, Source
from portal.sources.registry import Identified
from portal.working_days import add_working_days, holidays_in

SOON, LONGEST = timedelta(minutes=1), timedelta(hours=6)
SILENT = timedelta(days=1)
"""How long a place may not answer before a person of ours hears of it."""


@dataclass(frozen=True)
class Did:
    """What came of asking a source: `done`, or still at it under `handle`."""

    done: bool
    means: str
    handle: str = ""


class LeftSomething(Exception):
    """A source said that it was done, and still counts records that were to go."""


@dataclass(frozen=True)
class Craft:
    """How one kind of plan is carried out: what a source is asked to do, and what follows when all have done it."""

    act: Callable[[Workshop, PlanView, Identifiers, Source, Sequence[ItemView]], Awaitable[Did]]
    finish: Callable[[Workshop, PlanView], Awaitable[None]]
    narrow: Callable[[Workshop, PlanView, Identifiers], Awaitable[Identifiers]] | None = None
    """Leaves identifiers out before the work begins."""
    settled: Callable[[Workshop, PlanView], Awaitable[None]] | None = None
    """What follows as soon as nothing is left but what people do by hand; called again and again."""


type Crafts = Mapping[str, Craft]


async def walk(shop: Workshop, crafts: Crafts, payload: Payload) -> None:
    """Take one plan as far as it goes now. Idempotent; takes up where a killed worker stopped.

    Raises:
        Later: when another worker is at it.
    """
    id = UUID(payload["plan"])
    async with alone(shop.settings.database_dsn, id):
        plan = await plans.find_plan(id)
        if plan is None or plan.state in {"done", "cancelled"}:
            return
        if plan.state == "approved":
            if shop.clock() < plan.runs_at or not await _begin(shop, crafts[plan.kind], plan):
                return
            plan = await plans.find_plan(id) or plan
        await _sources(shop, crafts[plan.kind], plan)
        await _follow(shop, crafts[plan.kind], plan)


async def done(shop: Workshop, plan: PlanView) -> None:
    """Finish a plan after which nothing else follows."""
    async with engine().transaction():
        await plans.turn(plan, "done", at=shop.clock())


async def _begin(shop: Workshop, craft: Craft, plan: PlanView) -> bool:
    """Find out who it is about while every place still knows, and how much there is. False: a place is silent."""
    person = await find_person(shop.sources, plan.subject)
    items = await plans.items_of(plan.id)
    if _must_wait(shop, plan, person):
        await _silent(shop, plan, [item for item in items if item.source in person.unreachable])
        return False
    subject = await craft.narrow(shop, plan, person.identifiers) if craft.narrow else person.identifiers
    counts = await shop.sources.count(subject)
    if plan.kind == "erase" and (silent := [one for one in items if one.category and counts.get(one.source) is None]):
        # Begun without its number, what is kept there would be held for nobody knows how many records.
        await _silent(shop, plan, silent)
        return False
    expected = [(item.id, (counts.get(item.source) or {}).get(item.category)) for item in items if item.category]
    at = shop.clock()
    async with engine().transaction():
        sealed = await known.seal(plan, subject, shop.settings, at=at)
        await plans.begin(plan, sealed, expected, at=at)
        for item in items:
            if item.action == "tell":
                await _by_hand(plan, [item], "tell", shop)
    return True


def _must_wait(shop: Workshop, plan: PlanView, person: Identified) -> bool:
    """Tell whether somebody is not known well enough yet.

    An erasure wants every place to have said whom it knows; a pause and a correction only want the person's
    accounts, for the places that answer must not wait for those that do not.
    """
    if plan.kind == "erase":
        return bool(person.unreachable)
    lookups = {spec.id for spec in shop.policy.sources if isinstance(spec, PostgresSource)}
    return not person.identifiers.account_ids and not lookups.isdisjoint(person.unreachable)


async def _sources(shop: Workshop, craft: Craft, plan: PlanView) -> None:
    subject = await known.unseal(plan, shop.settings)
    items = [item for item in await plans.items_of(plan.id) if item.action != "tell" and not item.over]
    for source, group in groupby(items, key=lambda item: item.source):
        await _source(shop, craft, plan, subject, shop.sources.get(source), list(group))


async def _source(
    shop: Workshop, craft: Craft, plan: PlanView, subject: Identifiers, source: Source, items: list[ItemView]
) -> None:
    """Ask one source to do its rows, and write down what came of it."""
    try:
        if plan.kind == "rectify":
            for item in items:
                await need_in_use(plan.subject, item.category, but={"accuracy"})
        did = await craft.act(shop, plan, subject, source, items)
    except OutOfUse:
        await plans.failed(plan, items, "out-of-use", at=shop.clock())
    except SourceUnsupported:
        async with engine().transaction():
            await _by_hand(plan, items, "by-hand", shop)
    except SourceRefused:
        await plans.failed(plan, items, "refused", at=shop.clock())
        async with engine().transaction():
            await _by_hand(plan, items, "refused", shop, mark=False)
    except (SourceError, TimeoutError):
        await _silent(shop, plan, items)
    except LeftSomething:
        await plans.failed(plan, items, "left", at=shop.clock())
    else:
        if did.done:
            await plans.finished(plan, items, did.means, at=shop.clock())
            await drop_trouble([item.id for item in items], at=shop.clock())
        else:
            await plans.under_way(items, did.means, did.handle)


async def _silent(shop: Workshop, plan: PlanView, items: Sequence[ItemView]) -> None:
    """Note that places do not answer; after a day a person of ours looks at it, and they are still asked."""
    at = shop.clock()
    await plans.failed(plan, items, "unavailable", at=at)
    for _, group in groupby(items, key=lambda item: item.source):
        since = [item for item in group if item.failed_at is not None and at - item.failed_at >= SILENT]
        if since:
            async with engine().transaction():
                await _by_hand(plan, since, "silent", shop, mark=False)


async def _by_hand(
    plan: PlanView, items: Sequence[ItemView], kind: TaskKind, shop: Workshop, *, mark: bool = True
) -> None:
    """Leave the rows of one place to a person, as one task, inside the caller's transaction.

    `mark` is False where the source is still asked too.
    """
    if mark:
        await PlanItem.update({PlanItem.state: "by-hand", PlanItem.error: ""}).where(
            PlanItem.id.is_in([item.id for item in items]) & (PlanItem.state != "done")
        )
    first = items[0]
    await open_task(
        plan.request, plan.reference, kind, first.source, due=_by_when(shop, plan), at=shop.clock(), item=first.id
    )  # fmt: skip


def _by_when(shop: Workshop, plan: PlanView) -> date:
    """Return the day by which a person does it: what is to stand still cannot wait for the day of the answer."""
    if plan.kind not in {"restrict", "lift"}:
        return plan.due_day
    controller = shop.policy.controller
    today = shop.clock().astimezone(ZoneInfo(controller.zone)).date()
    holidays = holidays_in(controller.holidays, today.year) | holidays_in(controller.holidays, today.year + 1)
    return add_working_days(today, 1, holidays)


async def _follow(shop: Workshop, craft: Craft, plan: PlanView) -> None:
    """Finish what can be finished, and come back for what cannot yet."""
    open_items = [item for item in await plans.items_of(plan.id) if item.action != "tell" and not item.over]
    if not open_items:
        await craft.finish(shop, plan)
    elif craft.settled is not None and all(item.by_hand for item in open_items):
        await craft.settled(shop, plan)
    left = await plans.find_plan(plan.id)
    if left is not None and left.state in {"running", "scanning"}:
        tries = max((item.tries for item in open_items), default=0)
        await plans.again(plan, min(SOON * 2 ** min(tries, 12), LONGEST), at=shop.clock())

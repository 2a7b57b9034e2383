"""The search after an erasure: every store is looked through for everything the person was known by.

Always true here: nothing is called gone that was not looked at; what is found and not kept on purpose opens the plan
again, three times, and then a person of ours decides; a store that does not answer is asked again and never skipped.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from exports.storage import StorageError
from portal.database import engine
from portal.errors import SourceError, SourceRefused, SourceUnsupported
from portal.policy.model import PortalSource, SourceSpec
from portal.rights import known, needles, plans
from portal.rights.lifecycle import NotPossible
from portal.rights.plans import ItemView, PlanView
from portal.rights.scan_places import PARCELS, Store, own_stores
from portal.rights.scan_report import Found, Report, StoreView, Verdict, report_of, views_of, write
from portal.rights.scan_verdicts import Explained, explain
from portal.rights.tasks import TaskView, end_task, open_task, tasks_of
from portal.rights.workshop import Workshop
from portal.sources.base import Finding, Identifiers, Needles, Searched, Source

__all__ = ["Report", "StoreView", "look", "report_of", "settle"]

ROUNDS = 3
"""How often a plan is opened again before a person of ours is asked."""
SILENT = timedelta(days=3)
"""How long a store may not answer before a person of ours hears of it."""
SOON, LONGEST = timedelta(minutes=1), timedelta(hours=6)
SEARCH_SECONDS = 3600.0
"""How long one store may take: a search reads all that there is."""
BY_HAND = frozenset({"by-hand", "not-needed"})


async def settle(shop: Workshop, plan: PlanView) -> bool:
    """Look through every store that was not looked through in this round, and see to what is left.

    Called when every row of an erasure is done, and again until it returns True: nothing is left, every store
    answered, or a person of ours decided. Idempotent; each store is kept as soon as it was looked through.
    """
    plan = await plans.find_plan(plan.id) or plan
    subject = await known.unseal(plan, shop.settings)
    async with engine().transaction():
        await plans.turn(plan, "scanning", at=shop.clock())
    before, tasks = await views_of(plan.id, plan.rounds), await _tasks(plan)
    items = await plans.items_of(plan.id)
    for store in _stores(shop, plan, subject, items):
        view = before.get(store.id)
        if view is None or _due(view, tasks.get(store.id), shop.clock()):
            await write(plan, await _look(shop, plan, store, items, view))
    return await _conclude(shop, plan, items)


async def look(shop: Workshop, plan: PlanView, subject: Identifiers) -> Report:
    """Look through every store now, and write nothing."""
    items = await plans.items_of(plan.id)
    stores = _stores(shop, plan, subject, items)
    return Report(stores=tuple([await _look(shop, plan, store, items, None) for store in stores]))


# --- Looking -------------------------------------------------------------------------------------------------------


def _stores(shop: Workshop, plan: PlanView, subject: Identifiers, items: Sequence[ItemView]) -> list[Store]:
    """Return what is to be looked through. While the account stays, its name is everywhere: then only counts tell."""
    if not plan.whole:
        named = dict.fromkeys(item.source for item in items if item.action == "erase")
        return [_counted(shop.sources.get(id), subject, items) for id in named]
    wanted = needles.of(subject)
    return [
        *(_searched(shop, source, wanted, needles.unseen(subject)) for source in shop.sources.all),
        *own_stores(shop, plan, wanted),
    ]


def _searched(shop: Workshop, source: Source, wanted: Needles, unseen: Sequence[str]) -> Store:
    # Our own random id of the person stays on their requests, which are kept; elsewhere it has no place.
    mine = isinstance(_spec(shop, source.id), PortalSource)
    texts = {id: text for id, text in wanted.texts.items() if not (mine and id.startswith("subject"))}
    asked = msgspec.structs.replace(wanted, texts=texts, whole=wanted.whole & texts.keys())
    unsearched = tuple(f"number {id}" for id in unseen if not id.startswith("name"))

    async def search() -> Searched:
        found = await source.search(asked)
        return msgspec.structs.replace(found, blind=(*found.blind, *unsearched))

    return Store(source.id, search, asked)


def _counted(source: Source, subject: Identifiers, items: Sequence[ItemView]) -> Store:
    mine = {item.category: item for item in items if item.source == source.id}
    gone = [id for id, item in mine.items() if item.action == "erase" and item.means != "blanked"]

    async def search() -> Searched:
        counts = await source.count(subject)
        found = [Finding(place=id, needle="count", number=counts[id]) for id in gone if counts.get(id)]
        blind = tuple(f"anonymised {id}" for id, item in mine.items() if item.action == "anonymise" or id not in gone)
        return Searched(findings=tuple(found), places=tuple(gone), blind=("account-stays", *blind))

    return Store(source.id, search)


async def _look(
    shop: Workshop, plan: PlanView, store: Store, items: Sequence[ItemView], before: StoreView | None
) -> StoreView:
    """Look through one store. What goes wrong there is its verdict."""
    view = StoreView(store=store.id, verdict="gone", since=shop.clock(), at=shop.clock())
    try:
        async with asyncio.timeout(SEARCH_SECONDS):
            searched = await store.search()
            explained = await _explained(shop, plan, store, items, searched.findings)
        view = _judged(view, searched, explained)
    except SourceUnsupported:
        view = msgspec.structs.replace(view, verdict="blind", blind=("no-right",))
    except SourceRefused:
        view = msgspec.structs.replace(view, verdict="refused")
    except (SourceError, StorageError, TimeoutError, OSError):
        view = msgspec.structs.replace(view, verdict="unavailable")
    if before is None or before.verdict != view.verdict:
        return view
    return msgspec.structs.replace(view, since=before.since, tries=before.tries + 1)


async def _explained(
    shop: Workshop, plan: PlanView, store: Store, items: Sequence[ItemView], findings: Sequence[Finding]
) -> list[Explained]:
    spec = _spec(shop, store.id)
    if spec is None or not plan.whole:
        return [Explained(finding) for finding in findings]
    mine = [item for item in items if item.source == store.id]
    return await explain(plan, spec, shop.sources.get(store.id), mine, store.wanted, findings)


def _judged(view: StoreView, searched: Searched, explained: Sequence[Explained]) -> StoreView:
    found = tuple(
        Found(
            place=one.finding.place, needle=one.finding.needle, number=one.finding.number, kept=bool(one.ground)
        )
        for one in explained
    )  # fmt: skip
    ground = next((one.ground for one in explained if one.ground), "")
    view = msgspec.structs.replace(view, places=searched.places, found=found, blind=searched.blind, ground=ground)
    return msgspec.structs.replace(view, verdict=_verdict(view))


def _verdict(view: StoreView) -> Verdict:
    if view.left:
        return "left"
    if view.found:
        return "kept"
    if not view.places:
        return "blind"
    return "gone-where-looked" if view.blind else "gone"


def _spec(shop: Workshop, id: str) -> SourceSpec | None:
    return next((spec for spec in shop.policy.sources if spec.id == id), None)


# --- What follows --------------------------------------------------------------------------------------------------


async def _conclude(shop: Workshop, plan: PlanView, items: Sequence[ItemView]) -> bool:
    """Open the plan again, or ask a person of ours, or neither: then True."""
    views = await views_of(plan.id, plan.rounds)
    again = sorted({id for view in views.values() if view.verdict == "left" for id in _mends(shop, view, items)})
    if again and plan.rounds < ROUNDS:
        async with engine().transaction():
            await plans.reopen(plan, again, at=shop.clock())
            await plans.turn(plan, "running", at=shop.clock())
        return False
    tasks = await _tasks(plan)
    return all([await _settled(shop, plan, view, tasks.get(view.store)) for view in views.values()])


def _mends(shop: Workshop, view: StoreView, items: Sequence[ItemView]) -> list[str]:
    """Return the source that can do it again: not one where a person of ours did it."""
    source = view.store
    if source == PARCELS:
        source = next((spec.id for spec in shop.policy.sources if isinstance(spec, PortalSource)), "")
    mine = [item for item in items if item.source == source and item.action != "tell"]
    return [source] if mine and not any(item.means in BY_HAND for item in mine) else []


async def _settled(shop: Workshop, plan: PlanView, view: StoreView, task: TaskView | None) -> bool:
    """Tell whether a store needs nothing more; see to it that a person of ours hears of one that does."""
    is_open = task is not None and task.ended_at is None
    if view.settled:
        if task is not None and is_open:
            await _drop(task, shop.clock())
        return True
    if task is not None and _decided(view, task):
        verdict, blind = ("judged", view.blind) if view.verdict == "left" else ("blind", ("not-answering",))
        await write(plan, msgspec.structs.replace(view, verdict=verdict, blind=blind, at=shop.clock()))
        return True
    waits = view.verdict == "unavailable" and shop.clock() - view.since < SILENT
    if not is_open and not waits:
        async with engine().transaction():
            await open_task(
                plan.request, plan.reference, "left", view.store, due=plan.due_day, at=shop.clock()
            )  # fmt: skip
    return False


def _decided(view: StoreView, task: TaskView) -> bool:
    """Tell whether a person of ours looked at this very answer and found that nothing is to be done."""
    ended = task.ended_at
    return task.state == "not-needed" and ended is not None and ended >= view.at


def _due(view: StoreView, task: TaskView | None, at: datetime) -> bool:
    """Tell whether a store is to be looked through again in the same round."""
    if view.settled:
        return False
    if task is not None and task.ended_at is not None and task.ended_at >= view.at:
        return task.state == "done"
    if view.verdict == "left":
        return False
    return at >= view.at + min(SOON * (1 << min(view.tries, 12)), LONGEST)


async def _drop(task: TaskView, at: datetime) -> None:
    """End a task that nothing is left of."""
    try:
        await end_task(task.id, "not-needed", at=at, actor="worker", reason="A later search found nothing there.")
    except NotPossible:
        return


async def _tasks(plan: PlanView) -> Mapping[str, TaskView]:
    """Return the newest task about what is left in each store."""
    return {task.about: task for task in await tasks_of(plan.request) if task.kind == "left" and task.item is None}

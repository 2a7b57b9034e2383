"""The end of an erasure: looked for, signed for, said, and then the address itself is forgotten.

Always true here: the search has found nothing before it is called done; the tombstone lies outside the database
before the database says so; receipt, last mail and outcome are one transaction; the address outlives it only until
that mail has left.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.database import engine
from portal.evidence import seal, tombstones
from portal.evidence.ledger import open_ledger
from portal.evidence.log import append
from portal.mail.messages import erasure_done
from portal.mail.outbox import post
from portal.mail.tables import Mail
from portal.policy.model import Policy
from portal.rights import held, known, receipts, scan
from portal.rights.answer import end
from portal.rights.deadlines import RULES_VERSION
from portal.rights.letters.reasons import noted
from portal.rights.lifecycle import Outcome
from portal.rights.plans import ItemView, PlanView, items_of, plan_of, turn
from portal.rights.receipt_file import Told, What
from portal.rights.receipts import Answer, Done, Recipient, grouped
from portal.rights.requests import RequestView, find_by_id, requests_of
from portal.rights.tables import Plan, Restriction, Task
from portal.rights.tasks import tasks_of
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.sources.base import Identifiers
from portal.words import Words

LAST_MAIL = timedelta(days=2)
"""How long the last mail is waited for; a mailbox that takes nothing does not keep its address here."""


async def finish(shop: Workshop, plan: PlanView) -> None:
    """End an erasure whose places have all done theirs, unless the search still finds something. Idempotent."""
    if not await scan.settle(shop, plan):
        return
    subject = await known.unseal(plan, shop.settings)
    items = await items_of(plan.id)
    tombstone = await _bury(shop, plan, subject, items) if plan.whole else None
    at = shop.clock()
    async with engine().transaction():
        if not await turn(plan, "done", at=at):
            return
        if tombstone is not None:
            await tombstones.know(tombstone.id, at=at)
            await held.hold(plan, items)
        await _close(shop, plan, items, at=at)


async def forget_addresses(shop: Workshop) -> int:
    """Forget the addresses of those whose last mail has left, and destroy their keys. Returns how many."""
    rows = await Plan.raw(
        "SELECT p.id, p.done_at, r.reference, r.subject FROM plan p JOIN subject_request r ON r.id = p.request"
        " WHERE p.kind = 'erase' AND p.whole AND p.state = 'done' AND p.known IS NOT NULL AND NOT EXISTS ("
        "SELECT FROM mail m WHERE m.reference = r.reference AND m.state = 'waiting' AND p.done_at > {})",
        shop.clock() - LAST_MAIL,
    )
    for row in rows:
        async with engine().transaction():
            await Mail.update({Mail.to_address: ""}).where(Mail.reference == row["reference"])
            await engine().connection.execute(
                "DELETE FROM mail_body WHERE mail IN (SELECT id FROM mail WHERE reference = $1)", row["reference"]
            )
            await seal.destroy_key(row["subject"])
            await Plan.update({Plan.known: None}).where(Plan.id == row["id"])
            await append(
                "rights:address:forgotten", at=shop.clock(), actor="worker", reference=row["reference"]
            )  # fmt: skip
    return len(rows)


async def _bury(
    shop: Workshop, plan: PlanView, subject: Identifiers, items: Sequence[ItemView]
) -> tombstones.Tombstone:
    """Note outside the database that this person is gone.

    An erasure of a part has none: our own database holds nothing of that part, so a restore brings nothing back, and
    erasing it again would take what the person has made since.
    """
    identifiers = [
        *(("email", value) for value in subject.emails),
        *(("account_id", value) for value in subject.account_ids),
        *(("stripe_customer", value) for value in subject.stripe_customers),
    ]
    ledger = open_ledger(shop.settings)
    try:
        return await tombstones.bury(
            ledger, shop.settings, shop.policy, key=f"erasure:{plan.request}", subject=plan.subject,
            identifiers=identifiers, sources=sorted({item.source for item in items if item.category}),
            held=held.kept_by(plan, items), at=shop.clock(),
        )  # fmt: skip
    finally:
        await ledger.close()


async def _close(shop: Workshop, plan: PlanView, items: Sequence[ItemView], *, at: datetime) -> None:
    """Close the request, and what else of theirs is open: nobody can be answered whose address is forgotten."""
    request, policy = await find_by_id(plan.request), shop.policy
    kept = [item for item in items if item.action == "keep" and item.expected != 0 and item.means != "nothing"]
    outcome: Outcome = "partly" if kept else "fulfilled"
    backups = _backups(policy, at)
    number = await end(
        request, outcome, event="erased", policy=policy, settings=shop.settings, at=at, actor="worker",
        details=noted({item.ground for item in kept}) if kept else None, done=_done(policy, request, items),
        recipients=await _recipients(policy, plan), backups_gone_by=backups,
    )  # fmt: skip
    if plan.whole:
        await _close_others(shop, plan, at=at)
    await _let_go(plan, at=at)
    await _say_done(shop, request, plan, items, number, backups, at=at)


def _backups(policy: Policy, at: datetime) -> date | None:
    return (at + timedelta(days=policy.backups.days)).date() if policy.backups else None


async def _close_others(shop: Workshop, plan: PlanView, *, at: datetime) -> None:
    for other in await requests_of(plan.subject):
        if other.is_open:
            await end(
                other, "withdrawn", event="ended-by-erasure", policy=shop.policy, settings=shop.settings, at=at,
                actor="worker",
            )  # fmt: skip


def _done(policy: Policy, request: RequestView, items: Sequence[ItemView]) -> list[Done]:
    return [
        Done(
            category=item.category, title=policy.category(item.category).title[request.language], source=item.source,
            what=_what(item), records=item.expected, ground=item.ground if item.action == "keep" else "",
            until=item.until if item.action == "keep" else None,
        )
        for item in items
        if item.category
    ]  # fmt: skip


def _what(item: ItemView) -> What:
    if item.means == "by-hand":
        return "by-hand"
    if item.expected == 0 or item.means == "nothing":
        return "nothing"
    if item.action == "erase" and item.means == "blanked":
        return "anonymised"
    return {"erase": "erased", "anonymise": "anonymised"}.get(item.action, "kept")  # type: ignore[return-value]


async def _recipients(policy: Policy, plan: PlanView) -> list[Recipient]:
    """Say of everyone else who had the data what they know: by one of our sources, by hand, or not at all yet."""
    zone = ZoneInfo(policy.controller.zone)
    states: dict[str, Told] = {"open": "to-be-asked", "asked": "asked", "done": "confirmed", "not-needed": "not-needed"}
    return [
        Recipient(
            name=policy.recipient(task.about).name,
            state=states[task.state],
            on=(task.ended_at or task.asked_at or task.opened_at).astimezone(zone).date(),
        )
        for task in await tasks_of(plan.request)
        if task.kind == "tell"
    ]


async def _let_go(plan: PlanView, *, at: datetime) -> None:
    """What was out of use for the days to think again is gone; nothing is left to be let go in any system."""
    await Restriction.update({Restriction.lifted_at: at}).where(
        (Restriction.request == plan.request) & Restriction.lifted_at.is_null()
    )
    await Plan.raw(
        "UPDATE plan SET state = 'done', done_at = {} WHERE request = {} AND kind = 'restrict'"
        " AND state NOT IN ('done', 'cancelled')",
        at, plan.request,
    )  # fmt: skip


async def _say_done(
    shop: Workshop,
    request: RequestView,
    plan: PlanView,
    items: Sequence[ItemView],
    number: str,
    backups: date | None,
    *,
    at: datetime,
) -> None:
    policy, words = shop.policy, Words(request.language, shop.policy.controller.zone)
    titles = {category.id: category.title[request.language] for category in policy.categories}
    went = {item.category for item in items if item.category and _what(item) in {"erased", "anonymised", "by-hand"}}
    kept = {item.category: item.until for item in items if _what(item) == "kept" and item.until}
    gone = [title for id, title in titles.items() if id in went]
    stays = [(title, kept[id]) for id, title in titles.items() if id in kept]
    waiting = [one.name for one in await _recipients(policy, plan) if one.state in {"asked", "to-be-asked"}]
    message = erasure_done(
        words, policy, reference=request.reference, receipt=grouped(number), gone=gone,
        stays=stays, waiting=waiting, backups_until=backups, account_closed=plan.whole,
        link=f"{shop.settings.public_url}/{request.language}/receipt",
    )  # fmt: skip
    if request.channel == "restore":
        return  # They were told when it was erased the first time.
    if not (to := await known.address(plan, shop.settings)):
        return
    await post(message, to=to, language=request.language, reference=request.reference, at=at)


async def after_task(task: UUID, *, policy: Policy, settings: Settings, at: datetime) -> None:
    """See to the receipt of a closed erasure after a task of it has changed."""
    row = await Task.select(Task.request).where(Task.id == task).first()
    if row is not None:
        await supplement(await find_by_id(row["request"]), policy=policy, settings=settings, at=at)


async def supplement(request: RequestView, *, policy: Policy, settings: Settings, at: datetime) -> None:
    """Sign again what an erasure came to, when a recipient has answered since. Idempotent: no change, no supplement.

    The person's address is forgotten by then: they find it under the number of the first receipt.
    """
    plan = await plan_of(request.id, "erase")
    if plan is None or plan.state != "done" or plan.done_at is None or request.closed_at is None:
        return
    answer = Answer(
        outcome=request.outcome,
        answered=request.closed_at.astimezone(ZoneInfo(policy.controller.zone)).date(),
        rules=str(RULES_VERSION),
        done=tuple(_done(policy, request, await items_of(plan.id))),
        recipients=tuple(await _recipients(policy, plan)),
        backups_gone_by=_backups(policy, plan.done_at),
    )
    async with engine().transaction():
        await receipts.issue(request.id, answer, settings=settings, policy=policy, at=at)

"""Erase a person again whom a restored backup brought back: the same erasure, without days to think and without mail.

Always true here: it is a plan like any other, with its search and its receipt, so a kill at any line is taken up; what
was kept the first time is found again by its pseudonym and goes on its day.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from portal.database import engine
from portal.evidence.ledger import opened
from portal.evidence.tombstones import Tombstone, find, hashed, tombstone_id
from portal.rights import erasure_end, held
from portal.rights.deadlines import deadline, inputs_for, to_json
from portal.rights.erasure_plan import draw, erasable
from portal.rights.person import find_person
from portal.rights.plans import PlanView, find_plan, lay, plan_of
from portal.rights.tables import Plan, SubjectRequest
from portal.rights.timeline import record
from portal.rights.walk import Crafts, walk
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.sources.base import Identifiers

CHANNEL = "restore"


def erase_again(shop: Workshop, crafts: Crafts) -> Callable[[UUID, Tombstone], Awaitable[bool]]:
    """Return what erases a person of a restored database again; True when nothing is left of them."""

    async def again(subject: UUID, tombstone: Tombstone) -> bool:
        plan = await _plan(shop, subject, tombstone)
        await walk(shop, crafts, {"plan": str(plan.id)})
        now = await find_plan(plan.id)
        if now is None or now.state != "done":
            return False
        await _hold_again(now, tombstone)
        await erasure_end.forget_addresses(shop)
        return True

    return again


async def narrow(shop: Workshop, plan: PlanView, found: Identifiers) -> Identifiers:
    """Leave out of a replay whoever has signed up again since: an account that the first erasure did not know.

    Then nothing is looked for by address either; what the first erasure took by address is gone from there anyway.
    """
    async with opened(shop.settings) as ledger:
        for id in (plan.request, tombstone_id(shop.settings, f"erasure:{plan.request}")):
            if tombstone := await find(ledger, shop.settings, id):
                return _of(tombstone, found, shop.settings)
    return found


def _of(tombstone: Tombstone, found: Identifiers, settings: Settings) -> Identifiers:
    def known(kind: str, values: frozenset[str]) -> frozenset[str]:
        return frozenset(value for value in values if not tombstone.hashes.isdisjoint(hashed(settings, (kind, value))))

    accounts = known("account_id", found.account_ids)
    return msgspec.structs.replace(
        found,
        account_ids=accounts,
        stripe_customers=known("stripe_customer", found.stripe_customers),
        emails=known("email", found.emails) if accounts == found.account_ids else frozenset(),
    )


async def _plan(shop: Workshop, subject: UUID, tombstone: Tombstone) -> PlanView:
    """Return the plan of this replay: one laid before a kill, one of the backup that had not begun, or a new one."""
    request = await _request(subject, tombstone)
    if request is None:
        request = await _take_in(shop, subject, tombstone)
    plan = await plan_of(request, "erase")
    if plan is None:
        raise LookupError("a replay without a plan")
    if plan.state == "approved":
        await Plan.update({Plan.runs_at: shop.clock()}).where((Plan.id == plan.id) & (Plan.state == "approved"))
    return await find_plan(plan.id) or plan


async def _request(subject: UUID, tombstone: Tombstone) -> UUID | None:
    rows = await SubjectRequest.raw(
        "SELECT r.id FROM subject_request r JOIN plan p ON p.request = r.id AND p.kind = 'erase'"
        " AND p.state <> 'cancelled' WHERE r.id = {} OR (r.subject = {} AND p.whole)"
        " ORDER BY r.id = {} DESC LIMIT 1",
        tombstone.id, subject, tombstone.id,
    )  # fmt: skip
    return rows[0]["id"] if rows else None


async def _take_in(shop: Workshop, subject: UUID, tombstone: Tombstone) -> UUID:
    """Open a request for the replay, under the tombstone's own id: killed and called again, there is still one."""
    at, policy = shop.clock(), shop.policy
    person = await find_person(shop.sources, subject)
    chosen = tuple(category.id for category in erasable(policy))
    counts = await shop.sources.count(person.identifiers)
    drawn = draw(policy, chosen, counts, today=at.astimezone(ZoneInfo(policy.controller.zone)).date())
    inputs = inputs_for(at, policy)
    due = deadline(inputs)
    async with engine().transaction():
        number = (await SubjectRequest.raw("SELECT nextval('request_reference') AS n"))[0]["n"]
        reference = f"DR-{due.received.year}-{number:04d}"
        await SubjectRequest(
            id=tombstone.id, reference=reference, subject=subject, right="erasure", channel=CHANNEL,
            categories=[category.id for category in erasable(policy) if drawn.of(category.id)],
            language=policy.languages[0], state="working", received_at=at, promise_day=due.promise, law_day=due.law,
            due_day=due.due, act_by_day=due.act_by, clock=to_json(inputs),
        ).save()  # fmt: skip
        await record(tombstone.id, reference, "erased-again", at=at, actor="worker", details={"digest": drawn.digest})
        await lay(
            tombstone.id, reference, "erase", drawn.lines, at=at, runs_at=at, actor="worker", digest=drawn.digest,
            whole=True,
        )  # fmt: skip
    return tombstone.id


async def _hold_again(plan: PlanView, tombstone: Tombstone) -> None:
    """Note again what the first erasure kept: the systems still have it, under the pseudonym of that time."""
    async with engine().transaction():
        for kept in tombstone.held:
            await held.hold_again(plan.id, kept)

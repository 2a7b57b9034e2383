"""What had to stay after an erasure, until its own day: filed under a pseudonym, erased by the clock.

Always true here: what is held is found by the pseudonym alone; a day that has come is acted upon within a day, and
what a source does not answer to is asked again.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import SourceError, SourceUnsupported
from portal.evidence.log import Details, append
from portal.evidence.tombstones import Kept
from portal.policy.model import PortalSource, Retention
from portal.rights.own_erasure import forget_records
from portal.rights.plans import ItemView, PlanView
from portal.rights.tables import HeldItem
from portal.rights.workshop import Workshop
from portal.sources.base import Held


class HeldView(msgspec.Struct, frozen=True, kw_only=True):
    """What one source keeps of one category after one erasure."""

    id: UUID
    plan: UUID
    source: str
    category: str
    pseudonym: UUID
    ground: str
    until: date
    left: int | None
    erased_at: datetime | None
    reference: str
    subject: UUID


async def hold(plan: PlanView, items: Sequence[ItemView]) -> None:
    """Note what is kept, inside the caller's transaction. What has no last day is kept by its source's own rules."""
    for item in items:
        if item.until is not None and _holds(item):
            await HeldItem(
                plan=plan.id, source=item.source, category=item.category, pseudonym=plan.pseudonym,
                ground=item.ground, until=item.until, left=item.expected,
            ).save()  # fmt: skip


def kept_by(plan: PlanView, items: Sequence[ItemView]) -> list[Kept]:
    """Return what `hold` notes, for the ledger outside the database."""
    return [
        Kept(source=item.source, category=item.category, pseudonym=plan.pseudonym, ground=item.ground, until=item.until)
        for item in items
        if item.until is not None and _holds(item)
    ]


async def hold_again(plan: UUID, kept: Kept) -> None:
    """Note inside the caller's transaction what an erasure before a restore had kept. Idempotent."""
    await HeldItem.raw(
        "INSERT INTO held_item (id, plan, source, category, pseudonym, ground, until)"
        " SELECT gen_random_uuid(), {}, {}, {}, {}, {}, {} WHERE NOT EXISTS"
        " (SELECT FROM held_item WHERE pseudonym = {} AND source = {} AND category = {}) ON CONFLICT DO NOTHING",
        plan, kept.source, kept.category, kept.pseudonym, kept.ground, kept.until,
        kept.pseudonym, kept.source, kept.category,
    )  # fmt: skip


def _holds(item: ItemView) -> bool:
    return item.action == "keep" and item.expected != 0 and item.means != "nothing"


async def held_after(plan: UUID) -> list[HeldView]:
    """Return what is still held after one erasure, and what was."""
    rows = await HeldItem.raw(f"{_SELECT} WHERE h.plan = {{}} ORDER BY h.source, h.category", plan)
    return msgspec.convert(rows, list[HeldView])


async def release_due(shop: Workshop) -> int:
    """Erase every held record whose day has come. Returns how many items are over; one that fails waits a day."""
    today, over = shop.clock().date(), 0
    rows = await HeldItem.raw(
        f"{_SELECT} WHERE h.erased_at IS NULL AND (h.looked_at IS NULL OR h.looked_at <= {{}})",
        shop.clock() - timedelta(hours=20),
    )
    ours = {spec.id for spec in shop.policy.sources if isinstance(spec, PortalSource)}
    items = msgspec.convert(rows, list[HeldView])
    for held in (item for item in items if item.source not in ours):
        left = await _release(shop, held, today)
        if left is not None:
            over += await _note(held, left, today=today, at=shop.clock())
    for held in (item for item in items if item.source in ours and today > item.until):
        over += await forget_records(held.subject, at=shop.clock())
    return over


async def _release(shop: Workshop, held: HeldView, today: date) -> int | None:
    """Return how many records are left, None when the source did not answer or has no means."""
    retention = shop.policy.category(held.category).retention
    before = period_start(retention, today)
    if before is None:
        return 0 if today > held.until else None
    item = Held(category=held.category, field=retention.field, before=before)
    try:
        return await shop.sources.get(held.source).erase_held(held.pseudonym, [item])
    except SourceUnsupported:
        # It keeps under rules of its own, as the receipt says; nothing of ours is left to do after the day.
        return 0 if today > held.until else None
    except (SourceError, TimeoutError):
        return None


def period_start(retention: Retention, today: date) -> date | None:
    """Return the day from which records are still within their period: older ones go. None without a period."""
    if retention.rule == "business-year" and retention.years is not None:
        return date(today.year - retention.years, 1, 1)
    return today - timedelta(days=retention.days) if retention.days is not None else None


async def _note(held: HeldView, left: int, *, today: date, at: datetime) -> bool:
    over = left == 0 and (held.left or 0) > 0
    if left == held.left and not over:
        await HeldItem.update({HeldItem.looked_at: at}).where(HeldItem.id == held.id)
        return False
    async with engine().transaction():
        changed = await (
            HeldItem.update({HeldItem.left: left, HeldItem.looked_at: at, HeldItem.erased_at: at if over else None})
            .where((HeldItem.id == held.id) & HeldItem.erased_at.is_null())
            .returning(HeldItem.id)
        )
        if changed:
            details: Details = {
                "source": held.source,
                "category": held.category,
                "left": left,
                "day": today.isoformat(),
            }
            await append("rights:held:erased", at=at, actor="worker", reference=held.reference, details=details)
    return over


_SELECT = (
    "SELECT h.*, r.reference, r.subject FROM held_item h JOIN plan p ON p.id = h.plan"
    " JOIN subject_request r ON r.id = p.request"
)

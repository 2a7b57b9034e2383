"""Keep data out of use, stored and handed out and nothing else, and let it go again; for a pause, a freeze, an erasure.

Always true here: our own rule counts from the same transaction; the systems follow by a plan, and the page says which
have. What a system is told is read anew under a lock, so that the last word wins whoever comes first. Source: GDPR
Art. 18.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from portal.errors import Refused, SourceUnsupported
from portal.evidence.log import append
from portal.policy.model import Policy, PortalSource, PostgresSource, SourceSpec, categories_of
from portal.rights import stopped_uses
from portal.rights.out_of_use import ASKED_FOR, InPlace, OutOfUse, Reason, in_place, need_in_use
from portal.rights.plans import ItemView, Line, PlanView, lay
from portal.rights.platform_news import Event, tell_platform
from portal.rights.requests import RequestView
from portal.rights.tables import Plan, Restriction
from portal.rights.walk import Did
from portal.rights.workshop import Workshop, alone
from portal.sources.base import Identifiers, Source

__all__ = [
    "InPlace", "NotTold", "OutOfUse", "Reason", "TooSoon", "act", "in_place", "let_go", "lift", "need_in_use",
    "put_out_of_use",
]  # fmt: skip


class NotTold(Refused):
    """A pause that the person asked for does not end before they were told."""

    status = 409
    sentence = "The person must be told before the pause ends. Announce it first."


class TooSoon(Refused):
    """The day on which a pause would end is too near for the person to answer."""

    status = 422
    sentence = "A pause ends a week after the notice at the earliest. Choose a later day."


async def put_out_of_use(
    request: RequestView,
    policy: Policy,
    categories: Sequence[str],
    *,
    reason: Reason,
    at: datetime,
    actor: str,
) -> None:
    """Keep these categories (none named: everything) out of use from now on, inside the caller's transaction."""
    await Restriction(
        subject=request.owner, request=request.id, categories=list(categories), reason=reason, since=at
    ).save()  # fmt: skip
    details = {"reason": reason, "categories": len(categories)}
    await append("rights:restriction:in-place", at=at, actor=actor, reference=request.reference, details=details)
    lines = [
        Line(source=spec.id, action="restrict") for spec in policy.sources if _concerns(spec, categories, reason)
    ]  # fmt: skip
    if lines:
        await lay(request.id, request.reference, "restrict", lines, at=at, runs_at=at, actor=actor)


async def lift(request: UUID, reference: str, *, at: datetime, actor: str) -> bool:
    """Let go again what was out of use for a request, inside the caller's transaction. Idempotent.

    Returns False when nothing was. The systems are told by a plan; they keep it off while another pause counts.

    Raises:
        NotTold: the person asked for the pause, does not end it themself, and was not told. Source: GDPR Art. 18(3).
    """
    if not await _lifted(request, at=at, actor=actor):
        return False
    await append("rights:restriction:lifted", at=at, actor=actor, reference=reference)
    rows = await Plan.raw(
        "UPDATE plan SET state = 'cancelled', done_at = {} WHERE request = {} AND kind = 'restrict'"
        " AND state <> 'cancelled' RETURNING id",
        at, request,
    )  # fmt: skip
    plans = [row["id"] for row in rows]
    await stopped_uses.drop_tasks(plans, at=at, actor=actor)
    items = await Plan.raw(
        "SELECT DISTINCT source FROM plan_item WHERE plan = ANY({}) AND action = 'restrict' ORDER BY source", plans
    )
    if items:
        again = [Line(source=item["source"], action="lift") for item in items]
        await lay(request, reference, "lift", again, at=at, runs_at=at, actor=actor)
    return True


async def let_go(request: UUID, *, at: datetime) -> None:
    """Forget that something was out of use because it is gone now, inside the caller's transaction. Idempotent."""
    await Restriction.update({Restriction.lifted_at: at}).where(
        (Restriction.request == request) & Restriction.lifted_at.is_null()
    )  # fmt: skip


async def act(
    shop: Workshop, plan: PlanView, subject: Identifiers, source: Source, items: Sequence[ItemView]
) -> Did:  # fmt: skip
    """Have one source follow what counts now, whatever the plan was laid for. Idempotent.

    Raises:
        Later: another worker tells the same source about the same person.
    """
    if items[0].action in stopped_uses.ACTIONS:
        return await stopped_uses.act(shop, plan, source, items)
    spec = next(spec for spec in shop.policy.sources if spec.id == source.id)
    async with alone(shop.settings.database_dsn, uuid5(plan.subject, f"restrict:{source.id}")):
        on = any(_concerns(spec, one.categories, one.reason) for one in await in_place(plan.subject))
        try:
            done = await source.restrict(subject, on=on)
        except SourceUnsupported:
            await _tell(shop, plan, subject, source, on=on)
            raise
        await _tell(shop, plan, subject, source, on=on)
    return Did(done=True, means="another-pause" if on and plan.kind == "lift" else done.means)


async def _tell(shop: Workshop, plan: PlanView, subject: Identifiers, source: Source, *, on: bool) -> None:
    """Let the platform know what has just changed for the person."""
    if on == (plan.kind == "restrict"):
        await tell_platform(shop, source, subject, Event.PAUSED if on else Event.RELEASED, str(plan.id))


def _concerns(spec: SourceSpec, categories: Sequence[str], reason: Reason) -> bool:
    """Return whether a source is told: every one that holds any of it, but not our own tables.

    For the three days before an erasure the platform alone is told: it is the only one that uses the stores behind
    it. An erasure of a part leaves the account in use, so nothing is switched off there.
    """
    if isinstance(spec, PortalSource) or (categories and categories_of(spec).isdisjoint(categories)):
        return False
    return reason != "erasure" or (isinstance(spec, PostgresSource) and not categories)


async def _lifted(request: UUID, *, at: datetime, actor: str) -> bool:
    """Mark it as lifted, once, if it may be."""
    rows = await Restriction.raw(
        "UPDATE restriction SET lifted_at = {} WHERE request = {} AND lifted_at IS NULL RETURNING reason, noticed_at",
        at, request,
    )  # fmt: skip
    if actor != "person" and any(row["reason"] in ASKED_FOR and row["noticed_at"] is None for row in rows):
        raise NotTold
    return bool(rows)

"""What a change of address does in every place: looked at first, the platform next, our own row after it, and back.

Always true here: an address that anybody else is known by is never taken over; sign-in changes only after the platform
has; the old address is remembered until nobody can cancel any more, and forgotten then.
"""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from portal.database import engine
from portal.errors import SourceUnavailable
from portal.identity.sessions import end_others
from portal.identity.tables import KnownIdentifier
from portal.policy.model import PortalSource, PostgresSource, SourceSpec
from portal.rights import corrections
from portal.rights.answer import end
from portal.rights.corrections import CorrectionView, Values
from portal.rights.lifecycle import move
from portal.rights.plans import PlanView, items_of
from portal.rights.rectification import take_back
from portal.rights.replies import decided
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables_rectification import AddressChange
from portal.rights.tasks import open_task
from portal.rights.timeline import record
from portal.rights.walk import Did
from portal.rights.workshop import Workshop
from portal.sources.base import Identifiers

HOLD = timedelta(days=7)
"""Source: law S-02."""


async def may_go_on(
    shop: Workshop, plan: PlanView, subject: Identifiers, spec: SourceSpec, values: Values, correction: CorrectionView
) -> bool:
    """Return whether the new address is nobody else's. If it is, all is given up and a person of ours looks.

    The person reads the same as always: nobody learns here which addresses are known.

    Raises:
        SourceUnavailable: a place that could know somebody by it is silent.
    """
    if isinstance(spec, PortalSource):
        return True
    found = await shop.sources.identify(Identifiers(emails=frozenset({values.new})))
    if found.unreachable:
        raise SourceUnavailable(found.unreachable[0], "cannot tell whether somebody has this address")
    other = found.identifiers
    taken = (
        bool(other.account_ids - subject.account_ids)
        or bool(other.stripe_customers - subject.stripe_customers)
        or other.subject_id not in {"", str(plan.subject)}
    )
    if not taken:
        return True
    await _give_up(shop, plan, correction)
    return False


async def switch(shop: Workshop, plan: PlanView, correction: CorrectionView, values: Values) -> Did:
    """Sign the person in with the new address from now on, once the platform knows it. Idempotent."""
    lookups = {spec.id for spec in shop.policy.sources if isinstance(spec, PostgresSource)}
    if not all(item.over for item in await items_of(plan.id) if item.source in lookups):
        return Did(done=False, means="")
    at = shop.clock()
    try:
        async with engine().transaction():
            await corrections.lock(plan.subject)
            keep = await _switch(plan, correction, values, at)
    except asyncpg.UniqueViolationError:
        await _give_up(shop, plan, correction)
        return Did(done=False, means="")
    if keep is not None:
        await end_others(plan.subject, keep=keep, at=at)
    return Did(done=True, means="corrected")


async def went_back(shop: Workshop, request: RequestView, correction: CorrectionView, *, at: datetime) -> None:
    """Forget the address that did not stay, inside the caller's transaction; what the old one cancelled ends now."""
    values = await corrections.values_of(correction, shop.settings)
    if values is not None and values.old and "@" in values.old:
        await forget_known(correction.subject, values.old)
    if correction.how == "kept" and request.is_open:
        await decided(request, at=at, actor="worker")
        await end(
            request, "withdrawn", event="address-kept-everywhere", policy=shop.policy, settings=shop.settings, at=at,
            actor="worker",
        )  # fmt: skip


async def know(subject: UUID, email: str) -> None:
    """Remember an address under which a place may still have the person, inside the caller's transaction."""
    await engine().connection.execute(
        "INSERT INTO known_identifier (subject, kind, value) VALUES ($1, 'email', $2) ON CONFLICT DO NOTHING",
        subject, email,
    )  # fmt: skip


async def forget_known(subject: UUID, email: str) -> None:
    """Forget that a person was known by an address, in every spelling. It may be somebody else's one day."""
    await KnownIdentifier.raw(
        "DELETE FROM known_identifier WHERE subject = {} AND kind = 'email' AND lower(btrim(value)) = lower({})",
        subject, email,
    )  # fmt: skip


async def _switch(plan: PlanView, correction: CorrectionView, values: Values, at: datetime) -> UUID | None:
    """Return the session that goes on; None when nothing was to be done."""
    now = await corrections.of_plan(plan.id)
    if now is None or now.state != "working" or correction.how == "kept":
        return None
    if correction.how == "back":
        await engine().connection.execute("UPDATE subject SET email = $1 WHERE id = $2", values.new, plan.subject)
        await AddressChange.update({AddressChange.state: "looked-at", AddressChange.hold_until: None}).where(
            AddressChange.request == plan.request
        )
        return None
    rows = await AddressChange.raw(
        "UPDATE address_change SET state = 'changed', changed_at = coalesce(changed_at, {}), hold_until = CASE"
        " WHEN changed_at IS NULL THEN {} ELSE hold_until END WHERE request = {} AND state IN ('proven', 'changed')"
        " RETURNING session, changed_at",
        at, at + HOLD, plan.request,
    )  # fmt: skip
    if not rows:
        return None
    await engine().connection.execute("UPDATE subject SET email = $1 WHERE id = $2", values.new, plan.subject)
    if values.old:
        await know(plan.subject, values.old)
    if rows[0]["changed_at"] == at:
        await record(plan.request, plan.reference, "address-changed", at=at, actor="worker")
    session: UUID = rows[0]["session"]
    return session


async def _give_up(shop: Workshop, plan: PlanView, correction: CorrectionView) -> None:
    at = shop.clock()
    async with engine().transaction():
        await corrections.lock(plan.subject)
        now, request = await corrections.of_plan(plan.id), await find_by_id(plan.request)
        if now is None or now.state != "working" or correction.how != "new-address":
            return
        await take_back(request, now, shop.policy, shop.settings, at=at)
        await AddressChange.update({AddressChange.state: "looked-at", AddressChange.hold_until: None}).where(
            AddressChange.request == request.id
        )
        if request.is_open:
            await move(request.id, request.reference, "deciding", event="address-looked-at", at=at, actor="worker")
            due = request.act_by_day or request.due_day
            await open_task(request.id, request.reference, "identify", "address", due=due, at=at)

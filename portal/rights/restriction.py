"""The right to restriction, and the same mechanism for whatever must be out of use: stored, exported, nothing else.

Always true here: our own rule counts from the same transaction; the systems follow by a plan, and the page says which
have. It ends only after the person was told, unless the person ends it. Source: GDPR Art. 18.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from portal.errors import Refused
from portal.evidence.log import append
from portal.policy.model import Policy, PortalSource, PostgresSource, categories_of
from portal.rights.plans import ItemView, Line, PlanView, lay
from portal.rights.requests import RequestView
from portal.rights.tables import Plan, Restriction
from portal.rights.walk import Did
from portal.rights.workshop import Workshop
from portal.sources.base import Identifiers, Source

type Reason = Literal["accuracy", "unlawful", "claims", "objection", "erasure", "child"]


class OutOfUse(Refused):
    """The data is kept out of use: it can be seen and taken, and nothing else is done with it."""

    status = 409
    sentence = "This data is paused. You can see it and take it; nothing else is done with it until the pause ends."


class InPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One restriction that counts now."""

    request: UUID
    categories: list[str]
    """Empty: everything."""
    reason: Reason
    since: datetime


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
    lines = _lines(policy, categories, reason)
    if lines:
        await lay(request.id, request.reference, "restrict", lines, at=at, runs_at=at, actor=actor)


async def lift(request: UUID, reference: str, *, at: datetime, actor: str) -> None:
    """Let go again what was out of use for a request, inside the caller's transaction. Idempotent."""
    lifted = await (
        Restriction.update({Restriction.lifted_at: at})
        .where((Restriction.request == request) & Restriction.lifted_at.is_null())
        .returning(Restriction.id)
    )
    if not lifted:
        return
    await append("rights:restriction:lifted", at=at, actor=actor, reference=reference)
    rows = await Plan.raw(
        "UPDATE plan SET state = 'cancelled', done_at = {} WHERE request = {} AND kind = 'restrict'"
        " AND state <> 'cancelled' RETURNING id",
        at, request,
    )  # fmt: skip
    lines = await Plan.raw(
        "SELECT DISTINCT source FROM plan_item WHERE plan = ANY({}) ORDER BY source", [row["id"] for row in rows]
    )  # fmt: skip
    if lines:
        again = [Line(source=line["source"], action="lift") for line in lines]
        await lay(request, reference, "lift", again, at=at, runs_at=at, actor=actor)


async def in_place(subject: UUID) -> list[InPlace]:
    """Return what is out of use for a person now."""
    rows = await Restriction.select().where(
        (Restriction.subject == subject) & Restriction.lifted_at.is_null()
    ).order_by(Restriction.since)  # fmt: skip
    return msgspec.convert(rows, list[InPlace])


async def need_in_use(subject: UUID, category: str) -> None:
    """Refuse every processing of a category that is out of use.

    Raises:
        OutOfUse: it is.
    """
    if any(not one.categories or category in one.categories for one in await in_place(subject)):
        raise OutOfUse


async def act(_: Workshop, plan: PlanView, subject: Identifiers, source: Source, __: Sequence[ItemView]) -> Did:
    """Have one source keep the data out of use, or let it go, unless somebody else's restriction still counts."""
    on = plan.kind == "restrict" or bool(await in_place(plan.subject))
    done = await source.restrict(subject, on=on)
    return Did(done=True, means=done.means)


def _lines(policy: Policy, categories: Sequence[str], reason: Reason) -> list[Line]:
    """Every source that holds any of it.

    For the three days before an erasure the platform alone is told: it is the only one that uses the stores behind
    it. An erasure of a part leaves the account in use, so nothing is switched off there.
    """
    wanted = frozenset(categories)
    return [
        Line(source=spec.id, action="restrict")
        for spec in policy.sources
        if not isinstance(spec, PortalSource)
        and (not wanted or wanted & categories_of(spec))
        and (reason != "erasure" or (isinstance(spec, PostgresSource) and not wanted))
    ]

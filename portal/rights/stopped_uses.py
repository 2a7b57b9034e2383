"""Stop one use of data for one person: said no to, or no longer consented to; the data itself stays in use otherwise.

Always true here: a use is stopped from the same transaction on and once at a time; no system can stop a single use by
itself, so a person of ours does it there, by a day; whoever is written to for a use is looked up before.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

import msgspec

from portal.database import engine
from portal.errors import SourceUnsupported
from portal.evidence.keys import keys
from portal.evidence.log import append
from portal.identity.address import normalise
from portal.policy.model import Category, Policy, PortalSource, categories_of
from portal.rights.lifecycle import NotPossible
from portal.rights.out_of_use import OutOfUse
from portal.rights.plans import ItemView, Line, PlanView, lay
from portal.rights.requests import RequestView
from portal.rights.tables_uses import StoppedUse, Suppression
from portal.rights.walk import Did
from portal.rights.workshop import Workshop
from portal.settings import Settings
from portal.sources.base import Source

type Why = Literal["objection", "marketing", "consent"]

SUPPRESSION = "suppression"
"""The purpose of the key that addresses are hashed with."""

ACTIONS = frozenset({"stop", "resume"})
"""What a row of a plan says where a single use is stopped or goes on."""


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """One use that stands still."""

    request: UUID
    reference: str
    purpose: str
    reason: Why
    since: datetime
    final: bool
    """False while it is being weighed."""
    ends_at: datetime | None
    """When it goes on, once that was announced."""


async def stopped(subject: UUID) -> list[Stopped]:
    """Return the uses that stand still for a person now, oldest first."""
    rows = await StoppedUse.raw(
        "SELECT u.*, r.reference FROM stopped_use u JOIN subject_request r ON r.id = u.request"
        " WHERE u.subject = {} AND u.ended_at IS NULL ORDER BY u.since, r.reference",
        subject,
    )
    return msgspec.convert(rows, list[Stopped])


async def need_use(subject: UUID, purpose: str) -> None:
    """Refuse to use a person's data for a purpose that stands still for them.

    Raises:
        OutOfUse: it does.
    """
    if any(one.purpose == purpose for one in await stopped(subject)):
        raise OutOfUse


async def stop(
    request: RequestView, policy: Policy, purpose: str, *, why: Why, at: datetime, actor: str
) -> None:  # fmt: skip
    """Stop a use from now on, inside the caller's transaction.

    Raises:
        asyncpg.UniqueViolationError: it is stopped already.
    """
    await StoppedUse(
        subject=request.owner, request=request.id, purpose=purpose, reason=why, since=at, final=why != "objection"
    ).save()  # fmt: skip
    details = {"purpose": purpose, "reason": why}
    await append("rights:use:stopped", at=at, actor=actor, reference=request.reference, details=details)
    lines = [Line(source=id, action="stop") for id in places_of(policy, purpose)]
    if lines:
        await lay(request.id, request.reference, "restrict", lines, at=at, runs_at=at, actor=actor)


async def make_final(request: RequestView, *, at: datetime, actor: str) -> None:
    """Stop for good what was being weighed, inside the caller's transaction.

    Raises:
        NotPossible: it is not being weighed any more.
    """
    done = await StoppedUse.raw(
        "UPDATE stopped_use SET final = true WHERE request = {} AND ended_at IS NULL AND ends_at IS NULL"
        " AND NOT final RETURNING purpose",
        request.id,
    )
    if not done:
        raise NotPossible
    details = {"purpose": done[0]["purpose"]}
    await append("rights:use:stopped-for-good", at=at, actor=actor, reference=request.reference, details=details)


async def announce_end(request: RequestView, ends_at: datetime, *, at: datetime, actor: str) -> None:
    """Note from when a use goes on; whoever calls this tells the person. Inside the caller's transaction.

    Raises:
        NotPossible: it is not being weighed any more.
    """
    done = await StoppedUse.raw(
        "UPDATE stopped_use SET ends_at = {} WHERE request = {} AND ended_at IS NULL AND NOT final RETURNING purpose",
        ends_at, request.id,
    )  # fmt: skip
    if not done:
        raise NotPossible
    details = {"purpose": done[0]["purpose"], "ends_at": ends_at.isoformat()}
    await append("rights:use:end-announced", at=at, actor=actor, reference=request.reference, details=details)


async def resume(request: UUID, reference: str, policy: Policy, *, at: datetime, actor: str) -> bool:
    """Let a use go on, inside the caller's transaction. Returns False when it did not stand still. Idempotent."""
    done = await StoppedUse.raw(
        "UPDATE stopped_use SET ended_at = {} WHERE request = {} AND ended_at IS NULL RETURNING purpose", at, request
    )
    if not done:
        return False
    purpose = done[0]["purpose"]
    await append("rights:use:resumed", at=at, actor=actor, reference=reference, details={"purpose": purpose})
    plans = await StoppedUse.raw(
        "UPDATE plan SET state = 'cancelled', done_at = {} WHERE request = {} AND kind = 'restrict'"
        " AND state <> 'cancelled' RETURNING id",
        at, request,
    )  # fmt: skip
    await drop_tasks([row["id"] for row in plans], at=at, actor=actor)
    lines = [Line(source=id, action="resume") for id in places_of(policy, purpose)]
    if lines:
        await lay(request, reference, "lift", lines, at=at, runs_at=at, actor=actor)
    return True


async def act(_: Workshop, plan: PlanView, source: Source, items: Sequence[ItemView]) -> Did:
    """Leave a single use to a person: a source keeps a whole person's data out of use, or none of it.

    Raises:
        SourceUnsupported: always.
    """
    raise SourceUnsupported(source.id, f"cannot {items[0].action} a single use ({plan.kind})")


async def drop_tasks(plans: Sequence[UUID], *, at: datetime, actor: str) -> None:
    """End what nobody has stopped by hand yet, inside the caller's transaction: it need not be stopped any more."""
    await engine().connection.execute(
        "UPDATE task SET state = 'not-needed', ended_at = $1, ended_by = $2 WHERE ended_at IS NULL"
        " AND item IN (SELECT id FROM plan_item WHERE plan = ANY($3))",
        at, actor, list(plans),
    )  # fmt: skip


def categories_for(policy: Policy, purpose: str) -> list[Category]:
    """Return the categories that are used for a purpose."""
    return [category for category in policy.categories if purpose in category.purposes]


def places_of(policy: Policy, purpose: str) -> list[str]:
    """Return the ids of the sources that hold what a purpose uses; our own tables do as we say anyway."""
    wanted = {category.id for category in categories_for(policy, purpose)}
    return [
        spec.id
        for spec in policy.sources
        if not isinstance(spec, PortalSource) and wanted & categories_of(spec)
    ]  # fmt: skip


async def suppress(purpose: str, address: str, settings: Settings, *, at: datetime) -> None:
    """Keep an address off a use for good, inside the caller's transaction. Outlives an erasure. Idempotent."""
    await engine().connection.execute(
        "INSERT INTO suppression (id, purpose, address_hash, since) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        uuid4(), purpose, _hash(settings.key(SUPPRESSION), address), at,
    )  # fmt: skip


async def unsuppress(purpose: str, address: str, settings: Settings) -> None:
    """Forget that an address was kept off a use, because its owner asked for the use anew. Idempotent."""
    await Suppression.delete().where(
        (Suppression.purpose == purpose) & Suppression.address_hash.is_in(_hashes(address, settings))
    )  # fmt: skip


async def suppressed(purpose: str, address: str, settings: Settings) -> bool:
    """Return whether an address must not be written to for a purpose, also under a former secret key."""
    return await Suppression.exists().where(
        (Suppression.purpose == purpose) & Suppression.address_hash.is_in(_hashes(address, settings))
    )  # fmt: skip


def _hashes(address: str, settings: Settings) -> list[str]:
    return [_hash(key, address) for key in keys(settings, SUPPRESSION)]


def _hash(key: bytes, address: str) -> str:
    return hmac.digest(key, normalise(address).encode(), "sha256").hex()

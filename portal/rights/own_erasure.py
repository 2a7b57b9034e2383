"""Erase what Habeas itself holds about a person: the sign-in identity last, and of their requests only what must stay.

Always true here: it runs when every other place is done; the files go before the rows that name them; what stays is
listed in the policy file (dates, kind and outcome of requests) and is about nobody any more.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from exports.storage import Storage
from portal.database import engine
from portal.evidence.log import append
from portal.rights.plans import ItemView, PlanView, items_of
from portal.rights.tables import Parcel
from portal.rights.walk import Did
from portal.rights.workshop import Workshop
from portal.sources.base import Identifiers

BY_SUBJECT = ("person_session", "outside_identity", "known_identifier", "stopped_use", "address_change")
"""Our tables whose rows go with the person, found by our own id of them."""

BY_REQUEST = ("request_message", "request_note", "request_look", "intake_form", "correction")
"""Our tables whose rows go with the person, found by their requests."""


async def act(shop: Workshop, plan: PlanView, subject: Identifiers, items: Sequence[ItemView]) -> Did:
    """Erase our own records once all other places have done theirs; until then the person can sign in and follow."""
    ours = {item.id for item in items}
    others = [item for item in await items_of(plan.id) if item.action != "tell" and item.id not in ours]
    if not all(item.over for item in others):
        return Did(done=False, means="")
    await delete_parcels(shop.storage, plan.subject, at=shop.clock())
    await _erase(plan, subject, at=shop.clock())
    return Did(done=True, means="deleted")


async def delete_parcels(storage: Storage, subject: UUID, *, at: datetime) -> None:
    """Delete every copy that was made for a person, bytes first. Idempotent."""
    rows = await Parcel.raw(
        "SELECT p.id, p.place, p.pdf_place FROM parcel p JOIN subject_request r ON r.id = p.request"
        " WHERE r.subject = {}",
        subject,
    )
    for row in rows:
        await storage.delete(row["place"])
        await storage.delete(row["pdf_place"])
    ids = [row["id"] for row in rows]
    await Parcel.raw("UPDATE parcel SET deleted_at = {} WHERE id = ANY({}) AND deleted_at IS NULL", at, ids)


async def forget_records(subject: UUID, *, at: datetime) -> bool:
    """Delete what was kept of an erased person's requests, when its day has come and nothing else is kept any more.

    The evidence stays: it holds references and digests. Returns False while something else is still held.
    """
    async with engine().transaction():
        run = engine().connection
        waits = await run.fetchval(
            "SELECT EXISTS (SELECT FROM held_item h JOIN plan p ON p.id = h.plan"
            " JOIN subject_request r ON r.id = p.request"
            " WHERE r.subject = $1 AND h.erased_at IS NULL AND h.until >= $2)",
            subject, at.date(),
        )  # fmt: skip
        if waits:
            return False
        reference = await run.fetchval("SELECT min(reference) FROM subject_request WHERE subject = $1", subject)
        await run.execute(
            "DELETE FROM held_item WHERE plan IN (SELECT p.id FROM plan p JOIN subject_request r ON r.id = p.request"
            " WHERE r.subject = $1)",
            subject,
        )
        await run.execute("DELETE FROM restriction WHERE subject = $1", subject)
        await run.execute("DELETE FROM subject_request WHERE subject = $1", subject)
        await run.execute("DELETE FROM subject WHERE id = $1 AND email IS NULL", subject)
        await append("rights:records:forgotten", at=at, actor="worker", reference=reference or "")
    return True


async def _erase(plan: PlanView, subject: Identifiers, *, at: datetime) -> None:
    emails = sorted({email.strip().lower() for email in subject.emails})
    async with engine().transaction():
        run = engine().connection.execute
        own_email = await engine().connection.fetchval("SELECT email FROM subject WHERE id = $1", plan.subject)
        addresses = sorted({*emails, *subject.emails, *([own_email] if own_email else [])})
        await run(
            "UPDATE plan SET state = 'cancelled', done_at = $2 WHERE kind = 'rectify'"
            " AND state NOT IN ('done', 'cancelled')"
            " AND request IN (SELECT id FROM subject_request WHERE subject = $1)",
            plan.subject, at,
        )  # fmt: skip
        for table in BY_SUBJECT:
            await run(f"DELETE FROM {table} WHERE subject = $1", plan.subject)  # noqa: S608  names of ours
        for table in BY_REQUEST:
            await run(
                f"DELETE FROM {table} WHERE request IN (SELECT id FROM subject_request WHERE subject = $1)",  # noqa: S608
                plan.subject,
            )
        await run("DELETE FROM sign_in_attempt WHERE email = ANY($1)", addresses)
        await run("DELETE FROM mail_body WHERE mail IN (SELECT id FROM mail WHERE to_address = ANY($1))", addresses)
        await run("UPDATE intake_form SET email = '', name = '' WHERE email = ANY($1)", addresses)
        await run("UPDATE intake_form SET about = '' WHERE about = ANY($1)", addresses)
        await run(
            "UPDATE mail SET to_address = '', error = CASE state WHEN 'waiting' THEN 'erased' ELSE error END,"
            " state = CASE state WHEN 'waiting' THEN 'failed' ELSE state END WHERE to_address = ANY($1)",
            addresses,
        )
        gone = await engine().connection.fetchval(
            "UPDATE subject SET email = NULL, display_name = '' WHERE id = $1 AND email IS NOT NULL RETURNING true",
            plan.subject,
        )
        if gone:
            await append("rights:own-tables:erased", at=at, actor="worker", reference=plan.reference)

"""What became of a mail: accepted, failed, and what the provider's events make of it.

Always true here: a mail is accepted once and its words go in the same transaction; its state is worked out from all
its events together, so their order and repetition make no difference.
"""

from datetime import datetime
from uuid import UUID

from portal.database import engine
from portal.evidence.log import append
from portal.mail.tables import Mail, MailBody, MailEvent

UNKNOWN = "outcome_unknown"
"""The error of a mail that may or may not have left, and whose key the provider has forgotten by now."""

RANKS = {
    "email.delivery_delayed": ("delayed", 1),
    "email.delivered": ("delivered", 2),
    "email.failed": ("failed", 3),
    "email.suppressed": ("bounced", 4),
    "email.bounced": ("bounced", 4),
    "email.complained": ("complained", 5),
}
"""What an event makes of a mail, and which one wins. A bounce may follow a delivery, never the other way round."""


async def accept(mail_id: UUID, provider_id: str, *, at: datetime) -> bool:
    """Record that the provider has a mail; delete its words; apply events that came first. False when known already.

    Runs inside the caller's transaction.
    """
    await _alone_with(provider_id)
    rows = (
        await Mail.update({Mail.state: "accepted", Mail.provider_id: provider_id, Mail.accepted_at: at, Mail.error: ""})
        .where((Mail.id == mail_id) & (Mail.provider_id == ""))
        .returning(Mail.reference)
    )
    if not rows:
        return False
    await MailBody.delete().where(MailBody.mail == mail_id)
    await _record("accepted", rows[0]["reference"], mail_id, at)
    await apply_events(provider_id, at=at)
    return True


async def fail(mail_id: UUID, error: str, *, at: datetime) -> None:
    """Give a mail up, with the name of the reason; its words go too. Runs inside the caller's transaction."""
    rows = (
        await Mail.update({Mail.state: "failed", Mail.error: error})
        .where((Mail.id == mail_id) & (Mail.state == "waiting"))
        .returning(Mail.reference)
    )
    if rows:
        await MailBody.delete().where(MailBody.mail == mail_id)
        await _record("failed", rows[0]["reference"], mail_id, at)


async def note(svix_id: str, provider_id: str, kind: str, *, occurred_at: datetime, at: datetime) -> None:
    """Keep one event, once, and apply it; it waits when its mail is not known yet. Inside the caller's transaction."""
    await _alone_with(provider_id)
    await MailEvent.insert(
        MailEvent(svix_id=svix_id, provider_id=provider_id, kind=kind, occurred_at=occurred_at, received_at=at)
    ).on_conflict(action="DO NOTHING")
    await apply_events(provider_id, at=at)


async def apply_events(provider_id: str, *, at: datetime) -> None:
    """Give the mail the state that all its events together make. Idempotent."""
    events = await MailEvent.select(MailEvent.kind).where(MailEvent.provider_id == provider_id)
    if not events:
        return
    kind = max((event["kind"] for event in events), key=lambda kind: RANKS[kind][1])
    state = RANKS[kind][0]
    rows = (
        await Mail.update({Mail.state: state, Mail.error: "" if state in {"delayed", "delivered"} else kind})
        .where((Mail.provider_id == provider_id) & (Mail.state != state))
        .returning(Mail.id, Mail.reference)
    )
    for row in rows:
        await _record(state, row["reference"], row["id"], at)


async def _alone_with(provider_id: str) -> None:
    """Let acceptance and events of one mail take turns, so that neither misses what the other is writing."""
    await engine().connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", provider_id)


async def _record(what: str, reference: str, mail_id: UUID, at: datetime) -> None:
    """Write evidence of mails about a request. Sign-in codes leave none: evidence is for ever, they are not."""
    if reference:
        await append(f"mail:message:{what}", at=at, actor="worker", reference=reference, details={"mail": str(mail_id)})

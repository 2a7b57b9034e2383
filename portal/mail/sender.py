"""Send what is in the outbox: one job per mail, tried until the provider has it or it is of no use any more.

Always true here: nothing is lost (the mail waits until it is accepted) and nothing is sent twice (same key, and no
call at all once the provider may have forgotten the key). No network call happens inside a transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from piccolo.columns import Column

from portal.clock import Clock
from portal.database import engine
from portal.jobs import Later, Payload, Work
from portal.mail.outbox import JOB
from portal.mail.outcome import UNKNOWN, accept, fail
from portal.mail.resend import Accepted, Declined, Envelope, Resend, mailbox
from portal.mail.tables import Mail
from portal.policy.model import Policy
from portal.settings import Settings

log = structlog.get_logger()

KEY_LIFE = timedelta(hours=23)
"""The provider keeps a key for 24 hours; after this we do not rely on it. Source: Resend, idempotency keys."""
PATIENCE_SECONDS = 5.0
"""A longer pause goes back to the queue, so that it holds no worker up."""
FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=10)


@dataclass(frozen=True)
class Sender:
    """What sending needs besides the mail."""

    provider: Resend
    sender: str
    reply_to: str
    clock: Clock

    async def send(self, payload: Payload) -> None:
        """Send one mail, once, whatever happened to earlier tries.

        Raises:
            Later: when it did not work yet.
        """
        pace = self.provider.pace
        if (pause := pace.pause()) > PATIENCE_SECONDS:
            raise Later(timedelta(seconds=pause), "the provider asked for a pause")
        async with pace.turn():
            mail = await _waiting(UUID(payload["mail"]))
            if mail is None:
                return
            now = self.clock()
            if useless := _useless(mail, now):
                await self._give_up(mail, useless)
                return
            since = now if mail.unsure_since is None else mail.unsure_since
            await _mark(mail, {Mail.tries: mail.tries + 1, Mail.unsure_since: since})
            answer = await self.provider.send(self._envelope(mail))
        if isinstance(answer, Accepted):
            async with engine().transaction():
                await accept(mail.id, answer.provider_id, at=self.clock())
        else:
            await self._declined(mail, answer)

    async def _declined(self, mail: "Waiting", answer: Declined) -> None:
        log.warning("mail not accepted", mail=str(mail.id), kind=mail.kind, error=answer.name, final=answer.final)
        if answer.final:
            await self._give_up(mail, answer.name)
            return
        if answer.sure:
            await _mark(mail, {Mail.error: answer.name, Mail.unsure_since: mail.unsure_since})
        else:
            await _mark(mail, {Mail.error: answer.name})
        raise Later(_delay(mail.tries, answer.wait_seconds), answer.name)

    async def _give_up(self, mail: "Waiting", error: str) -> None:
        async with engine().transaction():
            await fail(mail.id, error, at=self.clock())
        log.warning("mail given up", mail=str(mail.id), kind=mail.kind, error=error)

    def _envelope(self, mail: "Waiting") -> Envelope:
        return Envelope(
            id=str(mail.id), sender=self.sender, reply_to=self.reply_to, to=mail.to_address,
            subject=mail.subject, text=mail.text, html=mail.html,
        )  # fmt: skip


def works(policy: Policy, settings: Settings, clock: Clock, provider: Resend) -> list[Work]:
    """Return the work of this room. It is never parked: the mail itself knows when to stop."""
    sender = Sender(
        provider=provider,
        sender=mailbox(policy.controller.name, settings.mail_from or policy.mail_from),
        reply_to=policy.controller.contact,
        clock=clock,
    )
    return [Work(name=JOB, handler=sender.send, tries=1_000_000, at_once=8)]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that is still to be sent, with its words."""

    id: UUID
    kind: str
    to_address: str
    tries: int
    unsure_since: datetime | None
    expires_at: datetime | None
    subject: str
    text: str
    html: str


async def _waiting(mail_id: UUID) -> Waiting | None:
    rows = await Mail.raw(
        "SELECT m.kind, m.to_address, m.tries, m.unsure_since, m.expires_at, b.subject, b.text, b.html"
        " FROM mail m JOIN mail_body b ON b.mail = m.id WHERE m.id = {} AND m.state = 'waiting'",
        mail_id,
    )
    return Waiting(id=mail_id, **rows[0]) if rows else None


def _useless(mail: Waiting, now: datetime) -> str:
    """Say why a mail is not to be sent any more; empty when it is."""
    if mail.expires_at is not None and mail.expires_at <= now:
        return "expired"
    if mail.unsure_since is not None and now - mail.unsure_since >= KEY_LIFE:
        return UNKNOWN
    return ""


async def _mark(mail: Waiting, changes: dict[Column | str, int | str | datetime | None]) -> None:
    """Write down what is about to happen, or what certainly did not, unless another worker was faster."""
    await Mail.update(changes).where((Mail.id == mail.id) & (Mail.state == "waiting"))


def _delay(tries: int, wait_seconds: float | None) -> timedelta:
    if wait_seconds is not None:
        return timedelta(seconds=wait_seconds)
    return min(FIRST_DELAY * 2.0 ** min(tries, 20), LONGEST_DELAY)

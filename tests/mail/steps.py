"""What the tests of this room do again and again."""

from datetime import datetime
from uuid import UUID

from portal.clock import SetClock
from portal.database import engine
from portal.jobs import Later
from portal.mail.messages import Message
from portal.mail.outbox import post
from portal.mail.sender import Sender
from portal.mail.tables import Mail, MailBody
from tests.mail.conftest import Ticker, later

TO = "someone@person.example"


def message(kind: str = "received") -> Message:
    return Message(kind=kind, subject="We have your request DR-2026-0101", text="Hello", html="<p>Hello</p>")


async def written(
    clock: SetClock, *, to: str = TO, reference: str = "DR-2026-0101", expires_at: datetime | None = None
) -> UUID:
    async with engine().transaction():
        id = await post(message(), to=to, language="en", reference=reference, at=clock(), expires_at=expires_at)
    return id  # noqa: RET504  a return inside the block hides from mypy that it always returns


async def try_once(sender: Sender, id: UUID) -> Later | None:
    try:
        await sender.send({"mail": str(id)})
    except Later as error:
        return error
    return None


async def try_until_done(sender: Sender, id: UUID, clock: SetClock, ticker: Ticker, *, most: int = 30) -> int:
    """Run the job as the queue would, letting the delays pass; return how often it ran."""
    for tries in range(1, most + 1):
        if (again := await try_once(sender, id)) is None:
            return tries
        later(clock, ticker, again.delay)
    raise AssertionError("it never ended")


async def state(id: UUID) -> tuple[str, str]:
    [row] = await Mail.select(Mail.state, Mail.error).where(Mail.id == id)
    return row["state"], row["error"]


async def has_words(id: UUID) -> bool:
    return await MailBody.exists().where(MailBody.mail == id)

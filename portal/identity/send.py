"""The worker's side of signing in: look the address up and, only if somebody knows it, write the mail.

Always true here: the person's page is answered before anyone has looked, so it cannot tell a known address from an
unknown one; each attempt is looked up to the end once, and mailed at most once.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from portal.clock import Clock
from portal.database import engine
from portal.identity.links import SEND, Purpose, code_of, forget_attempts, token_of
from portal.identity.openid import forget_outside_attempts
from portal.identity.sessions import forget_sessions
from portal.identity.tables import SignInAttempt, Subject
from portal.jobs import Payload, Schedule, Work
from portal.mail.messages import Message, address_code, mailbox_code, sign_in_code, step_up_code
from portal.mail.outbox import post
from portal.policy.model import Policy, Way
from portal.settings import Settings
from portal.words import Words

type Knows = Callable[[str], Awaitable[bool]]
"""Says whether any system knows a normalised address. Raises: SourceUnavailable, and the job is tried again."""

KEEP = timedelta(days=1)


def works(policy: Policy, settings: Settings, clock: Clock, knows: Knows) -> list[Work]:
    """Return the jobs of this room. They are tried quickly: a code that comes late is of no use."""

    async def send(payload: Payload) -> None:
        await send_code(UUID(payload["attempt"]), policy, settings, clock, knows)

    return [Work(SEND, send, tries=12, longest_delay=timedelta(minutes=1))]


def schedules(clock: Clock) -> list[Schedule]:
    """Return what this room does by the clock: what is over for a day is deleted, every hour."""

    async def forget() -> None:
        await forget_attempts(clock() - KEEP)
        await forget_outside_attempts(clock() - KEEP)
        await forget_sessions(clock() - KEEP)

    return [Schedule("identity.forget", "17 * * * *", forget)]


async def send_code(id: UUID, policy: Policy, settings: Settings, clock: Clock, knows: Knows) -> None:
    """Send the code and link of one attempt, unless nobody knows its address. Idempotent.

    To show that a mailbox is one's own, a code goes to every address: what it opens is the same for each.
    """
    attempt = await SignInAttempt.objects().get(SignInAttempt.id == id)
    if attempt is None or not (attempt.sent_at is None is attempt.used_at) or attempt.expires_at <= clock():
        return
    known = (
        attempt.purpose in {Purpose.MAILBOX, Purpose.ADDRESS}
        or await Subject.exists().where(Subject.email == attempt.email)
        or await knows(attempt.email)
    )
    message = _message(attempt, policy, settings)
    async with engine().transaction():
        first = await (
            SignInAttempt.update({SignInAttempt.sent_at: clock()})
            .where(SignInAttempt.id == id, SignInAttempt.sent_at.is_null())
            .returning(SignInAttempt.id)
        )
        if first and known:
            await post(message, to=attempt.email, language=attempt.language, at=clock(), expires_at=attempt.expires_at)


def _message(attempt: SignInAttempt, policy: Policy, settings: Settings) -> Message:
    words = Words(attempt.language, policy.controller.zone)
    code = code_of(settings, attempt.id, attempt.purpose)
    minutes = policy.sign_in.link_minutes
    if attempt.purpose == Purpose.STEP_UP:
        return step_up_code(words, policy, code=code, minutes=minutes)
    if attempt.purpose == Purpose.ADDRESS:
        return address_code(words, policy, code=code, minutes=minutes)
    token = token_of(settings, attempt.id, attempt.purpose)
    if attempt.purpose == Purpose.MAILBOX:
        link = f"{settings.public_url}/{attempt.language}/ask/link/{token}"
        return mailbox_code(words, policy, code=code, minutes=minutes, link=link)
    link = f"{settings.public_url}/{attempt.language}/sign-in/link/{token}"
    return sign_in_code(words, policy, code=code if Way.CODE in policy.sign_in.ways else "", link=link, minutes=minutes)

"""The worker's side of staff sign-in: write the mail with the code, only if somebody of the staff has this address.

Always true here: the page is answered before anyone has looked, so it cannot tell a member of staff from anybody else.
"""

from datetime import datetime, timedelta
from uuid import UUID

from admin.passkeys import forget_challenges
from admin.sign_in import LIFE, SEND, member_behind
from admin.tables import StaffSession
from portal.clock import Clock
from portal.database import engine
from portal.identity.links import Purpose, code_of, token_of
from portal.identity.tables import SignInAttempt
from portal.jobs import Payload, Schedule, Work
from portal.mail.messages.staff import staff_code
from portal.mail.outbox import post
from portal.policy.model import Policy
from portal.settings import Settings
from portal.words import Words


def works(policy: Policy, settings: Settings, clock: Clock) -> list[Work]:
    """Return the jobs of this room. They are tried quickly: a code that comes late is of no use."""

    async def send(payload: Payload) -> None:
        await send_code(UUID(payload["attempt"]), policy, settings, at=clock())

    return [Work(SEND, send, tries=12, longest_delay=timedelta(minutes=1))]


def schedules(clock: Clock) -> list[Schedule]:
    """Return what this room does by the clock: what is over is deleted, every hour."""

    async def forget() -> None:
        await forget_challenges(clock())
        await StaffSession.forget(at=clock())

    return [Schedule("staff.forget", "27 * * * *", forget)]


async def send_code(id: UUID, policy: Policy, settings: Settings, *, at: datetime) -> None:
    """Send the code and link of one attempt, unless nobody of the staff has its address. Idempotent."""
    attempt = await SignInAttempt.objects().get(SignInAttempt.id == id)
    if attempt is None or not (attempt.sent_at is None is attempt.used_at) or attempt.expires_at <= at:
        return
    known = await member_behind(attempt.email) is not None
    words = Words(attempt.language, policy.controller.zone)
    token = token_of(settings, attempt.id, Purpose.STAFF)
    message = staff_code(
        words, policy, code=code_of(settings, attempt.id, Purpose.STAFF), minutes=LIFE.seconds // 60,
        link=f"{settings.public_url}/{attempt.language}/staff/sign-in/link/{token}",
    )  # fmt: skip
    async with engine().transaction():
        first = await (
            SignInAttempt.update({SignInAttempt.sent_at: at})
            .where(SignInAttempt.id == id, SignInAttempt.sent_at.is_null())
            .returning(SignInAttempt.id)
        )
        if first and known:
            await post(message, to=attempt.email, language=attempt.language, at=at, expires_at=attempt.expires_at)

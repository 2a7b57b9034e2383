"""Let a person in: use up what they were sent, know or make their row, begin the session.

Always true here: it all commits together, so that of two requests with the same code or link one wins.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from portal.database import engine
from portal.identity.id_token import Verified
from portal.identity.links import Attempt, Purpose, Wrong, use_code, use_link
from portal.identity.sessions import SignedIn, begin_session, confirm_session, subject_for
from portal.identity.tables import OutsideIdentity
from portal.settings import Settings


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The browser at the door."""

    browser: str
    """The hash that stands for it now."""
    cookie_id: str
    """The id it gets when it is let in; never the one it came with."""
    label: str
    life: timedelta
    tries: int
    settings: Settings
    at: datetime


async def enter_by_code(code: str, entry: Entry) -> Attempt | Wrong | None:
    """Sign in with the code typed in the asking browser. None when there is nothing left to try."""
    async with engine().transaction():
        found = await use_code(
            code,
            browser=entry.browser,
            purpose=Purpose.SIGN_IN,
            tries=entry.tries,
            settings=entry.settings,
            at=entry.at,
        )
        if isinstance(found, Attempt):
            await _admit(found, "code", entry)
    return found


async def enter_by_link(token: str, code: str, entry: Entry) -> Attempt | Wrong | None:
    """Sign in with a link, and in a browser that did not ask for it with the code as well."""
    async with engine().transaction():
        found = await use_link(
            token, code, browser=entry.browser, tries=entry.tries, settings=entry.settings, at=entry.at
        )
        if isinstance(found, Attempt):
            await _admit(found, "link", entry)
    return found


async def enter_by_provider(who: Verified, email: str, *, way: str, language: str, entry: Entry) -> bool:
    """Sign in somebody a provider vouches for. `email` is a proven, normalised address, or nothing.

    Returns False when we do not know this identity and no address is proven: the address has to show a code first.
    """
    async with engine().transaction():
        subject = await _subject_of(who.issuer, who.identifier)
        if subject is None and email:
            subject = await subject_for(email, language=language, at=entry.at, name=who.name)
            await _remember(subject, who.issuer, who.identifier, entry.at)
        if subject is None:
            return False
        await begin_session(subject, entry.cookie_id, way=way, label=entry.label, life=entry.life, at=entry.at)
    return True


async def confirm_by_code(code: str, session: SignedIn, entry: Entry) -> Attempt | Wrong | None:
    """Confirm a session with the code that was sent for just that."""
    async with engine().transaction():
        found = await use_code(
            code,
            browser=entry.browser,
            purpose=Purpose.STEP_UP,
            tries=entry.tries,
            settings=entry.settings,
            at=entry.at,
        )
        if isinstance(found, Attempt):
            await confirm_session(session, entry.cookie_id, at=entry.at)
    return found


async def _admit(attempt: Attempt, way: str, entry: Entry) -> None:
    subject = await subject_for(attempt.email, language=attempt.language, at=entry.at)
    if attempt.outside_issuer:
        await _remember(subject, attempt.outside_issuer, attempt.outside_identifier, entry.at)
    await begin_session(subject, entry.cookie_id, way=way, label=entry.label, life=entry.life, at=entry.at)


async def _subject_of(issuer: str, identifier: str) -> UUID | None:
    known = OutsideIdentity.select(OutsideIdentity.subject).where(
        OutsideIdentity.issuer == issuer, OutsideIdentity.identifier == identifier
    )
    row = await known.first()
    return UUID(str(row["subject"])) if row else None


async def _remember(subject: UUID, issuer: str, identifier: str, at: datetime) -> None:
    await OutsideIdentity.raw(
        "INSERT INTO outside_identity (id, subject, issuer, identifier, created_at) VALUES ({}, {}, {}, {}, {})"
        " ON CONFLICT (issuer, identifier) DO NOTHING",
        uuid4(), subject, issuer, identifier, at,
    )  # fmt: skip

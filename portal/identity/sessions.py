"""Signed-in browsers: begin, confirm, list, end.

Always true here: the end of a session is fixed when it begins; only a hash of the cookie's id is stored; whatever
begins or ends leaves evidence in the same transaction.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from portal.database import engine
from portal.errors import NotFound
from portal.evidence.log import append
from portal.identity.tables import Session, Subject


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session and whose it is."""

    id: UUID
    subject_id: UUID
    email: str
    display_name: str
    created_at: datetime
    expires_at: datetime
    confirmed_at: datetime
    ended_at: datetime | None

    def lives(self, at: datetime) -> bool:
        """True until it was ended or its absolute life is over."""
        return self.ended_at is None and at < self.expires_at


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its owner sees it in a list."""

    id: UUID
    browser_label: str
    way: str
    created_at: datetime
    expires_at: datetime


async def find_session(cookie_id: str) -> SignedIn | None:
    """Return the session behind a cookie's id, ended or not."""
    rows: Sequence[dict[str, Any]] = await Session.raw(
        "SELECT s.id, s.subject AS subject_id, p.email, p.display_name, s.created_at, s.expires_at,"
        " s.confirmed_at, s.ended_at FROM person_session s JOIN subject p ON p.id = s.subject WHERE s.token_hash = {}",
        hashed(cookie_id),
    )
    return SignedIn(**rows[0]) if rows else None


async def subject_for(email: str, *, language: str, at: datetime, name: str = "") -> UUID:
    """Return our id for a proven, normalised address; the first time, make one under `name`."""
    await Subject.raw(
        "INSERT INTO subject (id, email, display_name, language, created_at) VALUES ({}, {}, {}, {}, {})"
        " ON CONFLICT (email) DO NOTHING",
        uuid4(), email, name, language, at,
    )  # fmt: skip
    rows = await Subject.select(Subject.id).where(Subject.email == email)
    return UUID(str(rows[0]["id"]))


async def begin_session(
    subject_id: UUID, cookie_id: str, *, way: str, label: str, life: timedelta, at: datetime
) -> None:
    """Sign the browser that will hold `cookie_id` in, inside the caller's transaction."""
    session = Session(
        subject=subject_id, token_hash=hashed(cookie_id), browser_label=label, way=way,
        created_at=at, expires_at=at + life, confirmed_at=at,
    )  # fmt: skip
    await session.save()
    await _evidence("started", session.id, subject_id, at)


async def confirm_session(session: SignedIn, cookie_id: str, *, at: datetime) -> None:
    """Note that the person has just proved who they are, under a new cookie id; the end stays where it was."""
    await Session.update({Session.token_hash: hashed(cookie_id), Session.confirmed_at: at}).where(
        Session.id == session.id
    )
    await _evidence("confirmed", session.id, session.subject_id, at)


async def end_session(id: UUID, subject_id: UUID, *, at: datetime) -> None:
    """End one session of this person. Idempotent for one that has ended. Raises: NotFound when it is not theirs."""
    async with engine().transaction():
        mine = (Session.id == id) & (Session.subject == subject_id)
        open_one = Session.update({Session.ended_at: at}).where(mine, Session.ended_at.is_null())
        ended = await open_one.returning(Session.id)
        if ended:
            await _evidence("ended", id, subject_id, at)
        elif not await Session.exists().where(mine):
            raise NotFound


async def end_others(subject_id: UUID, *, keep: UUID, at: datetime) -> int:
    """End all sessions of this person but `keep`. Returns how many."""
    async with engine().transaction():
        ended = await (
            Session.update({Session.ended_at: at})
            .where(Session.subject == subject_id, Session.id != keep, Session.ended_at.is_null())
            .returning(Session.id)
        )
        for row in ended:
            await _evidence("ended", row["id"], subject_id, at)
    return len(ended)


async def open_sessions(subject_id: UUID, *, at: datetime) -> list[Opened]:
    """Return the person's sessions that are open now, newest first."""
    rows = await (
        Session.select(Session.id, Session.browser_label, Session.way, Session.created_at, Session.expires_at)
        .where(Session.subject == subject_id, Session.ended_at.is_null(), Session.expires_at > at)
        .order_by(Session.created_at, ascending=False)
    )
    return [Opened(**row) for row in rows]


async def forget_sessions(before: datetime) -> None:
    """Delete sessions whose life was over before then, ended early or not."""
    await Session.delete().where(Session.expires_at < before)


def hashed(cookie_id: str) -> str:
    """Return what is stored of a cookie's id. It is 256 random bits, so a plain hash cannot be turned back."""
    return hashlib.sha256(cookie_id.encode()).hexdigest()


async def _evidence(what: str, session_id: UUID, subject_id: UUID, at: datetime) -> None:
    details = {"subject": str(subject_id)}
    await append(f"identity:session:{what}", at=at, actor="person", reference=str(session_id), details=details)

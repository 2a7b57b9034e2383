"""Codes and links: asked for by a browser, sent by the worker, used once.

Always true here: code and token are derived from the attempt's id when the mail is written, so the database and the
queue hold keyed hashes and ids only. A code and its link are one attempt: using either uses up both. The last two
attempts of a browser stay valid for their time, because a second mail often overtakes the first.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

import msgspec
from piccolo.columns.combination import And, Where

from portal.database import engine
from portal.identity.tables import SignInAttempt
from portal.jobs import enqueue
from portal.settings import Settings

VALID_AT_ONCE = 2
SEND = "identity.send"

type Condition = And | Where


class Purpose(StrEnum):
    """What a code is good for; it is good for nothing else."""

    SIGN_IN = "sign-in"
    STEP_UP = "step-up"
    MAILBOX = "mailbox"
    """To show that a mailbox is one's own, also when nobody knows it."""
    ADDRESS = "address"
    """To sign in with another address from now on."""
    STAFF = "staff"
    """The first of a member of staff's two factors."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A code and link that were asked for."""

    id: UUID
    email: str
    purpose: str
    language: str
    browser: str
    code_hash: str
    tries: int
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    next_path: str
    outside_issuer: str
    outside_identifier: str

    def lives(self, at: datetime, *, tries: int) -> bool:
        """True while it may still be used."""
        return self.used_at is None and at < self.expires_at and self.tries < tries


class Wrong(msgspec.Struct, frozen=True):
    """The code did not fit; so many tries are left."""

    tries_left: int


async def ask(
    email: str,
    *,
    browser: str,
    purpose: Purpose,
    language: str,
    next_path: str,
    life: timedelta,
    settings: Settings,
    at: datetime,
    outside: tuple[str, str] = ("", ""),
    job: str = SEND,
) -> UUID:
    """Have a code and a link sent to a normalised address, if somebody knows it. Takes as long either way.

    `outside` is an (issuer, identifier) that becomes the person's own when this browser shows the code; `job` is
    whose work the sending is.
    """
    async with engine().transaction():
        id = await ask_with(
            email, browser=browser, purpose=purpose, language=language, next_path=next_path, life=life,
            settings=settings, at=at, outside=outside, job=job,
        )  # fmt: skip
    return id  # noqa: RET504  mypy believes that a transaction may swallow what is raised in it


async def ask_with(
    email: str,
    *,
    browser: str,
    purpose: Purpose,
    language: str,
    next_path: str,
    life: timedelta,
    settings: Settings,
    at: datetime,
    outside: tuple[str, str] = ("", ""),
    job: str = SEND,
) -> UUID:
    """Do the same inside the caller's transaction, so that a code leaves only with what it is for."""
    id = uuid4()
    attempt = SignInAttempt(
        id=id, email=email, purpose=purpose, language=language, browser=browser, next_path=next_path,
        token_hash=token_hash(settings, token_of(settings, id, purpose)),
        code_hash=_code_hash(settings, id, code_of(settings, id, purpose)),
        created_at=at, expires_at=at + life, outside_issuer=outside[0], outside_identifier=outside[1],
    )  # fmt: skip
    await attempt.save()
    await enqueue(job, {"attempt": str(id)}, key=f"send:{id}")
    return id


async def latest(browser: str, purpose: Purpose) -> Attempt | None:
    """Return what this browser asked for last, used or not."""
    found = await _newest(_asked_by(browser, purpose))
    return found[0] if found else None


async def by_token(token: str, settings: Settings, purpose: Purpose = Purpose.SIGN_IN) -> Attempt | None:
    """Return the attempt that a link names, used or not."""
    found = await _newest(_named_by(token, settings, purpose))
    return found[0] if found else None


async def use_code(
    code: str, *, browser: str, purpose: Purpose, tries: int, settings: Settings, at: datetime
) -> Attempt | Wrong | None:
    """Use up what this browser asked for, if the code fits. None when nothing is left to use.

    Must run in the caller's transaction, which has to commit also after `Wrong`: that is how a try is counted.
    """
    newest = await _newest(_asked_by(browser, purpose), count=VALID_AT_ONCE, lock=True)
    same_address = [attempt for attempt in newest if attempt.email == newest[0].email]
    return await _try_code(code, same_address, tries=tries, settings=settings, at=at)


async def use_link(
    token: str,
    code: str | None,
    *,
    browser: str,
    tries: int,
    settings: Settings,
    at: datetime,
    purpose: Purpose = Purpose.SIGN_IN,
) -> Attempt | Wrong | None:
    """Use up the attempt that a link names: in the asking browser as it is, in another one with the code from the mail.

    Same transaction and same answers as `use_code`. An outside identity is never taken over from another browser.
    """
    named = await _newest(_named_by(token, settings, purpose), lock=True)
    if not named or not named[0].lives(at, tries=tries):
        return None
    if hmac.compare_digest(named[0].browser, browser):
        return await _use(named[0], named, at)
    found = await _try_code(code or "", named, tries=tries, settings=settings, at=at)
    if isinstance(found, Attempt):
        return msgspec.structs.replace(found, outside_issuer="", outside_identifier="")
    return found


async def forget_attempts(before: datetime) -> None:
    """Delete what was asked for before then."""
    await SignInAttempt.delete().where(SignInAttempt.created_at < before)


def code_of(settings: Settings, id: UUID, purpose: str) -> str:
    """Return the six digits of an attempt."""
    number = int.from_bytes(hmac.digest(settings.key("code"), f"{purpose}:{id}".encode(), "sha256"))
    return f"{number % 1_000_000:06d}"


def token_of(settings: Settings, id: UUID, purpose: str) -> str:
    """Return the 256-bit token of an attempt's link."""
    return (
        urlsafe_b64encode(hmac.digest(settings.key("token"), f"{purpose}:{id}".encode(), "sha256")).decode().rstrip("=")
    )


def token_hash(settings: Settings, token: str) -> str:
    """Return what is stored of a token."""
    return hmac.digest(settings.key("token-hash"), token.encode(), "sha256").hex()


def _code_hash(settings: Settings, id: UUID, code: str) -> str:
    return hmac.digest(settings.key("code-hash"), f"{id}:{code}".encode(), "sha256").hex()


async def _try_code(
    code: str, attempts: Sequence[Attempt], *, tries: int, settings: Settings, at: datetime
) -> Attempt | Wrong | None:
    """Compare `code` with each living attempt, which the caller has locked, and count the try on all of them."""
    living = [attempt for attempt in attempts if attempt.lives(at, tries=tries)]
    if not living:
        return None
    fits = [a for a in living if hmac.compare_digest(a.code_hash, _code_hash(settings, a.id, code))]
    if fits:
        return await _use(fits[0], living, at)
    ids = [attempt.id for attempt in living]
    await SignInAttempt.update({SignInAttempt.tries: SignInAttempt.tries + 1}).where(SignInAttempt.id.is_in(ids))
    return Wrong(tries - 1 - min(attempt.tries for attempt in living))


async def _use(used: Attempt, with_it: Sequence[Attempt], at: datetime) -> Attempt:
    ids = [attempt.id for attempt in with_it]
    await SignInAttempt.update({SignInAttempt.used_at: at}).where(SignInAttempt.id.is_in(ids))
    return used


async def _newest(wanted: Condition, *, count: int = 1, lock: bool = False) -> list[Attempt]:
    query = (
        SignInAttempt.select(*Attempt.__struct_fields__)
        .where(wanted)
        .order_by(SignInAttempt.created_at, ascending=False)
        .limit(count)
    )
    return [Attempt(**row) for row in await (query.lock_rows("UPDATE") if lock else query)]


def _asked_by(browser: str, purpose: Purpose) -> Condition:
    return (SignInAttempt.browser == browser) & (SignInAttempt.purpose == purpose)


def _named_by(token: str, settings: Settings, purpose: Purpose) -> Condition:
    return (SignInAttempt.token_hash == token_hash(settings, token)) & (SignInAttempt.purpose == purpose)

"""Seal content that must be provable with a key of the person's own, so that destroying the key forgets it.

Always true here: the evidence holds the digest of what is sealed, so the log still verifies when nobody can read the
content any more; a key is stored sealed itself, with a key that is not in the database, and never leaves this room.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import HabeasError
from portal.evidence.keys import keys
from portal.settings import Settings

PURPOSE = "seal"
NONCE_BYTES = 12
KEY_BYTES = 32


class Unreadable(HabeasError):
    """The key was destroyed, or this is not what was sealed."""


class Sealed(msgspec.Struct, frozen=True):
    """A nonce with the ciphertext, and the SHA-256 (hex) of both: what evidence may name."""

    body: bytes
    digest: str


async def seal(subject: UUID, plain: bytes, *, reference: str, settings: Settings, at: datetime) -> Sealed:
    """Seal `plain` with the person's key, inside the caller's transaction; the key is made when there is none.

    `reference` (a request's) is bound in: under another one the content does not open. AES-256-GCM.

    Raises:
        RuntimeError: outside a transaction.
    """
    key = await _own_key(subject, settings, at)
    nonce = secrets.token_bytes(NONCE_BYTES)
    body = nonce + AESGCM(key).encrypt(nonce, plain, _bound(subject, reference))
    return Sealed(body, hashlib.sha256(body).hexdigest())


async def unseal(subject: UUID, body: bytes, *, reference: str, settings: Settings) -> bytes:
    """Open what `seal` made of the same person and reference.

    Raises:
        Unreadable: the key is destroyed, or body, person or reference are others.
    """
    rows = await engine().run_querystring(QueryString("SELECT wrapped FROM seal_key WHERE subject = {}", subject))
    if not rows:
        raise Unreadable("the key was destroyed")
    key = _unwrap(rows[0]["wrapped"], subject, settings)
    return _open(key, body, _bound(subject, reference))


async def unseal_each(sealed: Sequence[tuple[UUID, str, bytes]], *, settings: Settings) -> list[bytes | None]:
    """Open several contents in one query, each given with its person and reference. None for what does not open."""
    people = list({subject for subject, _, _ in sealed})
    if not people:
        return []
    rows = await engine().run_querystring(
        QueryString("SELECT subject, wrapped FROM seal_key WHERE subject = ANY({})", people)
    )
    wrapped = {row["subject"]: row["wrapped"] for row in rows}

    def opened(subject: UUID, reference: str, body: bytes) -> bytes | None:
        try:
            key = _unwrap(wrapped[subject], subject, settings) if subject in wrapped else None
            return _open(key, body, _bound(subject, reference)) if key else None
        except Unreadable:
            return None

    return [opened(*one) for one in sealed]


async def keep(sealed: Sealed, *, reference: str, at: datetime) -> None:
    """Store a sealed content under its digest, inside the caller's transaction. It is never changed."""
    await engine().connection.execute(
        "INSERT INTO sealed (digest, reference, body, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        sealed.digest, reference, sealed.body, at,
    )  # fmt: skip


async def kept(digest: str) -> bytes | None:
    """Return the body that `keep` stored, sealed as it is; None when there is none."""
    rows = await engine().run_querystring(QueryString("SELECT body FROM sealed WHERE digest = {}", digest))
    return rows[0]["body"] if rows else None


async def destroy_key(subject: UUID) -> bool:
    """Destroy the person's key inside the caller's transaction: nothing sealed with it opens ever again.

    Returns False when there was none. Idempotent. The sealed bodies stay, for evidence names them. A backup made
    before still holds the key: replaying the erasure after a restore must come here again.

    Raises:
        RuntimeError: outside a transaction.
    """
    gone = await engine().connection.fetchval("DELETE FROM seal_key WHERE subject = $1 RETURNING true", subject)
    return bool(gone)


async def _own_key(subject: UUID, settings: Settings, at: datetime) -> bytes:
    """Return the person's key; of two transactions that make one at once, both use the first."""
    connection = engine().connection
    await connection.execute(
        "INSERT INTO seal_key (subject, wrapped, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        subject, _wrap(secrets.token_bytes(KEY_BYTES), subject, settings), at,
    )  # fmt: skip
    # The lock keeps the key from being destroyed between here and the caller's commit.
    wrapped = await connection.fetchval("SELECT wrapped FROM seal_key WHERE subject = $1 FOR SHARE", subject)
    return _unwrap(wrapped, subject, settings)


def _wrap(key: bytes, subject: UUID, settings: Settings) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(settings.key(PURPOSE)).encrypt(nonce, key, subject.bytes)


def _unwrap(wrapped: bytes, subject: UUID, settings: Settings) -> bytes:
    for outer in keys(settings, PURPOSE):
        try:
            return _open(outer, wrapped, subject.bytes)
        except Unreadable:
            continue
    raise Unreadable("the key was sealed with another HABEAS_SECRET_KEY; name it in HABEAS_FORMER_SECRET_KEYS")


def _open(key: bytes, body: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise Unreadable("this is not what was sealed") from None


def _bound(subject: UUID, reference: str) -> bytes:
    return subject.bytes + reference.encode()

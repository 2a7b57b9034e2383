"""Remember outside the database whom we erased, so that a restored backup does not bring anybody back.

Always true here: the ledger knows people by keyed hashes and our own random id alone; a tombstone is in the ledger
before the database says that the erasure is done; and it is forgotten once no backup can bring its person back.
"""

import hmac
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.evidence.keys import keys
from portal.evidence.ledger import PURPOSE, Ledger, LedgerError, prove, proven
from portal.evidence.log import Head, append, held_head, holds
from portal.policy.model import Policy
from portal.settings import Settings

FOLDER = "tombstones"
UNKNOWN_BACKUPS = timedelta(days=180)
"""How long backups may live when the policy does not say: longer than most do."""
MARGIN = timedelta(days=30)
"""Source: law/rules.md section 5, erasure ledger: max backup age + 30 days."""

type Identifier = tuple[str, str]
"""A kind (email, account_id, stripe_customer, outside) and what the person is called there."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure had to leave somewhere, filed under a pseudonym that is about nobody, and until when."""

    source: str
    category: str
    pseudonym: UUID
    ground: str
    until: date


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure: who, by hashes; what, by ids of the policy; and when it may be forgotten."""

    id: UUID
    subject: UUID
    """Our own random id of the person."""
    hashes: frozenset[str]
    """Keyed hashes of everything the person was known by; nothing can be read from them, only recognised."""
    categories: tuple[str, ...] = ()
    """Empty: everything."""
    sources: tuple[str, ...] = ()
    """Empty: everywhere."""
    held: tuple[Kept, ...] = ()
    """What stays until its own day, so that a replay does not forget to erase it then."""
    buried_at: datetime
    forget_after: date
    after: Head
    """The entry of the log that announced it: a database without that entry is older than the erasure."""


async def bury(
    ledger: Ledger,
    settings: Settings,
    policy: Policy,
    *,
    key: str,
    subject: UUID,
    identifiers: Iterable[Identifier],
    categories: Sequence[str] = (),
    sources: Sequence[str] = (),
    held: Sequence[Kept] = (),
    at: datetime,
) -> Tombstone:
    """Write a tombstone, outside any transaction; then `know` it in the one that says that the erasure is done.

    `key` names the erasure (`erasure:<request id>`); the same key again gives back the first tombstone, whatever else
    is said. Killed in between, the job comes here again and finds it.

    Raises:
        LedgerError: the ledger does not answer; try again, and do not call the erasure done.
    """
    id = tombstone_id(settings, key)
    if found := await find(ledger, settings, id):
        return found
    after = await _announce(id, at=at)
    tombstone = Tombstone(
        id=id, subject=subject, hashes=frozenset(hashed(settings, each)[0] for each in identifiers),
        categories=tuple(categories), sources=tuple(sources), held=tuple(held), buried_at=at,
        forget_after=(at + backup_age(policy) + MARGIN).date(), after=after,
    )  # fmt: skip
    await ledger.write(f"{FOLDER}/{id}", prove(tombstone, settings))
    return tombstone


async def _announce(id: UUID, *, at: datetime) -> Head:
    """Return the entry of the log that announces it."""
    entry: list[Head] = []

    async def remember() -> None:
        entry.append(await held_head())

    async with engine().transaction():
        await append("evidence:tombstone:announced", at=at, actor="worker", reference=str(id))
        engine().at_the_end(remember)
    return entry[0]


async def know(id: UUID, *, at: datetime) -> None:
    """Note in the caller's transaction that this database has heard of a tombstone. Idempotent.

    Raises:
        RuntimeError: outside a transaction.
    """
    await engine().connection.execute(
        "INSERT INTO known_tombstone (id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING", id, at
    )


async def missing(ledger: Ledger, settings: Settings) -> list[Tombstone]:
    """Return the tombstones whose erasures this database has not seen: a backup from before them was restored.

    One that was announced here and is not known yet is no such: its job was killed, and goes on by itself.

    Raises:
        LedgerError: the ledger does not answer, or holds something that we did not write.
    """
    rows = await engine().run_querystring(QueryString("SELECT id FROM known_tombstone"))
    known = {f"{FOLDER}/{row['id']}" for row in rows}
    unknown = [await _read(ledger, settings, name) for name in await ledger.names(FOLDER) if name not in known]
    return [tombstone for tombstone in unknown if not await holds(tombstone.after)]


async def lost(ledger: Ledger) -> int:
    """Return how many tombstones this database knows that the ledger has no more: a restore could not replay them."""
    rows = await engine().run_querystring(QueryString("SELECT id FROM known_tombstone"))
    there = set(await ledger.names(FOLDER))
    return sum(f"{FOLDER}/{row['id']}" not in there for row in rows)


async def forget(ledger: Ledger, settings: Settings, *, at: datetime) -> int:
    """Remove the tombstones that no backup can need any more, and return how many. Idempotent."""
    gone = 0
    for name in await ledger.names(FOLDER):
        tombstone = await _read(ledger, settings, name)
        if at.date() <= tombstone.forget_after:
            continue
        # The database forgets first: killed in between, the ledger's one is still announced and so not missing.
        await engine().run_querystring(QueryString("DELETE FROM known_tombstone WHERE id = {}", tombstone.id))
        await ledger.delete(name)
        gone += 1
    return gone


async def find(ledger: Ledger, settings: Settings, id: UUID) -> Tombstone | None:
    """Return a tombstone by its id, None when there is none."""
    content = await ledger.read(f"{FOLDER}/{id}")
    return proven(content, Tombstone, settings) if content is not None else None


async def all_of(ledger: Ledger, settings: Settings) -> list[Tombstone]:
    """Return every tombstone."""
    return [await _read(ledger, settings, name) for name in await ledger.names(FOLDER)]


def by_hash(tombstones: Iterable[Tombstone]) -> Mapping[str, list[Tombstone]]:
    """Return which tombstones each hash belongs to, to recognise people in a stream of identifiers."""
    found: dict[str, list[Tombstone]] = {}
    for tombstone in tombstones:
        for each in tombstone.hashes:
            found.setdefault(each, []).append(tombstone)
    return found


def hashed(settings: Settings, identifier: Identifier) -> tuple[str, ...]:
    """Return the keyed hash (HMAC-SHA-256, hex) of an identifier with the present key, then with each former one."""
    kind, value = identifier
    if kind == "email":
        value = unicodedata.normalize("NFC", value.strip().lower())
    content = f"{kind}\n{value}".encode()
    return tuple(hmac.digest(key, content, "sha256").hex() for key in keys(settings, PURPOSE))


def tombstone_id(settings: Settings, key: str) -> UUID:
    """Return the id of an erasure's tombstone: it looks random to whoever lacks the secret key."""
    return UUID(bytes=hmac.digest(settings.key(f"{PURPOSE}-id"), key.encode(), "sha256")[:16], version=4)


def backup_age(policy: Policy) -> timedelta:
    """Return how long an erased record may live on in backups."""
    return timedelta(days=policy.backups.days) if policy.backups else UNKNOWN_BACKUPS


async def _read(ledger: Ledger, settings: Settings, name: str) -> Tombstone:
    content = await ledger.read(name)
    if content is None:
        raise LedgerError("a tombstone went while it was read")
    return proven(content, Tombstone, settings)

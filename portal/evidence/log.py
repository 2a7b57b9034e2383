"""Write the append-only, hash-chained log.

Always true here: an entry commits together with what it tells of, holds references and digests only, and its
digest covers the entry before it, so that nothing can be changed or cut out unnoticed.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

import msgspec
from piccolo.querystring import QueryString

from portal.database import engine

CHAIN_LOCK = 7_201_605_119
FIRST = "0" * 64

type Details = Mapping[str, str | int | bool | None]
LAST = "SELECT seq, digest FROM evidence ORDER BY seq DESC LIMIT 1"


class Head(msgspec.Struct, frozen=True):
    """The newest entry: its number and its digest. 0 and `FIRST` while there is none."""

    seq: int
    digest: str


async def append(event: str, *, at: datetime, actor: str, reference: str = "", details: Details | None = None) -> None:
    """Append one entry at the end of the caller's transaction, after those that were asked for before.

    `event` is past tense, `domain:subject:action`; `actor` is `person`, `worker` or `staff:<id>`.
    Writers take turns on an advisory lock while they commit, so that the chain has no forks. Whoever reads the log in
    the same transaction does not see it yet.

    Raises:
        RuntimeError: outside a transaction.
    """
    body = canonical(details or {})
    engine().at_the_end(partial(_write, event, at.astimezone(UTC), actor, reference, body))


async def _write(event: str, at: datetime, actor: str, reference: str, body: str) -> None:
    last = await held_head()
    seq, previous = last.seq + 1, last.digest
    digest = entry_digest(seq, at, event, actor, reference, body, previous)
    await engine().connection.execute(
        "INSERT INTO evidence (seq, at, event, actor, reference, details, previous, digest)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        seq, at, event, actor, reference, body, previous, digest,
    )  # fmt: skip


async def held_head() -> Head:
    """Return the newest entry and let nobody append after it until the caller's transaction ends.

    Only as one of its last steps (`Engine.at_the_end`): who takes this turn and then waits for a row may wait for
    somebody who has the row and waits for this turn.

    Raises:
        RuntimeError: outside a transaction.
    """
    connection = engine().connection
    await connection.execute("SELECT pg_advisory_xact_lock($1)", CHAIN_LOCK)
    last = await connection.fetchrow(LAST)
    return Head(last["seq"], last["digest"]) if last else Head(0, FIRST)


async def head() -> Head:
    """Return the newest entry; another may follow at any time."""
    rows = await engine().run_querystring(QueryString(LAST))
    return Head(rows[0]["seq"], rows[0]["digest"]) if rows else Head(0, FIRST)


async def holds(entry: Head) -> bool:
    """Tell whether this database has that very entry. The beginning, before all entries, every database has."""
    if entry.seq == 0:
        return entry.digest == FIRST
    rows = await engine().run_querystring(QueryString("SELECT digest FROM evidence WHERE seq = {}", entry.seq))
    return bool(rows) and rows[0]["digest"] == entry.digest


def canonical(details: object) -> str:
    """Return details as the JSON that digests cover: keys sorted, nothing between the tokens."""
    return msgspec.json.encode(details, order="deterministic").decode()


def entry_digest(seq: int, at: datetime, event: str, actor: str, reference: str, body: str, previous: str) -> str:
    """Return the SHA-256 (hex) of an entry: of a JSON list, so that nothing can move from one part into the next.

    `at` is in UTC; `body` is the details as `canonical` writes them.
    """
    parts = [seq, at.isoformat(), event, actor, reference, body, previous]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()

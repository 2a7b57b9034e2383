"""Write the append-only, hash-chained log.

Always true here: an entry commits together with what it tells of, holds references and digests only, and its
digest covers the entry before it, so that nothing can be changed or cut out unnoticed.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from portal.database import engine

CHAIN_LOCK = 7_201_605_119
FIRST = "0" * 64

type Details = Mapping[str, str | int | bool | None]


async def append(event: str, *, at: datetime, actor: str, reference: str = "", details: Details | None = None) -> None:
    """Append one entry inside the caller's transaction.

    `event` is past tense, `domain:subject:action`; `actor` is `person`, `worker` or `staff:<id>`.
    Writers take turns on an advisory lock until they commit, so that the chain has no forks.

    Raises:
        RuntimeError: outside a transaction.
    """
    connection = engine().connection
    await connection.execute("SELECT pg_advisory_xact_lock($1)", CHAIN_LOCK)
    last = await connection.fetchrow("SELECT seq, digest FROM evidence ORDER BY seq DESC LIMIT 1")
    seq, previous = (last["seq"] + 1, last["digest"]) if last else (1, FIRST)
    body = msgspec.json.encode(details or {}, order="deterministic").decode()
    digest = entry_digest(seq, at, event, actor, reference, body, previous)
    await connection.execute(
        "INSERT INTO evidence (seq, at, event, actor, reference, details, previous, digest)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        seq, at, event, actor, reference, body, previous, digest,
    )  # fmt: skip


def entry_digest(seq: int, at: datetime, event: str, actor: str, reference: str, body: str, previous: str) -> str:
    """Return the SHA-256 (hex) of an entry; `body` is its details as deterministic JSON."""
    parts = [str(seq), at.isoformat(), event, actor, reference, body, previous]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()

"""Walk the log from its first entry to its last and name the first that is not as it was written.

Always true here: the database is trusted for nothing but handing out rows: every digest is computed here, and the
walk takes the same memory for ten entries and for ten million.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Literal

import asyncpg
import msgspec

from portal.evidence.log import FIRST, Head, canonical, entry_digest

PIECE = 5_000
"""How many entries are fetched at once."""
ROWS = """
    SELECT seq, CASE WHEN at BETWEEN '0001-01-02' AND '9999-12-30' THEN at END, event, actor, reference, details::text,
           previous, digest
      FROM evidence ORDER BY seq, digest
"""
"""A moment that Python cannot hold, such as infinity, is none of ours."""
SEALED = "SELECT digest, body FROM sealed"
GUARDED = """
    SELECT count(*) = 2 FROM pg_trigger WHERE tgrelid = 'evidence'::regclass AND tgenabled IN ('O', 'A')
       AND tgname IN ('evidence_append_only', 'evidence_no_truncate')
"""

type Kind = Literal["order", "gap", "fork", "link", "digest", "anchor", "tail", "content"]


class Broken(msgspec.Struct, frozen=True):
    """The first entry that is wrong, and how.

    `order`: numbered below 1; `gap`: missing; `fork`: there twice; `link`: does not follow the entry before it;
    `digest`: says something else than was written; `anchor`: not the entry that was anchored outside the database;
    `tail`: anchored, and cut off with all that followed; `content`: a sealed content was exchanged.
    """

    seq: int
    kind: Kind
    text: str


class Report(msgspec.Struct, frozen=True):
    """What the walk found. `head` is the last entry that is right; `anchors` how many it passed that agreed."""

    entries: int
    head: Head
    anchors: int
    broken: Broken | None
    guarded: bool
    """Whether the database still refuses to change the log by itself."""


class _Walk:
    """Where a walk is: the last entry that was right."""

    def __init__(self, anchors: Mapping[int, str]) -> None:
        self.head = Head(0, FIRST)
        self.anchors = anchors
        self.agreed = 0
        self.decode = msgspec.json.Decoder().decode

    def step(self, row: asyncpg.Record) -> Broken | None:
        """Go on to the next entry, unless it is wrong."""
        seq, _, _, _, _, _, previous, digest = row
        expected = self.head.seq + 1
        if seq != expected:
            return _out_of_turn(seq, expected)
        if previous != self.head.digest:
            return Broken(seq, "link", f"Entry {seq} does not follow entry {seq - 1}.")
        made = self.digest_of(row)
        if not made or digest != made:
            return Broken(seq, "digest", f"Entry {seq} does not say what was written.")
        anchored = self.anchors.get(seq)
        if anchored is not None:
            if anchored != digest:
                return Broken(seq, "anchor", f"Entry {seq} is not the one that was anchored outside the database.")
            self.agreed += 1
        self.head = Head(seq, digest)
        return None

    def digest_of(self, row: asyncpg.Record) -> str:
        """Return what an entry's digest must be; an empty one when we can have written no such entry."""
        seq, at, event, actor, reference, details, previous, _ = row
        try:
            body = details if details == "{}" else canonical(self.decode(details))
            return entry_digest(seq, at, event, actor, reference, body, previous)
        except (msgspec.MsgspecError, AttributeError, RecursionError, TypeError, ValueError):
            return ""

    def end(self) -> Broken | None:
        """Look whether the log goes as far as the anchors do."""
        furthest = max(self.anchors, default=0)
        if furthest <= self.head.seq:
            return None
        first = self.head.seq + 1
        gone = f"Entry {first} was" if first == furthest else f"Entries {first} to {furthest} at least were"
        return Broken(first, "tail", f"{gone} cut off: {furthest} is anchored outside the database.")


async def verify(connection: asyncpg.Connection, anchors: Mapping[int, str]) -> Report:
    """Check the whole log, and every sealed content that is still there, against `anchors` (number -> digest).

    What is read is one moment of the database; appending goes on meanwhile.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        walk, broken = _Walk(anchors), None
        async for rows in _pieces(connection, ROWS, PIECE):
            for row in rows:
                if broken := walk.step(row):
                    break
            if broken:
                break
        broken = broken or walk.end() or await _exchanged(connection)
        guarded = bool(await connection.fetchval(GUARDED))
    return Report(walk.head.seq, walk.head, walk.agreed, broken, guarded)


async def _exchanged(connection: asyncpg.Connection) -> Broken | None:
    """Return the first sealed content that is not what its digest says."""
    async for rows in _pieces(connection, SEALED, 100):
        for digest, body in rows:
            if hashlib.sha256(body).hexdigest() == digest:
                continue
            seq = await connection.fetchval("SELECT min(seq) FROM evidence WHERE details->>'sealed' = $1", digest)
            return Broken(seq or 0, "content", f"The sealed content that entry {seq or '?'} names was exchanged.")
    return None


def _out_of_turn(seq: int, expected: int) -> Broken:
    if seq < 1:
        return Broken(seq, "order", f"Entry {seq} stands before the first one.")
    if seq < expected:
        return Broken(seq, "fork", f"There are two entries {seq}.")
    if seq == expected + 1:
        return Broken(expected, "gap", f"Entry {expected} is missing.")
    return Broken(expected, "gap", f"Entries {expected} to {seq - 1} are missing.")


async def _pieces(connection: asyncpg.Connection, query: str, size: int) -> AsyncIterator[list[asyncpg.Record]]:
    cursor = await connection.cursor(query)
    while rows := await cursor.fetch(size):
        yield rows

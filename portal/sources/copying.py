"""COPY as a stream: lines of JSON out of PostgreSQL, a quarter of a megabyte at a time, no faster than they are taken.

Always true here: a piece ends at the end of a line, and a reader that stops half way ends the connection, so that no
unread byte can reach the next question.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

import asyncpg

from portal.sources.catalogue import Connection
from portal.sources.postgres_session import TROUBLE

PIECE_BYTES = 1 << 18
AHEAD = 2
"""How many pieces may wait for their reader."""
BEGINNING = "SAVEPOINT beginning"
"""One for all tables: where nothing is written, going back to it loses nothing, and a savepoint each costs."""
STALL_SECONDS = 120.0
"""How long the server may be silent before the copy counts as broken."""


async def copy_lines(
    connection: Connection, query: str, values: Sequence[object], *, piece_bytes: int = PIECE_BYTES
) -> AsyncGenerator[bytes, None]:
    """Yield the rows of `query`, whose one column is JSON without line breaks, one line each.

    Must run inside a transaction that only reads and was begun by `BEGINNING`: a table that is refused goes back there,
    and spoils no other.

    Raises:
        TimeoutError: when the server is silent for too long.
    """
    pieces: asyncio.Queue[bytes] = asyncio.Queue()
    room = asyncio.Semaphore(AHEAD)
    copying = asyncio.create_task(_copy(connection, query, values, pieces, room, piece_bytes))
    try:
        while piece := await asyncio.wait_for(pieces.get(), STALL_SECONDS):
            yield piece
            room.release()
        await copying
    finally:
        await _leave(copying, connection, room)


async def _copy(
    connection: Connection,
    query: str,
    values: Sequence[object],
    pieces: asyncio.Queue[bytes],
    room: asyncio.Semaphore,
    piece_bytes: int,
) -> None:
    held = bytearray()

    async def take(received: bytes) -> None:
        held.extend(received)
        if len(held) >= piece_bytes and (end := held.rfind(b"\n") + 1):
            await room.acquire()
            pieces.put_nowait(bytes(held[:end]))
            del held[:end]

    try:
        # CSV with control characters as quote and delimiter, neither of which JSON can hold, copies every byte as it
        # is; the text format would double each backslash.
        await connection.copy_from_query(
            await _inlined(connection, query, values),
            output=take, format="csv", delimiter="\x02", quote="\x01", encoding="utf8",
        )  # fmt: skip
        if held:
            pieces.put_nowait(bytes(held))
    except asyncpg.PostgresError:
        with suppress(*TROUBLE):
            await connection.execute("ROLLBACK TO SAVEPOINT beginning")
        raise
    finally:
        pieces.put_nowait(b"")


async def _inlined(connection: Connection, query: str, values: Sequence[object]) -> str:
    """Put the values, lists of text, into the query as the server quotes them, because COPY takes no arguments.

    asyncpg would do the same, but has the whole query prepared first, which costs more than a short copy.
    """
    if not values:
        return query
    quoted = ", ".join(f"quote_literal(${number}::text[]::text)" for number in range(1, len(values) + 1))
    literals = await connection.fetchrow(f"SELECT {quoted}", *values)
    assert literals is not None
    return re.sub(r"\$(\d+)::text\[\]", lambda place: f"{literals[int(place[1]) - 1]}::text[]", query)


async def _leave(copying: asyncio.Task[None], connection: Connection, room: asyncio.Semaphore) -> None:
    """End a copy that nobody reads any more, and with it the connection.

    asyncpg 0.32 can also cancel a COPY on the server, but then loses the connection now and then; so it is always lost.
    """
    if not copying.done():
        connection.terminate()
        room.release()
        await asyncio.wait({copying})
    if not copying.cancelled():
        copying.exception()  # Seen: it was raised to the reader already, or the reader no longer wants to know.

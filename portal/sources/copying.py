"""COPY as a stream: lines of JSON out of PostgreSQL, a megabyte at a time, no faster than they are taken.

Always true here: a piece ends at the end of a line, and a reader that stops half way leaves the connection usable.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from portal.sources.catalogue import Connection

PIECE_BYTES = 1 << 20
AHEAD = 2
"""How many pieces may wait for their reader."""
STALL_SECONDS = 120.0
"""How long the server may be silent before the copy counts as broken."""
LEAVE_SECONDS = 5.0


async def copy_lines(
    connection: Connection, query: str, values: Sequence[object], *, piece_bytes: int = PIECE_BYTES
) -> AsyncGenerator[bytes, None]:
    """Yield the rows of `query`, whose one column is JSON without line breaks, one line each.

    Must run inside a transaction, in which it takes a savepoint.

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
        await _leave(copying, connection)


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
        async with connection.transaction():
            # CSV with control characters as quote and delimiter, neither of which JSON can hold, copies every byte
            # as it is; the text format would double each backslash.
            await connection.copy_from_query(
                query, *values, output=take, format="csv", delimiter="\x02", quote="\x01", encoding="utf8"
            )
        if held:
            pieces.put_nowait(bytes(held))
    finally:
        pieces.put_nowait(b"")


async def _leave(copying: asyncio.Task[None], connection: Connection) -> None:
    """End a copy that nobody reads any more: cancel it on the server, or drop the connection if that hangs."""
    if not copying.done():
        copying.cancel()
        await asyncio.wait({copying}, timeout=LEAVE_SECONDS)
    if not copying.done():
        connection.terminate()
    elif not copying.cancelled():
        copying.exception()  # Seen: it was raised to the reader already, or the reader no longer wants to know.

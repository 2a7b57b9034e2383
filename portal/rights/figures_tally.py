"""Keep count of ended requests, and read the figures of a period from the counts.

Always true here: an end is counted once, when its mail has had time to leave; what ended since is read from the log
each time, so the figures are never older than the page that shows them. Counting again changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from portal.database import engine
from portal.evidence.log import Head
from portal.jobs import Schedule
from portal.rights.figures import By, Cell, Counts, Report, add, cell_of, report
from portal.rights.lifecycle import OUTCOMES
from portal.rights.register import PIECE, Moment, lines, moment
from portal.rights.workshop import Workshop

MARK = "requests"
BOTH: tuple[By, ...] = ("received", "answered")
SETTLED = timedelta(days=3)
"""After so long a mail has left or never will."""
FRESH = 10_000
"""How many ends a page reads from the log at most; more are waited for."""
CELLS = UUID("5f1f8cc6-7d0e-4a63-9a43-6f2f3b0a5a10")
ENDED = (
    "SELECT seq, reference FROM evidence WHERE seq > $1 AND seq <= $2 AND event LIKE 'rights:request:%'"
    " AND details->>'to' = ANY($3) ORDER BY seq LIMIT $4"
)
COUNTED = 'SELECT month, "right", kind, key, times FROM request_tally WHERE by = $1 AND month BETWEEN $2 AND $3'
OPEN = (
    "SELECT date_trunc('month', received_at AT TIME ZONE $1)::date AS received_month, \"right\", channel,"
    " extended_on IS NOT NULL AS extended, due_day < $2 AS late_now, count(*) AS count"
    " FROM subject_request WHERE closed_at IS NULL GROUP BY 1, 2, 3, 4, 5"
)


def schedules(shop: Workshop) -> list[Schedule]:
    """Return what keeps the counts."""

    async def count() -> None:
        await fold(shop.policy.controller.zone, at=shop.clock())

    return [Schedule("rights.figures", "*/10 * * * *", count, at_start=True)]


async def fold(zone: str, *, at: datetime) -> int:
    """Count what ended and settled since the last time, a piece in a transaction. Returns how many ends."""
    counted = 0
    while found := await _fold_piece(zone, at - SETTLED):
        counted += found
    return counted


async def read(zone: str, first: date, last: date, by: By, *, at: datetime) -> Report:
    """Return the figures of whole months, `first` and `last` being their first days, as of now."""
    counts: Counts = defaultdict(Counter)
    async with engine().transaction():
        connection = engine().connection
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await _read_tally(connection, counts, first, last, by)
        behind = await _read_fresh(connection, counts, zone, by, at)
        if by == "received":
            today = at.astimezone(ZoneInfo(zone)).date()
            for row in await connection.fetch(OPEN, zone, today):
                add(counts, msgspec.convert(dict(row), Cell), by)
    return report(counts, first, last, by, behind=behind)


async def _read_tally(connection: asyncpg.Connection, counts: Counts, first: date, last: date, by: By) -> None:
    for month, right, kind, key, times in await connection.fetch(COUNTED, by, first, last):
        counts[month, right][kind, key] += times


async def _read_fresh(connection: asyncpg.Connection, counts: Counts, zone: str, by: By, at: datetime) -> bool:
    """Add what is not counted yet. Returns True, and adds nothing, while that is too much for a page."""
    seq = await connection.fetchval("SELECT seq FROM tally_mark WHERE name = $1", MARK) or 0
    known = await moment(connection, at)
    ended = await _ended(connection, seq, known.head.seq, FRESH + 1)
    if len(ended) > FRESH:
        return True
    for line in await _lines(connection, ended, known, zone):
        add(counts, line, by)
    return False


async def _fold_piece(zone: str, until: datetime) -> int:
    async with engine().transaction():
        connection = engine().connection
        await connection.execute("INSERT INTO tally_mark (name, seq) VALUES ($1, 0) ON CONFLICT DO NOTHING", MARK)
        seq = await connection.fetchval("SELECT seq FROM tally_mark WHERE name = $1 FOR UPDATE", MARK)
        bound = (await moment(connection, until)).head.seq
        ended = await _ended(connection, seq, bound, PIECE)
        if not ended:
            return 0
        now = Moment(datetime.max.replace(tzinfo=until.tzinfo), Head(bound, ""))
        await _count(connection, await _lines(connection, ended, now, zone))
        await connection.execute("UPDATE tally_mark SET seq = $2 WHERE name = $1", MARK, ended[-1][0])
    return len(ended)


async def _ended(connection: asyncpg.Connection, seq: int, last: int, limit: int) -> list[tuple[int, str]]:
    rows = await connection.fetch(ENDED, seq, last, sorted(OUTCOMES), limit)
    return [(row["seq"], row["reference"]) for row in rows]


async def _lines(
    connection: asyncpg.Connection, ended: Sequence[tuple[int, str]], known: Moment, zone: str
) -> list[Cell]:
    references = [reference for _, reference in ended]
    found: list[Cell] = []
    for start in range(0, len(references), PIECE):
        found += map(cell_of, await lines(connection, references[start : start + PIECE], known, zone))
    return found


async def _count(connection: asyncpg.Connection, cells: Sequence[Cell]) -> None:
    """Add cells to the table, by both months, in the order of their ids so that nobody waits for us in a circle."""
    rows: list[tuple[UUID, By, date, str, str, str, int]] = []
    for by in BOTH:
        counts: Counts = defaultdict(Counter)
        for cell in cells:
            add(counts, cell, by)
        rows += [
            (uuid5(CELLS, f"{by} {month} {right} {kind} {key}"), by, month, right, kind, key, times)
            for (month, right), found in counts.items() for (kind, key), times in found.items()
        ]  # fmt: skip
    await connection.executemany(
        'INSERT INTO request_tally AS t (id, by, month, "right", kind, key, times) VALUES ($1, $2, $3, $4, $5, $6, $7)'
        " ON CONFLICT (id) DO UPDATE SET times = t.times + EXCLUDED.times",
        sorted(rows),
    )

"""A table of a million rows, as our adapter reads it and as PostgreSQL alone would.

Always true here: all rows are one person's; nine typed columns make a line of about 232 bytes of JSON.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec

from benchmarks.orders import order, section, silent
from exports.archive import Archive
from exports.order import Order
from exports.spool import read
from portal.clock import system_clock
from portal.policy.model import Column, Lookup, PostgresSource, Subject, Table, Text
from portal.sources.base import Identifiers
from portal.sources.postgres import Postgres, Row

ACCOUNT = "11111111-1111-4111-8111-111111111111"
PERSON = Identifiers(emails=frozenset({"amelie@person.example"}), account_ids=frozenset({ACCOUNT}))
COLUMNS = {
    "id": "number", "made_at": "moment", "state": "text", "cost": "money", "tokens": "number", "ok": "flag",
    "ip": "text", "day": "day", "prompt": "text",
}  # fmt: skip


async def make_table(dsn: str, rows: int) -> None:
    """Make `event_{rows}`, and an account table for the look-up."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            f"""
            CREATE TABLE IF NOT EXISTS account (id uuid PRIMARY KEY, email text);
            CREATE TABLE event_{rows} (
                id bigint PRIMARY KEY, account_id uuid NOT NULL, made_at timestamptz, state text, cost numeric(12, 4),
                tokens integer, ok boolean, ip inet, day date, prompt text
            );
            INSERT INTO event_{rows}
            SELECT n, '{ACCOUNT}', '2024-01-01 00:00Z'::timestamptz + n * interval '61.7 seconds',
                   (ARRAY['queued', 'running', 'done', 'failed'])[n % 4 + 1], (n % 9973) / 100.0, n * 7 % 4096,
                   n % 5 > 0, '10.0.0.0'::inet + n % 65536, '2024-01-01'::date + (n % 900)::int,
                   'Draw "a cat" no. ' || n || E' on a bicycle,\\nplease: é ' || left(md5(n::text), 22)
            FROM generate_series(1, {rows}) n;
            CREATE INDEX ON event_{rows} (account_id);
            """
        )
        await connection.execute(f"VACUUM ANALYZE event_{rows}")
    finally:
        await connection.close()


def bare_copy(dsn: str, rows: int, folder: str) -> float:
    """Let PostgreSQL alone write the rows as JSON into a file. Returns seconds."""

    async def copy() -> float:
        connection = await asyncpg.connect(dsn)
        start = time.perf_counter()
        names = ", ".join(COLUMNS)
        await connection.copy_from_query(
            f"SELECT row_to_json(t) FROM (SELECT {names} FROM event_{rows}) t",
            output=Path(folder) / "bare.jsonl", format="csv", delimiter="\x02", quote="\x01",
        )  # fmt: skip
        seconds = time.perf_counter() - start
        await connection.close()
        return seconds

    return asyncio.run(copy())


def collect_and_pack(dsn: str, rows: int, folder: str, *, sensitive: bool) -> float:
    """Read the rows through our adapter into our spool, and pack them into a ZIP as we do. Returns seconds."""

    async def work() -> float:
        async with opened(dsn, [rows], sensitive=sensitive) as large:
            start = time.perf_counter()
            haul = await read(large, Path(folder) / "work", progress=silent, now=system_clock)
        with Archive(haul.folder / "parcel.zip", large.snapshot_at) as archive:
            for held in haul.held:
                archive.copy(f"data/{held.section.id}.jsonl", held.lines)
        assert haul.records == rows
        return time.perf_counter() - start

    return asyncio.run(work())


@asynccontextmanager
async def opened(dsn: str, tables: Sequence[int], *, sensitive: bool = False) -> AsyncIterator[Order]:
    """Open an order of the tables, read through our adapter as they are at one moment."""
    source = Postgres(_spec(tables, sensitive=sensitive), dsn, touch=_mask)
    async with source.snapshot() as moment:
        sections = [section(f"event_{rows}", COLUMNS, moment, PERSON, rows) for rows in tables]
        yield order(*sections)
    await source.close()


def _spec(tables: Sequence[int], *, sensitive: bool) -> PostgresSource:
    return PostgresSource(
        id="platform", title=Text(en="Platform", fr="Plateforme"), url_variable="PLATFORM_URL",
        lookup=Lookup(table="account"),
        tables=tuple(
            Table(
                name=f"event_{rows}", category=f"event_{rows}", kind="event", newest="made_at", sensitive=sensitive,
                subject=Subject(column="account_id", equals="account_id"),
                columns=tuple(Column(name=name) for name in COLUMNS), leave_out={"account_id": "The person's own id."},
            )
            for rows in tables
        ),
    )  # fmt: skip


def _mask(_: Table, row: Row) -> Row:
    """Hide the second half of an address, as a masking rule would."""
    row["ip"] = msgspec.Raw(bytes(row["ip"]).rpartition(b".")[0].rpartition(b".")[0] + b'.*.*"')
    return row

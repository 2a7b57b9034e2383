"""The typical person: forty tables, five thousand rows, collected as an export collects them.

Always true here: other people's rows lie between theirs; both ways read one moment through a connection that is open,
and neither has had its statements planned before: a person is collected once.
"""

import asyncio
import time
from collections.abc import Iterator

import asyncpg

from benchmarks.bench import Bench
from benchmarks.measure import Figure, at_most, medians
from portal.policy.model import Column, Lookup, PostgresSource, Subject, Table, Text
from portal.sources.base import Identifiers
from portal.sources.postgres import Postgres
from portal.sources.postgres_session import SESSION

AREA = "The typical person"
TABLES, CATEGORIES, ROWS_EACH, PEOPLE = 40, 10, 125, 20
ACCOUNT = "11111111-1111-4111-8111-000000000001"
PERSON = Identifiers(account_ids=frozenset({ACCOUNT}))
COLUMNS = ("id", "made_at", "state", "amount", "note")


def figures(bench: Bench) -> Iterator[Figure]:
    """Compare the adapter with one statement that fetches everything as JSON."""
    dsn = bench.database("typical")
    asyncio.run(_make_tables(dsn))
    bench.say("collecting one person")
    ours, one = asyncio.run(_compare(dsn, rounds=bench.scale.rounds * 5))
    yield Figure(
        what=f"{TABLES} tables, {TABLES * ROWS_EACH:,} rows, time against one UNION ALL of JSON aggregates",
        ratio=ours / one, goal=at_most(1.3), note=f"ours {ours * 1000:.0f} ms, UNION ALL {one * 1000:.0f} ms",
    )  # fmt: skip


async def _compare(dsn: str, rounds: int) -> list[float]:
    source = Postgres(_spec(), dsn)
    connection = await asyncpg.connect(dsn, server_settings=SESSION, statement_cache_size=0)
    try:
        await _collect(source)
        return medians([(await _collect(source), await _union(connection)) for _ in range(rounds)])
    finally:
        await connection.close()
        await source.close()


async def _collect(source: Postgres) -> float:
    start, count = time.perf_counter(), 0
    async with source.snapshot() as moment:
        for category in range(CATEGORIES):
            async for batch in moment.collect(PERSON, f"category_{category}"):
                count += batch.count
    assert count == TABLES * ROWS_EACH
    return time.perf_counter() - start


async def _union(connection: asyncpg.Connection) -> float:
    query = " UNION ALL ".join(
        f"SELECT json_agg(row_to_json(t))::text FROM (SELECT 'row' AS kind, {', '.join(COLUMNS)} FROM thing_{table}"
        " WHERE account_id = ANY($1::uuid[]) ORDER BY id) t"
        for table in range(TABLES)
    )
    start = time.perf_counter()
    found = await connection.fetch(query, [ACCOUNT])
    assert len(found) == TABLES
    return time.perf_counter() - start


async def _make_tables(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TABLE account (id uuid PRIMARY KEY, email text)")
        for table in range(TABLES):
            await connection.execute(
                f"""
                CREATE TABLE thing_{table} (
                    id bigint PRIMARY KEY, account_id uuid NOT NULL, made_at timestamptz, state text,
                    amount numeric(12, 2), note text
                );
                INSERT INTO thing_{table}
                SELECT n, ('11111111-1111-4111-8111-' || lpad((n % {PEOPLE})::text, 12, '0'))::uuid,
                       '2026-01-01 00:00Z'::timestamptz + n * interval '1 minute', 'done', n / 100.0,
                       'Note no. ' || n || ', ' || md5(n::text) || md5((n + 1)::text)
                FROM generate_series(1, {PEOPLE * ROWS_EACH}) n;
                CREATE INDEX ON thing_{table} (account_id);
                """
            )
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _spec() -> PostgresSource:
    return PostgresSource(
        id="platform", title=Text(en="Platform", fr="Plateforme"), url_variable="PLATFORM_URL",
        lookup=Lookup(table="account"),
        tables=tuple(
            Table(
                name=f"thing_{table}", category=f"category_{table % CATEGORIES}", kind="row", newest="made_at",
                subject=Subject(column="account_id", equals="account_id"),
                columns=tuple(Column(name=name) for name in COLUMNS), leave_out={"account_id": "The person's own id."},
            )
            for table in range(TABLES)
        ),
    )  # fmt: skip

"""Erasing one person from a large platform, against the least that PostgreSQL itself would need; and the search after.

Always true here: both sides erase a person of the same size from the same tables, in turn; who comes first alternates.
"""

import asyncio
import time
from collections.abc import Iterator
from uuid import UUID, uuid4

import asyncpg

from benchmarks.bench import Bench
from benchmarks.measure import Figure, at_most, medians
from portal.policy.model import Column, Lookup, PostgresSource, Subject, Table, Text
from portal.rights import needles
from portal.sources.base import Erasing, Identifiers
from portal.sources.postgres import Postgres

AREA = "Erasure"
TABLES = 40
BYSTANDER = UUID(int=10**9)
READ = "SELECT sum(length(lower(concat_ws(' ', id, account_id, body, details)))) FROM big"


def figures(bench: Bench) -> Iterator[Figure]:
    """Erase people one after another, then search a large table for one of them."""
    bench.say("erasing people")
    everyone, rows = bench.scale.rows // 10, bench.scale.rows // 200
    dsn = bench.database("erasure")
    ours, block, waited = asyncio.run(_erase(dsn, bench.scale.rounds, everyone, rows))
    yield Figure(
        what=f"{TABLES} tables × {rows:,} rows of one person among {everyone:,}, time against one block on the server",
        ratio=ours / block, goal=at_most(1.3),
        note=f"ours {ours:.2f} s, half deleted, half made anonymous; the block {block:.2f} s; its row locks last as"
        f" long, and somebody else’s write in the same tables waited {waited * 1000:.0f} ms at most",
    )  # fmt: skip
    bench.say("searching a large table")
    number, seconds, bare = asyncio.run(_search(dsn, bench.scale.rounds, bench.scale.rows))
    yield Figure(
        what=f"the search for one person in {bench.scale.rows:,} rows of 430 bytes, time against reading them as text",
        ratio=seconds / bare,
        note=f"{seconds / bench.scale.rows * 1e6:.1f} s for a million rows, {number} texts looked for at once",
    )


def _person(number: int) -> UUID:
    return UUID(int=number + 1)


async def _erase(dsn: str, rounds: int, everyone: int, rows: int) -> tuple[float, float, float]:
    connection = await asyncpg.connect(dsn)
    source = Postgres(_spec(), dsn, write_dsn=dsn)
    times, waits = [], [0.0]
    try:
        await _fill(connection, everyone, rows)
        for number in range(rounds):
            first, second = _person(2 * number), _person(2 * number + 1)
            stop = asyncio.Event()
            other = asyncio.create_task(_write_meanwhile(dsn, stop, waits))
            mine, block = 0.0, 0.0
            for side in ("ours", "block")[:: 1 if number % 2 else -1]:
                start = time.perf_counter()
                if side == "ours":
                    await source.erase(_known(first), _items(), pseudonym=uuid4())
                    mine = time.perf_counter() - start
                else:
                    await connection.execute(_block(second))
                    block = time.perf_counter() - start
            stop.set()
            await other
            times.append((mine, block))
    finally:
        await source.close()
        await connection.close()
    ours, bare = medians(times)
    return ours, bare, max(waits)


async def _write_meanwhile(dsn: str, stop: asyncio.Event, waits: list[float]) -> None:
    """Write to the rows of a bystander until told to stop, and note how long each write took."""
    connection = await asyncpg.connect(dsn)
    number = 0
    while not stop.is_set():
        start = time.perf_counter()
        await connection.execute(f"UPDATE t_{number % TABLES} SET note = 'y' WHERE account_id = $1", BYSTANDER)
        waits.append(time.perf_counter() - start)
        number += 1
        await asyncio.sleep(0.005)
    await connection.close()


async def _fill(connection: asyncpg.Connection, everyone: int, rows: int) -> None:
    people = everyone // rows
    await connection.execute(
        "CREATE TABLE account (id uuid PRIMARY KEY, email text NOT NULL);CREATE INDEX ON account (lower(email))"
    )
    await connection.execute(
        "INSERT INTO account SELECT lpad(to_hex(n), 32, '0')::uuid, 'person' || n || '@person.example'"
        f" FROM generate_series(1, {people}) n"
    )
    await connection.execute("INSERT INTO account VALUES ($1, 'bystander@person.example')", BYSTANDER)
    for number in range(TABLES):
        await connection.execute(
            f"CREATE TABLE t_{number}"
            " (id bigint PRIMARY KEY, account_id uuid REFERENCES account, note text, body text);"
            f"INSERT INTO t_{number} SELECT n, lpad(to_hex(n % {people} + 1), 32, '0')::uuid, 'note ' || n,"
            f" repeat('x', 60) FROM generate_series(1, {everyone}) n;"
            f"INSERT INTO t_{number} VALUES (0, '{BYSTANDER}', 'x', 'y'); CREATE INDEX ON t_{number} (account_id)"
        )
    await connection.execute("VACUUM ANALYZE")


def _spec() -> PostgresSource:
    def table(number: int) -> Table:
        return Table(
            name=f"t_{number}", category="erased" if number % 2 else "counted", kind="thing",
            subject=Subject(column="account_id", equals="account_id"),
            columns=(Column(name="id"), Column(name="note"), Column(name="body")), anonymise={"note": "", "body": ""},
        )  # fmt: skip

    account = Table(
        name="account", category="account", kind="account", subject=Subject(column="id", equals="account_id"),
        columns=(Column(name="id"), Column(name="email")),
    )  # fmt: skip
    return PostgresSource(
        id="platform", title=Text(en="Platform", fr="Plateforme"), url_variable="PLATFORM_URL",
        lookup=Lookup(table="account"), tables=(account, *map(table, range(TABLES))),
    )  # fmt: skip


def _items() -> list[Erasing]:
    return [
        Erasing(category="account", action="erase"),
        Erasing(category="erased", action="erase"),
        Erasing(category="counted", action="anonymise"),
    ]


def _known(id: UUID) -> Identifiers:
    return Identifiers(emails=frozenset({f"person{id.int}@person.example"}), account_ids=frozenset({str(id)}))


def _block(id: UUID) -> str:
    """Return the same erasure as one block that the server runs by itself."""
    statements = "".join(
        f"DELETE FROM t_{number} WHERE account_id = '{id}';"
        if number % 2
        else f"UPDATE t_{number} SET note = NULL, body = NULL, account_id = NULL WHERE account_id = '{id}';"
        for number in range(TABLES)
    )
    return f"DO $$ BEGIN {statements} DELETE FROM account WHERE id = '{id}'; END $$"


async def _search(dsn: str, rounds: int, rows: int) -> tuple[int, float, float]:
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"DROP TABLE {', '.join(f't_{number}' for number in range(TABLES))}, account")
    await connection.execute("CREATE TABLE big (id bigint PRIMARY KEY, account_id uuid, body text, details jsonb)")
    await connection.execute(
        "INSERT INTO big SELECT n, gen_random_uuid(), repeat('lorem ipsum dolor sit amet ', 10) || n,"
        " jsonb_build_object('mail', 'user' || n || '@person.example', 'agent', 'Mozilla/5.0 (X11; Linux)')"
        f" FROM generate_series(1, {rows}) n"
    )
    await connection.execute("VACUUM ANALYZE big")
    source = Postgres(_spec(), dsn, scan_dsn=dsn)
    wanted = needles.of(Identifiers(
        emails=frozenset({"amelie.laurent@elsewhere.example", "Amelie@old.example"}),
        account_ids=frozenset({str(uuid4())}), stripe_customers=frozenset({"cus_0123456789abcdef"}),
    ))  # fmt: skip
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        found = await source.search(wanted)
        middle = time.perf_counter()
        await connection.fetchval(READ)
        times.append((middle - start, time.perf_counter() - middle))
        assert found.places == ("big",)
        assert not found.findings
    await source.close()
    await connection.close()
    seconds, bare = medians(times)
    return len(wanted.texts), seconds, bare

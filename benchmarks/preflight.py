"""The preflight of `habeas check`: does it find every key that no index leads with, and quickly?

Always true here: which keys lack an index is drawn by a seed, so that each run plants the same ones.
"""

import asyncio
import time
from collections.abc import Iterator
from random import Random

import asyncpg

from benchmarks.bench import Bench
from benchmarks.measure import Figure, at_least, at_most, medians
from portal.policy.model import Column, Lookup, PostgresSource, Subject, Table, Text
from portal.sources import preflight

AREA = "Index preflight"
TABLES = 200
TRIVIAL = "SELECT count(*) FROM pg_class"


def figures(bench: Bench) -> Iterator[Figure]:
    """Plant missing indexes among two hundred tables, count what is found, and time the look."""
    bench.say("looking for missing indexes")
    dsn = bench.database("preflight")
    planted, found, seconds, trivial = asyncio.run(_look(dsn, rounds=bench.scale.rounds * 5))
    yield Figure(
        what=f"keys without an index found, of those planted in {TABLES} tables",
        ratio=len(found & planted) / len(planted), goal=at_least(1), note=f"{len(found & planted)} of {len(planted)}",
    )  # fmt: skip
    yield Figure(
        what="false alarms, of all that was reported", ratio=len(found - planted) / max(1, len(found)), goal=at_most(0)
    )
    yield Figure(
        what="time of the look, against 50 ms", ratio=seconds / 0.05, goal=at_most(1),
        note=f"{seconds * 1000:.1f} ms; {seconds / trivial:.0f} times one trivial query to the catalogue",
    )  # fmt: skip


async def _look(dsn: str, rounds: int) -> tuple[set[str], set[str], float, float]:
    connection = await asyncpg.connect(dsn)
    try:
        planted, found = await _plant(connection), set[str]()
        times: list[tuple[float, float]] = []
        for _ in range(rounds):
            start = time.perf_counter()
            found = {fault.place for fault in await preflight.check(connection, _spec())}
            middle = time.perf_counter()
            await connection.fetchval(TRIVIAL)
            times.append((middle - start, time.perf_counter() - middle))
    finally:
        await connection.close()
    seconds, trivial = medians(times)
    return planted, found, seconds, trivial


async def _plant(connection: asyncpg.Connection) -> set[str]:
    """Make the tables, about half of their keys without an index. Returns the places of those."""
    dice, planted = Random(7), set[str]()
    await connection.execute("CREATE TABLE account (id bigint PRIMARY KEY, email text)")
    await connection.execute("CREATE INDEX ON account (lower(email))")
    for number in range(TABLES):
        name = f"thing_{number}"
        parent = f"thing_{dice.randrange(number)}" if number else "account"
        await connection.execute(
            f"CREATE TABLE {name} (id bigint PRIMARY KEY, account_id bigint, parent_id bigint REFERENCES {parent})"
        )
        for key in ("account_id", "parent_id"):
            if dice.random() < 0.5:
                planted.add(f"{name}.{key}")
                await connection.execute(dice.choice(_useless(name, key)))
            else:
                await connection.execute(dice.choice(_useful(name, key)))
    return planted


def _useful(table: str, key: str) -> list[str]:
    return [f"CREATE INDEX ON {table} ({key})", f"CREATE INDEX ON {table} ({key}, id)"]


def _useless(table: str, key: str) -> list[str]:
    """What a key may have instead of an index that helps."""
    return [
        "SELECT 1",
        f"CREATE INDEX ON {table} (id, {key})",
        f"CREATE INDEX ON {table} ({key}) WHERE id > 0",
        f"CREATE INDEX ON {table} USING brin ({key})",
    ]


def _spec() -> PostgresSource:
    return PostgresSource(
        id="platform", title=Text(en="Platform", fr="Plateforme"), url_variable="PLATFORM_URL",
        lookup=Lookup(table="account"),
        tables=tuple(
            Table(
                name=f"thing_{number}", category="things", kind="thing", columns=(Column(name="id"),),
                subject=Subject(column="account_id", equals="account_id"),
                leave_out={"account_id": "The person's own id.", "parent_id": "A link."},
            )
            for number in range(TABLES)
        ),
    )  # fmt: skip

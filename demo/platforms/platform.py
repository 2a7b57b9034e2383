"""What every sample platform can do: make its tables, fill them, and let a role read what the policy declares.

Always true here: the database is somebody else's; the reader gets SELECT on declared columns and nothing more.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

import asyncpg
import msgspec

from demo.platforms.crowd import Person, StoredObject
from demo.platforms.stripe import stripe_people
from portal.policy.load import load
from portal.policy.model import PostgresSource

POLICIES = Path(__file__).parent.parent.parent / "policies"
PEOPLE, SEED = 200, 7

type Row = tuple[object, ...]


class Rows(msgspec.Struct, frozen=True):
    """What goes into one table: the columns that are given, and the rows."""

    columns: tuple[str, ...]
    rows: Sequence[Row]


class World(msgspec.Struct, frozen=True):
    """A crowd and every row about it, tables in the order in which their keys need them."""

    people: list[Person]
    tables: Mapping[str, Rows]


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """One sample platform."""

    id: str
    """Also the name of its policy file."""
    bucket: str
    url_variable: str
    outside_sign_in: bool
    schema_sql: str
    after_sql: str
    """Run once it is filled."""
    later_sql: str
    """What a later version of the platform added, for one that was filled before; safe to repeat."""
    build: Callable[[Random, int], World]

    def world(self, *, people: int = PEOPLE, seed: int = SEED) -> World:
        """Return the crowd and its rows; the same arguments make the same world."""
        return self.build(Random(f"{self.id}:{seed}"), people)

    async def fill(self, connection: asyncpg.Connection, *, people: int = PEOPLE, seed: int = SEED) -> list[Person]:
        """Make the tables and fill them, all or nothing. Returns the people."""
        world = self.world(people=people, seed=seed)
        async with connection.transaction():
            await connection.execute(self.schema_sql)
            for name, table in world.tables.items():
                await connection.copy_records_to_table(name, columns=table.columns, records=table.rows)
            await connection.execute(self.after_sql)
        await connection.execute("ANALYZE")
        return world.people

    async def prepare(
        self, connection: asyncpg.Connection, reader: str, password: str = "", *, writer: str = "", scanner: str = ""
    ) -> list[Person]:
        """Fill the database unless it is filled, and let `reader` read it. Safe to repeat.

        With names for them there are also a role that may erase and correct, and one that may look at everything.
        """
        first = next(iter(self.world(people=0).tables))
        filled = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", first)
        people = self.world().people if filled else await self.fill(connection)
        await connection.execute(self.later_sql)
        policy = POLICIES / f"{self.id}.toml"
        await create_reader(connection, reader, password, policy=policy)
        if writer:
            await create_writer(connection, writer, password, policy=policy)
        if scanner:
            await create_scanner(connection, scanner, password)
        return people

    def files_of(self, person: Person) -> tuple[StoredObject, ...]:
        """Return the files of a person as they lie in the store."""
        return person.files

    def stripe_people(self, people: Sequence[Person]) -> list[dict[str, object]]:
        """Return what Stripe holds about these people."""
        return stripe_people(people)


async def create_reader(connection: asyncpg.Connection, role: str, password: str = "", *, policy: Path) -> None:
    """Make a role that reads the declared columns of `policy` and can do nothing else. Safe to repeat.

    An empty password leaves signing in to the server's own rules (a private socket that trusts its user).
    """
    await _create_role(connection, role, password, read_only=True)
    for source in load(policy).sources:
        if isinstance(source, PostgresSource):
            for table, columns in readable(source).items():
                names = ", ".join(['%I'] * len(columns))  # fmt: skip
                await _run(connection, f"GRANT SELECT ({names}) ON %I TO %I", *sorted(columns), table, role)


async def create_writer(connection: asyncpg.Connection, role: str, password: str = "", *, policy: Path) -> None:
    """Make a role that may change the declared tables of `policy`, and add to the one of the accounts."""
    await _create_role(connection, role, password, read_only=False)
    for source in load(policy).sources:
        if isinstance(source, PostgresSource):
            for table in source.tables:
                await _run(connection, "GRANT SELECT, UPDATE, DELETE ON %I TO %I", table.name, role)
            await _run(connection, "GRANT INSERT ON %I TO %I", source.lookup.table, role)


async def create_scanner(connection: asyncpg.Connection, role: str, password: str = "") -> None:
    """Make a role that may look at everything and change nothing."""
    await _create_role(connection, role, password, read_only=True)
    await _run(connection, "GRANT pg_read_all_data TO %I", role)


async def _create_role(connection: asyncpg.Connection, role: str, password: str, *, read_only: bool) -> None:
    known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    await _run(connection, "CREATE ROLE %I LOGIN CONNECTION LIMIT 20" if not known else "ALTER ROLE %I LOGIN", role)
    if password:
        await _run(connection, "ALTER ROLE %I PASSWORD %L", role, password)
    if read_only:
        await _run(connection, "ALTER ROLE %I SET default_transaction_read_only = on", role)
    await _run(connection, "GRANT USAGE ON SCHEMA public TO %I", role)
    await _run(connection, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I", role)


def readable(source: PostgresSource) -> dict[str, set[str]]:
    """Return the columns of each table that reading takes: collected ones, keys, joins, the lookup's, the flag."""
    lookup = source.lookup
    columns = {
        lookup.table: {lookup.email, lookup.account_id, lookup.stripe_customer, lookup.display_name, lookup.language}
    }
    for table in source.tables:
        owner = table.name
        here = columns.setdefault(owner, set())
        here |= {column.name for column in table.columns} | {table.key, table.newest}
        for join in table.subject.via:
            columns[owner].add(join.column)
            owner = join.table
            columns.setdefault(owner, set()).add(join.key)
        columns[owner].add(table.subject.column)
    if source.restrict:
        columns[source.restrict.table].add(source.restrict.column)
    return {table: names - {""} for table, names in columns.items()}


async def _run(connection: asyncpg.Connection, statement: str, *names: str) -> None:
    """Run a statement whose names the server itself has quoted."""
    places = ", ".join(f"${number}::text" for number in range(2, len(names) + 2))
    await connection.execute(await connection.fetchval(f"SELECT format($1::text, {places})", statement, *names))

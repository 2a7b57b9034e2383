"""Ends what an erasure kept: records whose day has come, and the shells that only they needed.

Always true here: only rows under the erasure's own pseudonym are touched. A row of a category of which a minimum is
kept goes by its day alone; any other row under the pseudonym is a shell, and goes when nothing refers to it.
"""
# ruff: noqa: S608  Building SQL is what this file is for: every name is quoted and every value is an argument.

from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from portal.errors import SourceRefused
from portal.policy.model import PostgresSource, Subject, Table
from portal.sources.base import Held
from portal.sources.catalogue import Connection
from portal.sources.postgres_erase import held_under
from portal.sources.postgres_live import Live, read_live
from portal.sources.postgres_session import speaking, writing
from portal.sources.postgres_sql import Reading, column, owned, quoted


async def erase_held(
    source: PostgresSource, dsn: str, pseudonym: UUID, items: Sequence[Held], *, kept: Collection[str]
) -> int:
    """Delete what is due and the shells that nothing needs any more. Returns how many kept records are left."""
    held = {*kept, *(item.category for item in items)}
    async with writing(source.id, dsn) as connection:
        live = await read_live(connection, [table.name for table in source.tables])
        reading = Reading(held_under(pseudonym), live.types)
        reading.subject = held_under(pseudonym, await _accounts(connection, source, pseudonym))
        for item in items:
            await _delete_due(connection, source, live, reading, item)
        while await _delete_shells(connection, source, live, reading, held):
            pass
        left = [await _count(connection, live, reading, table) for table in source.tables if table.category in held]
    return sum(left)


async def _accounts(connection: Connection, source: PostgresSource, pseudonym: UUID) -> list[str]:
    """Return the ids of the accounts that stand in for the person's."""
    lookup = source.lookup
    rows = await connection.fetch(
        f"SELECT t.{column(lookup.account_id)}::text FROM {quoted(lookup.table)} t"
        f" WHERE lower(t.{column(lookup.email)}::text) = ANY($1)",
        sorted(held_under(pseudonym).emails),
    )
    return [row[0] for row in rows]


def _others(source: PostgresSource, held: Collection[str]) -> list[Table]:
    """Return the tables that hold nothing but shells under the pseudonym, that of the accounts last."""
    lookup = source.lookup
    owner = Subject(column=lookup.account_id, equals="account_id")
    accounts = Table(name=lookup.table, category="", kind="", columns=(), key=lookup.account_id, subject=owner)
    others = [table for table in source.tables if table.category not in held and table.name != lookup.table]
    return [*others, accounts]


async def _delete_due(connection: Connection, source: PostgresSource, live: Live, under: Reading, item: Held) -> None:
    """Delete the records of one category whose day has come, those that refer to others first."""
    tables = [table for table in source.tables if table.category == item.category]
    if not any(_day(table, item) for table in tables):
        raise SourceRefused(source.id, f"{item.category}: nothing here fills {item.field}, so nothing ever ends")
    while True:
        deleted, left = 0, 0
        for table in tables:
            reading = Reading(under.subject, live.types)
            if due := _due(source, table, item, reading):
                deleted += await _delete(connection, source, live, reading, table, due)
                left += await _count(connection, live, under, table)
        # What has no day, not even that of what it belongs to, goes with the last of its category.
        for table in tables if not left else ():
            reading = Reading(under.subject, live.types)
            if not _due(source, table, item, reading):
                deleted += await _delete(connection, source, live, Reading(under.subject, live.types), table, "true")
        if not deleted:
            return


def _due(source: PostgresSource, table: Table, item: Held, reading: Reading) -> str:
    """Return the condition that the day of a row of `t`, or of what it belongs to, has come; "" when it has none."""
    if day := _day(table, item):
        return f"t.{column(day)}::date < {reading.add(item.before)}::date"
    for join in table.subject.via[:1]:
        for parent in source.tables:
            if parent.name == join.table and parent.category == item.category:
                due = _due(source, parent, item, reading)
                found = f"SELECT t.{column(join.key)} FROM {quoted(parent.name)} t WHERE {due}"
                return f"t.{column(join.column)} IN ({found})" if due else ""
    return ""


async def _count(connection: Connection, live: Live, under: Reading, table: Table) -> int:
    """Count the rows of a table that lie under the pseudonym."""
    reading = Reading(under.subject, live.types)
    query = f"SELECT count(*) FROM {quoted(table.name)} t WHERE {owned(table, reading)}"
    return int(await connection.fetchval(query, *reading.values))


def _day(table: Table, item: Held) -> str:
    return next((part.name for part in table.columns if part.target == item.field), "")


async def _delete_shells(
    connection: Connection, source: PostgresSource, live: Live, under: Reading, held: Collection[str]
) -> int:
    """Delete the shells that nothing needs. Returns how many: others may be free only then."""
    deleted = 0
    for table in _others(source, held):
        reading = Reading(under.subject, live.types)
        deleted += await _delete(connection, source, live, reading, table, "true")
    return deleted


async def _delete(
    connection: Connection, source: PostgresSource, live: Live, reading: Reading, table: Table, due: str
) -> int:
    """Delete rows under the pseudonym that are due and that nothing declared refers to. Returns how many."""
    free = " AND ".join(_unneeded(source, live, table)) or "true"
    statement = f"DELETE FROM {quoted(table.name)} t WHERE {owned(table, reading)} AND {due} AND {free}"
    with speaking(source.id, table.name):
        return int((await connection.execute(statement, *reading.values)).rpartition(" ")[2])


def _unneeded(source: PostgresSource, live: Live, table: Table) -> Iterator[str]:
    """Yield the conditions that no row refers to `t`: by a foreign key, or as the way to the person."""
    declared = {one.name: one for one in source.tables}
    needs = {
        (key.child, key.columns, key.referenced)
        for key in live.foreign_keys
        if key.parent == table.name and key.child in declared
    }
    for one in source.tables:
        place = one.name
        for join in one.subject.via:
            needs |= {(place, (join.column,), (join.key,))} if join.table == table.name else set()
            place = join.table
        anchored = one.subject.equals == "account_id" and not one.subject.via and one.name != source.lookup.table
        if anchored and table.name == source.lookup.table:
            needs.add((one.name, (one.subject.column,), (source.lookup.account_id,)))
    for child, here, there in sorted(needs):
        pairs = [f"c.{column(a)} = t.{column(b)}" for a, b in zip(here, there, strict=True)]
        if child == table.name:
            key = live.key(child, declared[child].key)
            pairs.append(
                f"({', '.join(f'c.{column(k)}' for k in key)}) <> ({', '.join(f't.{column(k)}' for k in key)})"
            )
        yield f"NOT EXISTS (SELECT FROM {quoted(child)} c WHERE {' AND '.join(pairs)})"

"""Corrects values in somebody else's PostgreSQL, and sets the flag by which it keeps a person's data out of use.

Always true here: no key, no reference and nobody else's row is ever changed; what the server says of a value that does
not fit is told without the value.
"""
# ruff: noqa: S608  Building SQL is what this file is for: every name is quoted and every value is an argument.

from collections.abc import Iterator

from portal.errors import SourceRefused, SourceUnsupported
from portal.policy.model import Flag, PostgresSource, Subject, Table
from portal.sources.base import Correction, Identifiers
from portal.sources.catalogue import Connection
from portal.sources.postgres_empty import TEXTS
from portal.sources.postgres_live import Live, read_live
from portal.sources.postgres_session import speaking, writing
from portal.sources.postgres_sql import Reading, column, owned, quoted

type Place = tuple[Table, str]
"""A table, and the column in it that is to hold the value."""


async def rectify(source: PostgresSource, dsn: str, subject: Identifiers, correction: Correction) -> int:
    """Write the value wherever it fills the field; an address also where rows are found by it.

    Returns how many rows of the person hold it now; rows that are only found by an address do not count. Idempotent.

    Raises:
        SourceUnsupported: nothing here fills the field, or it is what rows are found by.
        SourceRefused: the value does not fit its column.
    """
    async with writing(source.id, dsn) as connection:
        live = await read_live(connection, [table.name for table in source.tables])
        places = list(_places(source, correction))
        if not places:
            raise SourceUnsupported(source.id, f"nothing here fills {correction.category}.{correction.field}")
        for table, name in places:
            _refuse_keys(source, live, table, name)
        total = 0
        for table, name in places:
            if (table.name, name) == (source.lookup.table, source.lookup.email):
                await _readdress(connection, source, live, subject, correction)
            total += await _write(connection, source, live, subject, correction, (table, name))
    return total


def _places(source: PostgresSource, correction: Correction) -> Iterator[Place]:
    """Yield where the field is filled; the table of the accounts last, because others may be found through it."""
    found = [
        (table, part.name)
        for table in source.tables
        for part in table.columns
        if table.category == correction.category
        and part.target == correction.field
        and not _is_link(source, table, part.name)
    ]
    yield from sorted(found, key=lambda place: place[0].name == source.lookup.table)


def _is_link(source: PostgresSource, table: Table, name: str) -> bool:
    """Return whether rows of a table that is not the accounts' own are found by this address."""
    own = table.name == source.lookup.table
    return not own and not table.subject.via and table.subject.equals == "email" and table.subject.column == name


def _refuse_keys(source: PostgresSource, live: Live, table: Table, name: str) -> None:
    place = f"{table.name}.{name}"
    here = live.columns.get(table.name, {}).get(name)
    if here is None:
        raise SourceRefused(source.id, f"{place} does not exist")
    pointing = {part for key in live.foreign_keys if key.child == table.name for part in key.columns}
    linking = {table.subject.column, *(join.column for join in table.subject.via)}
    lookup = source.lookup
    own = {lookup.account_id, lookup.stripe_customer} if table.name == lookup.table else set()
    if table.name == lookup.table and name == lookup.email:
        linking.discard(name)
    if here.key or here.computed or name in pointing | linking | own:
        raise SourceUnsupported(source.id, f"{place} is what rows are found by; it is not a value to correct")


async def _write(
    connection: Connection,
    source: PostgresSource,
    live: Live,
    subject: Identifiers,
    correction: Correction,
    place: Place,
) -> int:
    """Write one column of the person's rows. Returns how many."""
    table, name = place
    reading = Reading(subject, live.types)
    given = _given(live, table.name, name, reading, correction.value)
    statement = f"UPDATE {quoted(table.name)} t SET {column(name)} = {given} WHERE {_which(table, correction, reading)}"
    with speaking(source.id, f"{table.name}.{name}"):
        return _number(await connection.execute(statement, *reading.values))


async def _readdress(
    connection: Connection, source: PostgresSource, live: Live, subject: Identifiers, correction: Correction
) -> None:
    """Write a new address also where rows are found by the old one."""
    lookup = source.lookup
    table = next(table for table in source.tables if table.name == lookup.table)
    reading = Reading(subject, live.types)
    rows = await connection.fetch(
        f"SELECT t.{column(lookup.email)}::text FROM {quoted(lookup.table)} t"
        f" WHERE {_which(table, correction, reading)} FOR UPDATE",
        *reading.values,
    )
    before = Identifiers(emails=frozenset(row[0] for row in rows if row[0]))
    for name, part in sorted(_links(source)):
        reading = Reading(before, live.types)
        found = owned(Table(name=name, category="", kind="", columns=(), subject=_by_email(part)), reading)
        given = _given(live, name, part, reading, correction.value)
        with speaking(source.id, f"{name}.{part}"):
            statement = f"UPDATE {quoted(name)} t SET {column(part)} = {given} WHERE {found}"
            await connection.execute(statement, *reading.values)


def _links(source: PostgresSource) -> set[tuple[str, str]]:
    """Return the (table, column) pairs by whose address rows are found, but for that of the accounts."""
    lookup = source.lookup
    ends = {
        (table.subject.via[-1].table if table.subject.via else table.name, table.subject.column)
        for table in source.tables
        if table.subject.equals == "email"
    }
    return ends - {(lookup.table, lookup.email)}


def _by_email(name: str) -> Subject:
    return Subject(column=name, equals="email")


def _which(table: Table, correction: Correction, reading: Reading) -> str:
    """Return the condition that a row of `t` is the person's, and the one that was named."""
    condition = owned(table, reading)
    if not correction.record:
        return condition
    return f"{condition} AND t.{column(table.key)}::text = {reading.add(correction.record)}::text"


def _given(live: Live, table: str, name: str, reading: Reading, value: str) -> str:
    """Return the value as the column's type. An empty text empties a column that may be empty and is no text."""
    here = live.columns[table][name]
    place = f"{reading.add(value)}::text"
    return f"{place}::{here.written}" if value or here.kind in TEXTS else "NULL"


async def set_flag(source: PostgresSource, dsn: str, subject: Identifiers, *, on: bool) -> None:
    """Set the platform's own column for the person. Idempotent."""
    flag, table = _flag(source)
    async with writing(source.id, dsn) as connection:
        live = await read_live(connection, [table.name for table in source.tables])
        reading = Reading(subject, live.types)
        found = owned(table, reading)
        given = _given(live, flag.table, flag.column, reading, flag.on if on else flag.off)
        statement = f"UPDATE {quoted(flag.table)} t SET {column(flag.column)} = {given} WHERE {found}"
        with speaking(source.id, f"{flag.table}.{flag.column}"):
            await connection.execute(statement, *reading.values)


async def assert_flag(connection: Connection, source: PostgresSource, reading: Reading, *, on: bool) -> None:
    """Read the flag back.

    Raises:
        SourceRefused: some row does not hold what was set.
    """
    flag, table = _flag(source)
    kind = reading.type(flag.table, flag.column)
    wanted = reading.add(flag.on if on else flag.off)
    cast = "" if kind == "enum" else f"::{kind}::text"
    different = await connection.fetchval(
        f"SELECT count(*) FROM {quoted(flag.table)} t WHERE {owned(table, reading)}"
        f" AND t.{column(flag.column)}::text IS DISTINCT FROM {wanted}::text{cast}",
        *reading.values,
    )
    if different:
        raise SourceRefused(source.id, f"{flag.table}.{flag.column}: the platform did not keep what was set")


def _flag(source: PostgresSource) -> tuple[Flag, Table]:
    flag = source.restrict
    tables = [table for table in source.tables if flag and table.name == flag.table]
    if flag is None or not tables:
        raise SourceUnsupported(source.id, "the policy names no column that keeps data out of use")
    return flag, tables[0]


def _number(tag: str) -> int:
    return int(tag.rpartition(" ")[2])

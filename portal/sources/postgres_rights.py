"""Before anybody asks: can the writing role erase, can the scanning role see, and can every column be emptied?

Always true here: catalogues only, never a row of anybody's, and nothing is written. What an erasure would meet on its
day, `habeas check` names today.
"""
# ruff: noqa: S608  Building SQL is what this file is for: every name is quoted and every value is an argument.

from collections.abc import AsyncIterator, Iterator, Sequence
from uuid import UUID

import asyncpg

from portal.errors import SourceError, SourceRefused
from portal.policy.model import PostgresSource
from portal.sources import postgres_search
from portal.sources.base import Erasing, Fault, Identifiers
from portal.sources.catalogue import Connection, read_oids, read_tables
from portal.sources.postgres_empty import emptied
from portal.sources.postgres_erase_sql import Accounts, Work, emptied_part, stand_in
from portal.sources.postgres_live import Live, LiveColumn, read_live
from portal.sources.postgres_plan import Plan, draw
from portal.sources.postgres_session import SCANNING, SESSION, connected
from portal.sources.postgres_sql import column, quoted

NOBODY = UUID(int=0)


async def check_writer(source: PostgresSource, dsn: str, erasures: Sequence[Erasing]) -> list[Fault]:
    """Return what would stop an erasure or a correction here. `erasures` is what a whole one asks for."""
    if not dsn:
        remedy = "To have it done: make a role that may write the declared tables, and set write_url_variable."
        return [
            _fault(source, "write_url_variable", "erasing and correcting here is a task for a person", remedy, False)
        ]
    try:
        async with connected(source.id, dsn, SESSION) as connection:
            live = await read_live(connection, [table.name for table in source.tables])
            rights = [fault async for fault in _rights(connection, source)]
            refusing = list(_refusing(source, live))
            columns = [*_missing(source, live), *[f async for f in _columns(connection, source, live, erasures)]]
            return [*rights, *refusing, *columns]
    except SourceError as error:
        remedy = f"See that {source.write_url_variable} is right and that the server answers from here."
        return [_fault(source, "writing role", str(error), remedy)]


async def check_scanner(source: PostgresSource, dsn: str) -> list[Fault]:
    """Return where the search after an erasure would be blind, and what its role may do beyond looking."""
    if not dsn:
        remedy = "Make a role with pg_read_all_data and nothing else, and set scan_url_variable."
        return [_fault(source, "scan_url_variable", "nobody can search here after an erasure", remedy, False)]
    try:
        async with connected(source.id, dsn, SCANNING) as connection:
            blind = await postgres_search.blind(connection)
            writable = [table.name for table in await read_tables(connection) if table.writable]
    except SourceError as error:
        remedy = f"See that {source.scan_url_variable} is right and that the server answers from here."
        return [_fault(source, "scanning role", str(error), remedy)]
    faults = [
        _fault(source, place, "the search after an erasure could not look here", "Grant pg_read_all_data to the role.")
        for place in blind
    ]
    if writable:
        what, remedy = f"the scanning role may change {', '.join(writable[:5])}", "Let it read and nothing else."
        faults.append(_fault(source, "scanning role", what, remedy))
    return faults


def _fault(source: PostgresSource, place: str, what: str, remedy: str, error: bool = True) -> Fault:  # noqa: FBT001, FBT002
    return Fault(source=source.id, place=place, what=what, remedy=remedy, severity="error" if error else "warning")


async def _rights(connection: Connection, source: PostgresSource) -> AsyncIterator[Fault]:
    """Yield each right that the writing role lacks, and each that it does not need."""
    declared = [table.name for table in source.tables]
    rows = await connection.fetch(
        "SELECT name, want FROM unnest($1::text[], $2::text[]) AS w(name, place),"
        " unnest(ARRAY['SELECT', 'UPDATE', 'DELETE', 'INSERT']) want"
        " WHERE NOT has_table_privilege(to_regclass(place)::oid, want) AND (want <> 'INSERT' OR name = $3)",
        declared, [quoted(name) for name in declared], source.lookup.table,
    )  # fmt: skip
    for row in rows:
        name, want = row["name"], row["want"]
        yield _fault(source, name, f"the writing role may not {want} here", f"GRANT {want} ON {name} to it.")
    if not await connection.fetchval("SELECT has_database_privilege(current_database(), 'TEMP')"):
        yield _fault(
            source, "writing role", "it may make no temporary tables", "GRANT TEMPORARY ON the database to it."
        )
    known = set((await read_oids(connection, declared)).values())
    for table in await read_tables(connection):
        if table.writable and table.oid not in known:
            what = "the writing role may change this table, and it is not declared"
            yield _fault(source, table.name, what, "Take the right away, or declare what the table holds.")
        if table.hidden_rows and table.oid in known:
            what = "row-level security would hide rows from the writing role"
            yield _fault(source, table.name, what, "Give the role a policy that shows every row, and BYPASSRLS.")


def _refusing(source: PostgresSource, live: Live) -> Iterator[Fault]:
    """Yield the undeclared tables that would refuse to let go of a row."""
    declared = {table.name for table in source.tables}
    for key in live.foreign_keys:
        if key.parent in declared and key.child not in declared and key.on_delete in {"a", "r"}:
            what = f"rows here stop every erasure of the rows of {key.parent} that they refer to ({key.name})"
            remedy = "Declare the table, or let the constraint SET NULL or CASCADE."
            yield _fault(source, key.child, what, remedy, False)


def _missing(source: PostgresSource, live: Live) -> Iterator[Fault]:
    """Yield the columns that only erasing and restricting use and that do not exist."""
    used = [(table.name, name) for table in source.tables for name in table.anonymise]
    used += [(source.restrict.table, source.restrict.column)] if source.restrict else []
    for table, name in used:
        if table in live.columns and name not in live.columns[table]:
            what = "the policy names this column, and it does not exist"
            yield _fault(source, f"{table}.{name}", what, "Correct its name, or take it out of the policy file.")


async def _columns(
    connection: Connection, source: PostgresSource, live: Live, erasures: Sequence[Erasing]
) -> AsyncIterator[Fault]:
    """Yield the columns that an erasure could not empty: by their type, or by a rule of the platform's own."""
    try:
        plan = draw(source, erasures, live)
    except SourceRefused as error:
        yield _fault(source, "erasing", str(error), "Declare the table.")
        return
    shells = {edge.parent for edge in plan.edges if edge.hard}
    for name, part in plan.parts.items():
        if part.fate in {"keep", "anonymise"} or (part.fate == "erase" and name in shells):
            for here in live.columns[name].values():
                try:
                    value = emptied_part(plan, part, here) if name != plan.lookup else None
                except SourceRefused as error:
                    yield _fault(source, f"{name}.{here.name}", str(error), "Do so before somebody asks to be erased.")
                    continue
                if value and not await _allowed(connection, name, here, value):
                    remedy = "Allow it to be empty, or name a text for it in anonymise."
                    yield _fault(source, f"{name}.{here.name}", "a rule of the table forbids to empty it", remedy)
    if plan.whole:
        async for fault in _account(connection, plan):
            yield fault


async def _account(connection: Connection, plan: Plan) -> AsyncIterator[Fault]:
    """Yield what stops an account from standing in for another."""
    nobody = Identifiers()
    work = Work(plan=plan, subject=nobody, pseudonym=NOBODY, nobody=NOBODY, stays={}, accounts=Accounts())
    try:
        stand_in(work, id="", email="", old=None)
    except SourceRefused as error:
        yield _fault(plan.spec, plan.lookup, str(error), "Do so before somebody asks to be erased.")
        return
    lookup, table = plan.spec.lookup, plan.parts[plan.lookup].table
    for here in plan.live.columns[plan.lookup].values():
        if here.computed or here.name in {lookup.account_id, lookup.email, lookup.stripe_customer}:
            continue
        value = emptied(here, table.anonymise.get(here.name, ""))
        if value and not await _allowed(connection, plan.lookup, here, value):
            remedy = "Allow it to be empty, or name a text for it in anonymise."
            yield _fault(plan.spec, f"{plan.lookup}.{here.name}", "a rule of the table forbids to empty it", remedy)


async def _allowed(connection: Connection, table: str, here: LiveColumn, value: str) -> bool:
    """Return whether the rules that look at this column alone, and those of its domain, let a value pass."""
    if value in {"NULL", "DEFAULT"}:
        return True
    rows = await connection.fetch(
        "SELECT pg_get_expr(c.conbin, c.conrelid) AS rule FROM pg_constraint c JOIN pg_attribute a"
        " ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]"
        " WHERE c.contype = 'c' AND c.conrelid = to_regclass($1)::oid AND a.attname = $2",
        quoted(table), here.name,
    )  # fmt: skip
    rules = " AND ".join(
        [f"t.{column(here.name)}::text IS NOT NULL", *(f"({row['rule']}) IS NOT FALSE" for row in rows)]
    )
    given = f"SELECT {value}::{here.domain or here.written} AS {column(here.name)}"
    try:
        return bool(await connection.fetchval(f"SELECT {rules} FROM ({given}) AS t"))
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
        return False

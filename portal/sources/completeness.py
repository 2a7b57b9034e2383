"""Compare a live PostgreSQL with the policy file: nothing forgotten, nothing invented, no needless right, no slow key.

Always true here: a column is collected or left out with a reason, a table is declared or ignored with a reason;
anything else is a fault with a remedy, so that a schema that grows cannot outgrow what people are told.
"""

from collections.abc import Iterator, Mapping

import msgspec

from portal.policy.model import PostgresSource
from portal.sources.base import Fault
from portal.sources.catalogue import Connection, LiveTable, read_denied, read_oids, read_tables, read_types
from portal.sources.postgres_sql import Types


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the catalogue found. `oids` are those of the tables that the policy names."""

    oids: Mapping[str, int]
    types: Types
    tables: tuple[LiveTable, ...]
    denied: tuple[tuple[str, str], ...]


async def check(connection: Connection, spec: PostgresSource) -> list[Fault]:
    """Return everything that is wrong between `spec` and the live schema."""
    live = await _look(connection, spec)
    return [*_tables(spec, live), *_columns(spec, live), *_rights(spec, live)]


async def _look(connection: Connection, spec: PostgresSource) -> Live:
    used = _used_columns(spec)
    types = await read_types(connection, used)
    wanted = {table: names & types[table].keys() for table, names in used.items() if table in types}
    return Live(
        oids=await read_oids(connection, [*used, *spec.ignored_tables]),
        types=types,
        tables=tuple(await read_tables(connection)),
        denied=tuple(await read_denied(connection, wanted)),
    )


def _used_columns(spec: PostgresSource) -> dict[str, set[str]]:
    """Return the columns that reading needs, table by table: collected, keys, joins, the lookup's, the flag."""
    lookup = spec.lookup
    used = {
        lookup.table: {lookup.email, lookup.account_id, lookup.stripe_customer, lookup.display_name, lookup.language}
    }
    for table in spec.tables:
        here = used.setdefault(table.name, set())
        here |= {part.name for part in table.columns} | {table.key, table.newest}
        place = table.name
        for join in table.subject.via:
            used[place].add(join.column)
            used.setdefault(join.table, set()).add(join.key)
            place = join.table
        used[place].add(table.subject.column)
    if spec.restrict:
        used.setdefault(spec.restrict.table, set()).add(spec.restrict.column)
    return {table: names - {""} for table, names in used.items()}


def _tables(spec: PostgresSource, live: Live) -> Iterator[Fault]:
    known = set(live.oids.values())
    for table in live.tables:
        if table.oid not in known:
            yield Fault(
                source=spec.id, place=table.name, what="this table is neither declared nor ignored",
                remedy="Declare what it holds about people, or name it in ignored_tables with the reason.",
            )  # fmt: skip
    for name in dict.fromkeys([*_used_columns(spec), *spec.ignored_tables]):
        if name not in live.oids:
            yield Fault(
                source=spec.id, place=name, what="the policy names this table, and it does not exist",
                remedy="Correct its name, or take it out of the policy file.",
            )  # fmt: skip
    for name in sorted({table.name for table in spec.tables} & spec.ignored_tables.keys()):
        yield Fault(
            source=spec.id, place=name, what="this table is both declared and ignored",
            remedy="Take it out of ignored_tables.",
        )  # fmt: skip


def _columns(spec: PostgresSource, live: Live) -> Iterator[Fault]:
    collected, left_out = _decided(spec)
    for name in collected:
        for forgotten in live.types.get(name, {}).keys() - collected[name] - left_out[name].keys():
            yield Fault(
                source=spec.id, place=f"{name}.{forgotten}", what="this column is neither collected nor left out",
                remedy="Collect it into a field, or name it in leave_out with the reason.",
            )  # fmt: skip
        for unexplained in (part for part, why in left_out[name].items() if not why.strip()):
            yield Fault(
                source=spec.id, place=f"{name}.{unexplained}", what="this column is left out without a reason",
                remedy="Write the reason beside it in leave_out.",
            )  # fmt: skip
    for name, used in _used_columns(spec).items():
        for absent in (used | left_out.get(name, {}).keys()) - live.types.get(name, {}).keys():
            if name in live.oids:
                yield Fault(
                    source=spec.id, place=f"{name}.{absent}",
                    what="the policy names this column, and it does not exist",
                    remedy="Correct its name, or take it out of the policy file.",
                )  # fmt: skip


def _decided(spec: PostgresSource) -> tuple[Mapping[str, set[str]], Mapping[str, dict[str, str]]]:
    """Return what is collected and what is left out. A table may be declared more than once, for several categories."""
    collected: dict[str, set[str]] = {}
    left_out: dict[str, dict[str, str]] = {}
    for table in spec.tables:
        collected.setdefault(table.name, set()).update(part.name for part in table.columns)
        left_out.setdefault(table.name, {}).update(table.leave_out)
    return collected, left_out


def _rights(spec: PostgresSource, live: Live) -> Iterator[Fault]:
    writable = [table.name for table in live.tables if table.writable]
    if writable:
        yield Fault(
            source=spec.id, place="role", what=f"our role may change {_some(writable)}",
            remedy="Give it a role of its own with SELECT on the declared columns and nothing else.",
        )  # fmt: skip
    named = set(live.oids.values())
    for hidden in (table.name for table in live.tables if table.hidden_rows and table.oid in named):
        yield Fault(
            source=spec.id, place=hidden, what="row-level security would hide rows from our role",
            remedy="Give the role a policy that shows every row, and BYPASSRLS.",
        )  # fmt: skip
    for table, part in live.denied:
        yield Fault(
            source=spec.id, place=f"{table}.{part}", what="our role may not read this column",
            remedy=f"GRANT SELECT ({part}) ON {table} to it.",
        )  # fmt: skip


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

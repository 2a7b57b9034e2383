"""The SQL that takes a person out of somebody else's schema, set by set; text in, text out, no connection.

Always true here: every statement finds its rows by the person's own identifiers, or by the keys of rows that were
found so; nothing is done row by row.
"""
# ruff: noqa: S608  Building SQL is what this file is for: every name is quoted and every value is an argument.

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

import msgspec

from portal.errors import SourceRefused
from portal.sources.base import Identifiers
from portal.sources.postgres_empty import address, emptied
from portal.sources.postgres_live import LiveColumn
from portal.sources.postgres_plan import Edge, Part, Plan
from portal.sources.postgres_sql import Reading, column, owned, quoted


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """Which account stands in for which: `new` for `old`, `emails` are the old ones in lower case, same order."""

    old: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    nobody: str = ""
    """An account that no pseudonym leads to, for rows that are to be nobody's."""


class Work(msgspec.Struct, kw_only=True):
    """One erasure under way."""

    plan: Plan
    subject: Identifiers
    pseudonym: UUID
    nobody: UUID
    """Stands where a row that is to be nobody's must name somebody."""
    stays: dict[str, str]
    """Table -> temporary table with the keys of the person's rows that must stay, as shells."""
    accounts: Accounts

    def reading(self) -> Reading:
        """Start a statement."""
        return Reading(self.subject, self.plan.live.types)

    def key(self, name: str) -> tuple[str, ...]:
        """Return the columns that tell the rows of a table apart."""
        return self.plan.live.key(name, self.plan.parts[name].table.key)


def names(columns: Sequence[str], alias: str = "t") -> str:
    """Return columns as a row: `(t."a", t."b")`."""
    return f"({', '.join(f'{alias}.{column(name)}' for name in columns)})"


def mine(part: Part, reading: Reading) -> str:
    """Return the condition that a row of `t` is the person's."""
    return "(" + " OR ".join(owned(table, reading) for table in part.tables) + ")"


def staying(work: Work, name: str) -> str:
    """Return the condition that a row of `t` stays as a shell."""
    if name not in work.stays:
        return "false"
    key = work.key(name)
    return f"{names(key)} IN (SELECT {', '.join(f's.{column(part)}' for part in key)} FROM {work.stays[name]} s)"


def going(work: Work, name: str, reading: Reading) -> str:
    """Return the condition that a row of `t` goes."""
    condition = mine(work.plan.parts[name], reading)
    return f"{condition} AND NOT {staying(work, name)}" if name in work.stays else condition


def surviving(work: Work, edge: Edge, reading: Reading) -> str:
    """Return the condition that a row of `t`, the child, stays where it is and so needs its parent."""
    part = work.plan.parts[edge.child]
    if edge.mine or part.fate == "follow":
        return staying(work, edge.child) if part.goes else mine(part, reading)
    return f"({going(work, edge.child, reading)}) IS NOT TRUE" if part.goes else "true"


def parents(work: Work, edge: Edge, reading: Reading) -> str:
    """Return the condition that a row of `t` needs a parent that goes."""
    chosen = ", ".join(f"t.{column(name)}" for name in edge.referenced)
    found = f"SELECT {chosen} FROM {quoted(edge.parent)} t WHERE {going(work, edge.parent, reading)}"
    return f"{names(edge.columns)} IN ({found})"


def needed(work: Work, edge: Edge, reading: Reading) -> str:
    """Return the query for rows of the child that stay and need a parent that goes."""
    return (
        f"SELECT FROM {quoted(edge.child)} t WHERE {parents(work, edge, reading)} AND {surviving(work, edge, reading)}"
    )


def keep_parents(work: Work, edge: Edge, reading: Reading) -> str:
    """Return the statement that adds to the rows that stay those that `edge` needs."""
    key = ", ".join(f"t.{column(name)}" for name in work.key(edge.parent))
    chosen = ", ".join(f"t.{column(name)}" for name in edge.columns)
    children = f"SELECT {chosen} FROM {quoted(edge.child)} t WHERE {surviving(work, edge, reading)}"
    return (
        f"INSERT INTO {work.stays[edge.parent]} SELECT {key} FROM {quoted(edge.parent)} t"
        f" WHERE {going(work, edge.parent, reading)} AND {names(edge.referenced)} IN ({children})"
    )


def cut(work: Work, edge: Edge, reading: Reading) -> str:
    """Return the statement that empties the references of rows that stay to rows that go."""
    live, part = work.plan.live, work.plan.parts[edge.child]
    loose = [name for name in edge.columns if live.nullable(edge.child, [name])]
    emptied_anyway = (
        part.fate == "keep"
        and not edge.cascades
        and all(emptied_part(work.plan, part, live.columns[edge.child][name]) == "NULL" for name in loose)
    )
    others = f" AND {mine(part, reading)} IS NOT TRUE" if emptied_anyway else ""
    return (
        f"UPDATE {quoted(edge.child)} t SET {', '.join(f'{column(name)} = NULL' for name in loose)}"
        f" WHERE {parents(work, edge, reading)} AND {surviving(work, edge, reading)}{others}"
    )


def point_anew(work: Work, edge: Edge, reading: Reading) -> str:
    """Return the statement by which rows that stay name the account that stands in for the person's."""
    lookup = work.plan.spec.lookup
    id, old, new = column(lookup.account_id), reading.add(list(work.accounts.old)), reading.add(list(work.accounts.new))
    pairs = list(zip(edge.columns, edge.referenced, strict=True))
    change = ", ".join(f"{column(here)} = n.{column(there)}" for here, there in pairs)
    meets = " AND ".join(f"t.{column(here)} = o.{column(there)}" for here, there in pairs)
    own = f" AND {mine(work.plan.parts[edge.child], reading)}" if edge.mine else ""
    table = quoted(work.plan.lookup)
    return (
        f"UPDATE {quoted(edge.child)} t SET {change} FROM unnest({old}::text[], {new}::text[]) AS s(old, new)"
        f" JOIN {table} o ON o.{id}::text = s.old JOIN {table} n ON n.{id}::text = s.new WHERE {meets}{own}"
    )


def delete(work: Work, name: str, reading: Reading) -> str:
    """Return the statement that deletes what goes."""
    return f"DELETE FROM {quoted(name)} t WHERE {going(work, name, reading)}"


def blank(work: Work, name: str, reading: Reading) -> str:
    """Return the statement that empties what is kept or made anonymous; "" when nothing changes."""
    changes = list(_changes(work, work.plan.parts[name], reading))
    if not changes:
        return ""
    return f"UPDATE {quoted(name)} t SET {', '.join(changes)} WHERE {mine(work.plan.parts[name], reading)}"


def hollow(work: Work, name: str, reading: Reading) -> str:
    """Return the statement that makes empty shells of the rows that must stay; "" when nothing changes."""
    changes = list(_changes(work, work.plan.parts[name], reading))
    return f"UPDATE {quoted(name)} t SET {', '.join(changes)} WHERE {staying(work, name)}" if changes else ""


def _changes(work: Work, part: Part, reading: Reading) -> Iterator[str]:
    """Yield what is set in rows of the person that stay: emptied columns, and whose they are from now on."""
    table = part.table
    for name, here in work.plan.live.columns[table.name].items():
        value = emptied_part(work.plan, part, here)
        if value is not None:
            yield f"{column(name)} = {value}"
    if not table.subject.via and (work.plan.whole or part.fate == "anonymise") and table.name != work.plan.lookup:
        yield f"{column(table.subject.column)} = {_owner(work, part, reading)}"


def emptied_part(plan: Plan, part: Part, here: LiveColumn) -> str | None:
    """Return what a column of a row that stays is set to, None when it stays as it is.

    Raises:
        SourceRefused: it holds a value that must go and cannot be emptied.
    """
    table = part.table
    if here.computed or here.name in untouched(plan, part):
        return None
    instead = table.anonymise.get(here.name, "")
    if part.fate == "anonymise":
        if here.name not in table.anonymise:
            return None
    elif here.name in {one.name for one in table.columns if one.target in part.minimum}:
        return None
    if not here.nullable and not instead and _refers(plan, table.name, here.name):
        if part.goes or here.name not in {one.name for one in table.columns}:
            return None
        raise SourceRefused(plan.spec.id, f"{table.name}.{here.name}: must name a row of another table. {REMEDY}")
    value = emptied(here, instead)
    if value is None:
        raise SourceRefused(plan.spec.id, f"{table.name}.{here.name}: a {here.kind} cannot be emptied. {REMEDY}")
    return value


REMEDY = "Allow it to be empty, keep its field in the category's minimum, or name a text for it in anonymise."


def untouched(plan: Plan, part: Part) -> set[str]:
    """Return the columns that tell rows apart or join them; they hold no value of their own."""
    table = part.table
    key = set(plan.live.key(table.name, table.key))
    joined = {key_.columns for key_ in plan.edges if key_.child == table.name and key_.mine}
    pointed = {name for key_ in plan.live.foreign_keys if key_.parent == table.name for name in key_.referenced}
    link = {table.subject.via[0].column if table.subject.via else table.subject.column}
    return key | link | pointed | {name for columns in joined for name in columns}


def _refers(plan: Plan, table: str, name: str) -> bool:
    return any(key.child == table and name in key.columns for key in plan.live.foreign_keys)


def _owner(work: Work, part: Part, reading: Reading) -> str:
    """Return the expression for whose a row is from now on."""
    table, accounts = part.table, work.accounts
    link = work.plan.live.columns[table.name][table.subject.column]
    if part.fate == "anonymise" and link.nullable and not link.key:
        return "NULL"
    if table.subject.equals == "stripe_customer":
        return f"{reading.add(str(work.nobody if part.fate == 'anonymise' else work.pseudonym))}::text"
    if table.subject.equals == "email":
        if part.fate == "anonymise":
            return f"{reading.add(address(work.nobody))}::text"
        places = reading.add([address(work.pseudonym, number) for number in range(max(1, len(accounts.emails)))])
        known = reading.add(list(accounts.emails))
        place = f"lower(t.{column(link.name)}::text)"
        return f"({places}::text[])[coalesce(array_position({known}::text[], {place}), 1)]"
    if part.fate == "anonymise":
        return f"({reading.add([accounts.nobody] if accounts.nobody else [])}::text[]::{link.kind}[])[1]"
    old, new = (f"{reading.add(list(ids))}::text[]::{link.kind}[]" for ids in (accounts.old, accounts.new))
    return f"({new})[array_position({old}, t.{column(link.name)})]"


def stand_in(work: Work, *, id: str, email: str, old: str | None) -> tuple[str, list[object]]:
    """Return the statement that adds the account that stands in for another, and its arguments.

    It holds what the account's own fate leaves, its new id and address, and what other tables' keys ask of it.
    """
    plan, reading = work.plan, work.reading()
    lookup, part = plan.spec.lookup, plan.parts[plan.lookup]
    kind = plan.live.columns[plan.lookup][lookup.account_id].kind
    values: dict[str, str] = {}
    for name, here in plan.live.columns[plan.lookup].items():
        if name == lookup.account_id:
            values[name] = f"{reading.add(id)}::text::{kind}" if id else "DEFAULT"
        elif name == lookup.email:
            values[name] = f"{reading.add(email)}::text"
        elif name == lookup.stripe_customer:
            values[name] = "NULL" if here.nullable else f"{reading.add(str(work.pseudonym))}::text"
        elif not here.computed:
            values[name] = _of_stand_in(plan, part, here)
    given = {name: value for name, value in values.items() if value not in {"DEFAULT", "NULL"}}
    where = f"FROM {quoted(plan.lookup)} t WHERE t.{column(lookup.account_id)}::text = {reading.add(old)}::text"
    statement = (
        f"INSERT INTO {quoted(plan.lookup)} ({', '.join(map(column, given))})"
        f" SELECT {', '.join(given.values())} {where if old else ''} RETURNING {column(lookup.account_id)}::text"
    )
    return statement, reading.values if old else reading.values[:-1]


def _of_stand_in(plan: Plan, part: Part, here: LiveColumn) -> str:
    kept = {one.name for one in part.table.columns if one.target in part.minimum} if part.fate == "keep" else set()
    several = [key for key in plan.live.foreign_keys if key.parent == plan.lookup and len(key.referenced) > 1]
    pointed = {name for key in several for name in key.referenced}
    asked = not here.nullable and _refers(plan, plan.lookup, here.name)
    copied = part.fate == "anonymise" and here.name not in part.table.anonymise
    if here.name in kept or copied or asked or here.name in pointed:
        return f"t.{column(here.name)}"
    value = emptied(here, part.table.anonymise.get(here.name, ""))
    if value is None:
        raise SourceRefused(plan.spec.id, f"{plan.lookup}.{here.name}: a {here.kind} cannot be emptied. {REMEDY}")
    return value


def together(statements: Mapping[str, str]) -> str:
    """Return one statement that does several on the same moment; each column is how many rows it touched."""
    parts = ", ".join(f"{name} AS ({statement} RETURNING 1)" for name, statement in statements.items())
    return f"WITH {parts} SELECT {', '.join(f'(SELECT count(*) FROM {name}) AS {name}' for name in statements)}"

"""The SQL that reads one person's rows out of somebody else's schema; text in, text out, no connection.

Always true here: only columns that the policy names appear, every name is quoted, every value is an argument, and
one row becomes one line of JSON inside the database, the same for pages and for copies.
"""
# ruff: noqa: S608  Building SQL is what this file is for: every name is quoted and every value is an argument.

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from portal.policy.model import Lookup, Subject, Table
from portal.sources.base import Identifiers

type Types = Mapping[str, Mapping[str, str]]
"""Table -> column -> the name of its type, domains resolved; `enum` for every enum."""

SAFE_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exact. Source: RFC 8259 section 6."""

WHOLE = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
TEMPORAL = {"timestamp with time zone", "timestamp without time zone", "date"}
PLAIN = TEMPORAL - {"timestamp with time zone"} | {
    "boolean", "smallint", "integer", "real", "double precision", "text", "character varying", "bpchar", "citext",
    "uuid", "jsonb", "inet", "cidr", "time without time zone", "time with time zone", "interval", "enum", "text[]",
    "character varying[]", "uuid[]", "integer[]", "smallint[]", "boolean[]",
}  # fmt: skip
"""Types whose value `row_to_json` already writes exactly and on one line."""


class Reading:
    """One statement about one person: who they are, the live schema, and the arguments in their order.

    `fold` compares addresses without regard to case; without it they are compared as they are, so that a plain
    index serves (our own tables hold normalised addresses only).
    """

    def __init__(self, subject: Identifiers, types: Types, *, fold: bool = True) -> None:
        self.subject = subject
        self.types = types
        self.fold = fold
        self.values: list[object] = []

    def type(self, table: str, name: str) -> str:
        """Return the type of a live column."""
        return self.types.get(table, {}).get(name, "text")

    def add(self, value: object) -> str:
        """Add a value and return its place in the statement."""
        self.values.append(value)
        return f"${len(self.values)}"


def quoted(name: str) -> str:
    """Quote a name; a dot divides schema and table."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def column(name: str) -> str:
    """Quote a column's name, in which a dot is a dot."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text that the policy file gives."""
    return "'" + text.replace("'", "''") + "'"


def exact(value: str, kind: str) -> str:  # noqa: PLR0911  One return per type reads as a table.
    """Return the expression that makes `value` exact in JSON. `docs/sources.md` lists what comes out."""
    match kind:
        case "numeric" | "money":
            return f"{value}::numeric::text"
        case "numeric[]":
            return f"{value}::text[]"
        case "bigint":
            safe = f"{value} BETWEEN -{SAFE_INTEGER} AND {SAFE_INTEGER}"
            return f"CASE WHEN {safe} THEN to_json({value}) ELSE to_json({value}::text) END"
        case "timestamp with time zone":
            return f"replace(to_json({value})::text, '+00:00', 'Z')::json"
        case "bytea":
            return f"translate(encode({value}, 'base64'), E'\\n', '')"
        case _ if kind in PLAIN:
            return value
        case _:  # The type json keeps the line breaks between its tokens, and other types may hold one.
            return f"translate(to_json({value})::text, E'\\r\\n', '  ')::json"


def lines(table: Table, reading: Reading) -> str:
    """Return the query for all rows of a table, one JSON text each, in the order of the key."""
    return (
        f"SELECT row_to_json(r) FROM (SELECT {_fields(table, reading, 't')} FROM {quoted(table.name)} t"
        f" WHERE {owned(table, reading)} ORDER BY t.{column(table.key)}) r"
    )


def totals(tables: Sequence[Table], reading: Reading) -> str:
    """Return the query for (category, number of rows), one row per table."""
    return " UNION ALL ".join(
        f"SELECT {literal(table.category)} AS category, count(*) AS number FROM {quoted(table.name)} t"
        f" WHERE {owned(table, reading)}"
        for table in tables
    )


def newest(tables: Sequence[Table], reading: Reading, *, offset: int, limit: int) -> str:
    """Return the query for the lines of one page, newest first over all tables.

    Tables whose `newest` is no moment come after those where it is, each in its own order.
    """
    upto, first, number = (f"{reading.add(n)}::int8" for n in (offset + limit, offset, limit))
    parts = [_newest_of(table, place, reading, upto) for place, table in enumerate(tables)]
    return (
        f"SELECT line FROM ({' UNION ALL '.join(parts)}) a"
        f" ORDER BY moment DESC NULLS LAST, place, position LIMIT {number} OFFSET {first}"
    )


def accounts(lookup: Lookup, reading: Reading) -> str:
    """Return the query that finds the person's accounts by every spelling of their address."""
    names = (lookup.email, lookup.account_id, lookup.stripe_customer, lookup.display_name, lookup.language)
    wanted = ", ".join(f"t.{column(name)}::text" if name else "''::text" for name in names)
    by_email = Subject(column=lookup.email, equals="email")
    condition = _equals("t", lookup.table, by_email, reading)
    return f"SELECT {wanted} FROM {quoted(lookup.table)} t WHERE {condition} ORDER BY t.{column(lookup.account_id)}"


def owned(table: Table, reading: Reading) -> str:
    """Return the condition that a row of `t` is the person's, following the joins without doubling a row."""
    tables = [table.name, *(join.table for join in table.subject.via)]
    aliases = ["t", *(f"j{number}" for number in range(1, len(tables)))]
    condition = _equals(aliases[-1], tables[-1], table.subject, reading)
    for number in range(len(table.subject.via), 0, -1):
        join = table.subject.via[number - 1]
        condition = (
            f"{aliases[number - 1]}.{column(join.column)} IN (SELECT {aliases[number]}.{column(join.key)}"
            f" FROM {quoted(join.table)} {aliases[number]} WHERE {condition})"
        )
    return condition


def _equals(alias: str, table: str, key: Subject, reading: Reading) -> str:
    """Compare a column with the person's identifiers; those that cannot be of its type are nobody's."""
    kind = reading.type(table, key.column)
    values = sorted(value for value in _identifiers(reading.subject, key.equals) if fits(value, kind))
    place, name = f"{reading.add(values)}::text[]", f"{alias}.{column(key.column)}"
    if key.equals == "email" and reading.fold and kind != "citext":
        # Both sides are folded by the server, so that its collation decides once what the same address is.
        return f"lower({name}) = ANY(ARRAY(SELECT lower(v) FROM unnest({place}) v))"
    return f"{name} = ANY({place}::{kind}[])"


def fits(value: str, kind: str) -> bool:
    """Return whether an identifier can be compared with a column of this type. An empty one never can."""
    if not value or "\0" in value:
        return False
    if kind in WHOLE:
        return bool(re.fullmatch(r"-?[0-9]{1,19}", value)) and -WHOLE[kind] <= int(value) < WHOLE[kind]
    if kind == "uuid":
        try:
            UUID(value)
        except ValueError:
            return False
    return True


def _identifiers(subject: Identifiers, kind: str) -> frozenset[str]:
    return {"email": subject.emails, "account_id": subject.account_ids, "stripe_customer": subject.stripe_customers}[
        kind
    ]


def _fields(table: Table, reading: Reading, alias: str) -> str:
    fields = [f"{literal(table.kind)} AS kind"]
    for part in table.columns:
        value = exact(f"{alias}.{column(part.name)}", reading.type(table.name, part.name))
        fields.append(f"{value} AS {column(part.target)}")
    return ", ".join(fields)


def _newest_of(table: Table, place: int, reading: Reading, upto: str) -> str:
    by, key = table.newest or table.key, table.key
    names = ", ".join(f"t.{column(name)}" for name in dict.fromkeys([*(c.name for c in table.columns), by, key]))
    order = f"{column(by)} DESC NULLS LAST, {column(key)} DESC"
    temporal = reading.type(table.name, by) in TEMPORAL
    moment = f"w.{column(by)}::timestamptz" if temporal else "NULL::timestamptz"
    return (
        f"SELECT (SELECT row_to_json(r)::text FROM (SELECT {_fields(table, reading, 'w')}) r) AS line,"
        f" {moment} AS moment, {place} AS place, row_number() OVER (ORDER BY {order}) AS position"
        f" FROM (SELECT {names} FROM {quoted(table.name)} t WHERE {owned(table, reading)}"
        f" ORDER BY {order} LIMIT {upto}) w"
    )

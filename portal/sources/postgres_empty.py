"""What stands in a column once its value is gone: nothing where the column allows it, else its type's empty value.

Always true here: pure text. `docs/sources.md` lists the empty values; a column that has none is named before anything
is changed.
"""

from uuid import UUID

from portal.sources.postgres_live import LiveColumn
from portal.sources.postgres_sql import literal

TEXTS = {"text", "character varying", "character", "bpchar", "citext", "name"}
EMPTY = {
    **dict.fromkeys(TEXTS | {"xml", "bytea", "tsvector", "hstore"}, ""),
    **dict.fromkeys(("array", "json", "jsonb"), "{}"),
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision", "money", "interval"), "0"),
    **dict.fromkeys(("date", "timestamp with time zone", "timestamp without time zone"), "epoch"),
    "boolean": "false",
    "time without time zone": "00:00",
    "time with time zone": "00:00+00",
    "uuid": str(UUID(int=0)),
    "inet": "0.0.0.0",  # noqa: S104  No address is listened on here.
    "cidr": "0.0.0.0/0",
    "macaddr": "00:00:00:00:00:00",
    "range": "empty",
    "point": "(0,0)",
}
"""Type -> what counts as its empty value."""

SHORTEST = 12
"""So many characters of a random UUID are still never the same twice."""
DOMAIN = "erased.invalid"
"""A name that no mail ever reaches. Source: RFC 2606 section 2."""


def emptied(column: LiveColumn, instead: str = "") -> str | None:
    """Return the expression that empties a column, without the value it has. None when it has no empty value.

    `instead` is the text that the policy puts in its place.
    """
    if instead:
        return literal(instead)
    if column.nullable:
        return "NULL"
    if column.default:
        return "DEFAULT"
    if column.unique:
        return _only(column)
    if column.kind == "enum":
        return literal(column.label)
    return literal(EMPTY[column.kind]) if column.kind in EMPTY else None


def _only(column: LiveColumn) -> str | None:
    """Return an expression that is different in every row, and says nothing."""
    if column.kind == "uuid":
        return "gen_random_uuid()"
    if column.kind in TEXTS and (column.longest is None or column.longest >= SHORTEST):
        return f"left(gen_random_uuid()::text, {column.longest or 36})"
    if column.kind == "enum":
        return literal(column.label)
    return literal(EMPTY["boolean"]) if column.kind == "boolean" else None


def address(pseudonym: UUID, number: int = 0) -> str:
    """Return the address under which kept records lie, one for each account that the person had."""
    return f"{pseudonym}{f'.{number}' if number else ''}@{DOMAIN}"

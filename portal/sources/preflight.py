"""Find every key without an index before a person has to wait for it: a missing one costs a factor of 90 to 400.

Always true here: one look at the catalogue, never at rows, however many tables there are.
Source: facts measured in `docs/performance.md`.
"""

from collections.abc import Iterator

import msgspec

from portal.policy.model import PostgresSource
from portal.sources.base import Fault
from portal.sources.catalogue import Connection, Index, read_indexes, read_oids, read_references, read_types
from portal.sources.postgres_sql import Types


class Key(msgspec.Struct, frozen=True):
    """A column by which people's rows are found. `folded` when it is compared without regard to case."""

    table: str
    column: str
    folded: bool


async def check(connection: Connection, spec: PostgresSource) -> list[Fault]:
    """Return a warning for each key by which we look, and each reference to a declared table, that no index leads with.

    A composite index counts by its leading columns; partial and invalid ones do not count.
    """
    keys = list(dict.fromkeys(_keys(spec)))
    oids = await read_oids(connection, [key.table for key in keys])
    types = await read_types(connection, oids)
    references = await read_references(connection, oids.values())
    indexes = await read_indexes(connection, {*oids.values(), *(reference.child for reference in references)})
    faults = {
        f"{key.table}.{key.column}": _fault(spec, key.table, _wanted(key, types))
        for key in keys
        if key.column in types.get(key.table, {}) and not _served(indexes, oids[key.table], key, types)
    }
    for reference in references:
        if not _leads(indexes, reference.child, reference.columns):
            place = f"{reference.child_name}.{'+'.join(reference.columns)}"
            faults.setdefault(place, _fault(spec, reference.child_name, ", ".join(reference.columns)))
    return list(faults.values())


def _keys(spec: PostgresSource) -> Iterator[Key]:
    yield Key(spec.lookup.table, spec.lookup.email, folded=True)
    for table in spec.tables:
        place = table.name
        for join in table.subject.via:
            yield Key(place, join.column, folded=False)
            place = join.table
        yield Key(place, table.subject.column, folded=table.subject.equals == "email")


def _served(indexes: list[Index], table: int, key: Key, types: Types) -> bool:
    wanted = _bare(_wanted(key, types))
    return any(index.table == table and _bare(index.keys[0]) == wanted for index in indexes)


def _wanted(key: Key, types: Types) -> str:
    """Return what an index must lead with: the column, or the folded column where the type does not fold itself."""
    return f"lower({key.column})" if key.folded and types[key.table][key.column] != "citext" else key.column


def _bare(expression: str) -> str:
    """Reduce `lower(("Mail")::text)` and `lower(Mail)` to the same."""
    return expression.replace("::text", "").translate(str.maketrans("", "", '()" '))


def _leads(indexes: list[Index], table: int, columns: tuple[str, ...]) -> bool:
    wanted = set(columns)
    return any(index.table == table and set(index.keys[: len(columns)]) == wanted for index in indexes)


def _fault(spec: PostgresSource, table: str, wanted: str) -> Fault:
    return Fault(
        source=spec.id, place=f"{table}.{wanted}", what="no index leads with this: each look reads the whole table",
        remedy=f"CREATE INDEX CONCURRENTLY ON {table} ({wanted});", severity="warning",
    )  # fmt: skip

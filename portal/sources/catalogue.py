"""What a live PostgreSQL says about itself: columns, rights and indexes, read from its catalogue.

Always true here: catalogues only, never a row of anybody's, and one query per question however many tables there are.
"""

from collections.abc import Iterable, Mapping

import asyncpg
import msgspec

from portal.sources.postgres_sql import Types, quoted

type Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


class LiveTable(msgspec.Struct, frozen=True, kw_only=True):
    """A live table. `name` is as one writes it: with its schema only where the search path needs it."""

    oid: int
    name: str
    writable: bool
    """Our role may change it."""
    hidden_rows: bool
    """A row-level security policy applies to our role."""


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """An index that serves equality on all rows: its leading columns, or expressions, in order."""

    table: int
    keys: tuple[str, ...]


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign key: `columns` of `child` point to `parent`."""

    child: int
    child_name: str
    parent: int
    columns: tuple[str, ...]


async def read_types(connection: Connection, tables: Iterable[str]) -> Types:
    """Return the columns and types of `tables`; a table that does not exist has none."""
    rows = await connection.fetch(
        """
        SELECT w.name AS table, a.attname AS column,
               CASE WHEN coalesce(b.typtype, t.typtype) = 'e' THEN 'enum'
                    ELSE format_type(coalesce(b.oid, t.oid), -1) END AS type
        FROM unnest($1::text[], $2::text[]) AS w(name, place)
        JOIN pg_attribute a ON a.attrelid = to_regclass(w.place) AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
        ORDER BY a.attnum
        """,
        *_places(tables),
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["table"], {})[row["column"]] = row["type"]
    return found


async def read_oids(connection: Connection, tables: Iterable[str]) -> Mapping[str, int]:
    """Return the oid of each of `tables` that exists."""
    rows = await connection.fetch(
        "SELECT name, to_regclass(place)::oid AS oid FROM unnest($1::text[], $2::text[]) AS w(name, place)"
        " WHERE to_regclass(place) IS NOT NULL",
        *_places(tables),
    )
    return {row["name"]: row["oid"] for row in rows}


async def read_tables(connection: Connection) -> list[LiveTable]:
    """Return every table that holds rows of its own; partitions belong to their parent."""
    rows = await connection.fetch(
        """
        SELECT c.oid,
               CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE n.nspname || '.' END || c.relname AS name,
               c.relkind <> 'm' AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                                     OR has_any_column_privilege(c.oid, 'INSERT, UPDATE')) AS writable,
               row_security_active(c.oid) AS hidden_rows
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition
          AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
        ORDER BY 2
        """
    )
    return [LiveTable(**dict(row)) for row in rows]


async def read_denied(connection: Connection, wanted: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """Return the (table, column) pairs among `wanted`, all of which exist, that our role may not read."""
    pairs = [(table, quoted(table), name) for table, names in wanted.items() for name in names]
    rows = await connection.fetch(
        "SELECT name, part FROM unnest($1::text[], $2::text[], $3::text[]) AS w(name, place, part)"
        " WHERE NOT has_column_privilege(to_regclass(place)::oid, part, 'SELECT')",
        *(list(values) for values in (zip(*pairs, strict=True) if pairs else ((), (), ()))),
    )
    return [(row["name"], row["part"]) for row in rows]


async def read_indexes(connection: Connection, oids: Iterable[int]) -> list[Index]:
    """Return the indexes of some tables that serve every row: valid, not partial, of a kind that knows equality."""
    rows = await connection.fetch(
        """
        SELECT i.indrelid AS table,
               array_agg(coalesce(a.attname::text, pg_get_indexdef(i.indexrelid, k.n, true)) ORDER BY k.n) AS keys
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_am m ON m.oid = c.relam
        CROSS JOIN generate_series(1, i.indnkeyatts) AS k(n)
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n - 1] AND a.attnum > 0
        WHERE i.indrelid = ANY($1::oid[]) AND i.indisvalid AND i.indpred IS NULL AND m.amname IN ('btree', 'hash')
        GROUP BY i.indexrelid, i.indrelid
        """,
        list(oids),
    )
    return [Index(table=row["table"], keys=tuple(row["keys"])) for row in rows]


async def read_references(connection: Connection, oids: Iterable[int]) -> list[Reference]:
    """Return the foreign keys that point to some tables, wherever they come from."""
    rows = await connection.fetch(
        """
        SELECT f.conrelid AS child, f.conrelid::regclass::text AS child_name, f.confrelid AS parent,
               array_agg(a.attname::text ORDER BY a.attname) AS columns
        FROM pg_constraint f
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = ANY(f.conkey)
        WHERE f.contype = 'f' AND f.conparentid = 0 AND f.confrelid = ANY($1::oid[])
        GROUP BY f.oid, f.conrelid, f.confrelid
        ORDER BY 2
        """,
        list(oids),
    )
    return [
        Reference(child=row["child"], child_name=row["child_name"], parent=row["parent"], columns=tuple(row["columns"]))
        for row in rows
    ]


def _places(tables: Iterable[str]) -> tuple[list[str], list[str]]:
    names = list(dict.fromkeys(tables))
    return names, [quoted(name) for name in names]

"""What a live PostgreSQL says that erasing must know: how columns can be emptied, and who refers to whom.

Always true here: catalogues only, never a row of anybody's. A partition is told as the table it belongs to.
"""

from collections.abc import Iterable, Mapping

import msgspec

from portal.sources.catalogue import Connection, read_oids
from portal.sources.postgres_sql import Types


class LiveColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column, with all that decides what may stand in it instead."""

    name: str
    kind: str
    """The type's name, domains resolved; `enum` for every enum, `array` for every array, `range`, `composite`."""
    written: str
    """The same as one writes it in a cast, without a length: a longer value is refused and never cut."""
    domain: str
    """The name of its domain, "" without one."""
    nullable: bool
    default: bool
    """It has a default, an identity's numbers among them."""
    computed: bool
    """The server alone writes it: generated, or an identity that is always generated."""
    key: bool
    """Part of the primary key."""
    unique: bool
    """Part of a unique index that the primary key does not make so anyway."""
    label: str
    """The first label of an enum."""
    longest: int | None
    """How many characters fit, None when there is no limit."""


class ForeignKey(msgspec.Struct, frozen=True, kw_only=True):
    """`columns` of `child` point to `referenced` of `parent`, in this order."""

    name: str
    child: str
    parent: str
    columns: tuple[str, ...]
    referenced: tuple[str, ...]
    on_delete: str
    """a: nothing, r: restrict, c: cascade, n: set null, d: set default."""


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """The live structure, by the names that the policy file uses where it names a table."""

    columns: Mapping[str, Mapping[str, LiveColumn]]
    """Of the tables that the policy names, and of those that refer to them."""
    foreign_keys: tuple[ForeignKey, ...]

    @property
    def types(self) -> Types:
        """Return the types alone, as reading wants them."""
        return {table: {name: part.kind for name, part in parts.items()} for table, parts in self.columns.items()}

    def key(self, table: str, otherwise: str) -> tuple[str, ...]:
        """Return the primary key of a table, or the one column that the policy calls so."""
        return tuple(part.name for part in self.columns.get(table, {}).values() if part.key) or (otherwise,)

    def nullable(self, table: str, names: Iterable[str]) -> bool:
        """Return whether a reference of these columns can be cut: one of them may be empty, and is no key."""
        parts = [self.columns[table][name] for name in names if name in self.columns.get(table, {})]
        return any(part.nullable and not part.key and not part.computed for part in parts)


async def read_live(connection: Connection, tables: Iterable[str]) -> Live:
    """Read the structure around `tables`, as the policy file names them."""
    oids = await read_oids(connection, tables)
    rows = await connection.fetch(FOREIGN_KEYS)
    names = {row["child"]: row["child_name"] for row in rows} | {oid: name for name, oid in oids.items()}
    names = {row["parent"]: row["parent_name"] for row in rows} | names
    columns: dict[str, dict[str, LiveColumn]] = {}
    for row in await connection.fetch(COLUMNS, list(names)):
        values = dict(row)
        table = names[values.pop("table")]
        columns.setdefault(table, {})[values["name"]] = LiveColumn(**values)
    foreign_keys = tuple(
        ForeignKey(
            name=row["name"], child=names[row["child"]], parent=names[row["parent"]], columns=tuple(row["columns"]),
            referenced=tuple(row["referenced"]), on_delete=row["on_delete"],
        )
        for row in rows
    )  # fmt: skip
    return Live(columns=columns, foreign_keys=foreign_keys)


NAME = (
    "CASE WHEN pg_table_is_visible({0}.oid) THEN '' ELSE {0}.relnamespace::regnamespace::text || '.' END || {0}.relname"
)

FOREIGN_KEYS = f"""
SELECT DISTINCT f.conname AS name, c.oid AS child, {NAME.format("c")} AS child_name,
       p.oid AS parent, {NAME.format("p")} AS parent_name, f.confdeltype::text AS on_delete,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY k(number, n)
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number) AS columns,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY k(number, n)
        JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.number) AS referenced
FROM pg_constraint f
JOIN pg_class c ON c.oid = coalesce(pg_partition_root(f.conrelid), f.conrelid)
JOIN pg_class p ON p.oid = coalesce(pg_partition_root(f.confrelid), f.confrelid)
WHERE f.contype = 'f' AND f.conparentid = 0
ORDER BY 1, 2
"""  # noqa: S608  Names of the catalogue's own columns.

COLUMNS = """
SELECT a.attrelid AS table, a.attname::text AS name,
       CASE WHEN b.typcategory = 'A' THEN 'array'
            WHEN b.typtype = 'e' THEN 'enum' WHEN b.typtype = 'c' THEN 'composite'
            WHEN b.typtype IN ('r', 'm') THEN 'range' ELSE format_type(b.oid, -1) END AS kind,
       format_type(b.oid, -1) AS written,
       CASE WHEN t.typtype = 'd' THEN format_type(t.oid, -1) ELSE '' END AS domain,
       NOT (a.attnotnull OR t.typnotnull) AS nullable,
       (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' OR t.typdefault IS NOT NULL AS default,
       a.attgenerated <> '' OR a.attidentity = 'a' AS computed,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary
               AND a.attnum = ANY(i.indkey::int2[])) AS key,
       EXISTS (SELECT FROM pg_index i LEFT JOIN pg_index p ON p.indrelid = i.indrelid AND p.indisprimary
               WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY(i.indkey::int2[])
               AND (p.indkey::int2[] <@ i.indkey::int2[]) IS NOT TRUE) AS unique,
       coalesce((SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = b.oid
                 ORDER BY e.enumsortorder LIMIT 1), '') AS label,
       CASE WHEN b.typname IN ('varchar', 'bpchar')
            THEN nullif(greatest(CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, 3), 3) - 4 END
       AS longest
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

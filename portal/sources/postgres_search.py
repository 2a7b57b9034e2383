"""Looks for what is left of a person in every table of somebody else's PostgreSQL, declared or not.

Always true here: a role that only reads; a table or column that it may not read is told as blind and never as clean.
Rows that are deleted but not yet overwritten, backups and the server's own log are out of reach.
"""

from collections.abc import Iterator, Mapping

import asyncpg
import msgspec

from portal.sources import postgres_search_sql as sql
from portal.sources.base import Finding, Needles, Searched
from portal.sources.catalogue import Connection
from portal.sources.postgres_search_sql import Patterns, Place
from portal.sources.postgres_session import LATER, SCANNING, connected

CHUNK_BYTES = 1 << 20
TOO_SLOW = "57014"
NOT_FILLED = "55000"
GONE = "42P01"
"""SQLSTATEs: a statement that took too long, a materialised view without rows, a table dropped meanwhile."""


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """One table as the catalogue tells it, and what of it our role may read."""

    place: Place
    hidden: str
    """Why it cannot be read at all; "" when it can."""
    columns_hidden: tuple[str, ...]


async def search(source: str, dsn: str, needles: Needles) -> Searched:
    """Look through every table and large object once.

    Raises:
        SourceUnavailable: the server did not answer, or was busy.
    """
    findings: list[Finding] = []
    places: list[str] = []
    unseen: list[str] = []
    wanted = sql.patterns(needles)
    async with connected(source, dsn, SCANNING) as connection:
        for live in await _tables(connection):
            name = live.place.name
            trouble = live.hidden or await _look(connection, live.place, wanted, findings)
            if trouble:
                unseen.append(f"{name} ({trouble})")
                continue
            places.append(name)
            unseen += [f"{name}.{part} (no right to read)" for part in live.columns_hidden]
        if await connection.fetchval("SELECT EXISTS (SELECT FROM pg_largeobject_metadata)"):
            trouble = await _large_objects(connection, wanted, findings)
            (unseen if trouble else places).append(f"large objects ({trouble})" if trouble else "large objects")
    return Searched(findings=tuple(findings), places=tuple(places), blind=tuple(unseen))


async def blind(connection: Connection) -> list[str]:
    """Return the tables and columns that our role may not read; catalogues only."""
    found: list[str] = []
    for live in await _tables(connection):
        found += [live.place.name] if live.hidden else [f"{live.place.name}.{name}" for name in live.columns_hidden]
    return found


async def _look(connection: Connection, place: Place, wanted: Patterns, findings: list[Finding]) -> str:
    """Look through one table. Returns why that was not possible, "" when it was."""
    query, values = sql.query(place, wanted)
    if not query or not wanted.ids:
        return ""
    try:
        rows = await connection.fetch(query, *values)
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if state in {NOT_FILLED, GONE}:
            return ""
        if state != TOO_SLOW and state.startswith(LATER):
            raise
        return {TOO_SLOW: "took too long", "42501": "no right to read"}.get(state, f"cannot be searched, {state}")
    findings += [
        Finding(place=place.name, needle=row["id"], number=row["number"], keys=tuple(row["keys"] or ())) for row in rows
    ]
    return ""


async def _tables(connection: Connection) -> list[Live]:
    """Return every table and materialised view of every schema that is not the server's; partitions with their root."""
    columns: dict[int, list[asyncpg.Record]] = {}
    for row in await connection.fetch(COLUMNS):
        columns.setdefault(row["table"], []).append(row)
    return [_live(dict(row), columns.get(row["oid"], [])) for row in await connection.fetch(TABLES)]


def _live(row: Mapping[str, object], columns: list[asyncpg.Record]) -> Live:
    key = [part for part in columns if part["key"]]
    plain = key and all(part["kind"] in sql.KEYS and part["readable"] for part in key)
    place = Place(
        schema=str(row["schema"]), table=str(row["table"]), partitioned=bool(row["partitioned"]),
        columns=tuple((part["name"], part["kind"], part["element"]) for part in columns if part["readable"]),
        key=tuple(part["name"] for part in key) if plain else (), whole=bool(row["whole"]),
    )  # fmt: skip
    return Live(place=place, hidden=_hidden(row, columns), columns_hidden=tuple(_unreadable(columns)))


def _hidden(row: Mapping[str, object], columns: list[asyncpg.Record]) -> str:
    if not row["usable"] or (columns and not any(part["readable"] for part in columns)):
        return "no right to read"
    return "row-level security hides rows" if row["secured"] else ""


def _unreadable(columns: list[asyncpg.Record]) -> Iterator[str]:
    return (part["name"] for part in columns if not part["readable"] and part["kind"] not in sql.SKIPPED)


async def _large_objects(connection: Connection, wanted: Patterns, findings: list[Finding]) -> str:
    """Look through the large objects, a megabyte at a time. Returns why that was not possible, "" when it was."""
    overlap = max((len(text) for text in wanted.texts), default=0)
    hits: dict[str, set[str]] = {}
    for row in await connection.fetch("SELECT oid FROM pg_largeobject_metadata ORDER BY oid"):
        start = 0
        while True:
            try:
                found = await connection.fetchrow(CHUNK, *wanted.values(), row["oid"], start, CHUNK_BYTES + overlap)
            except asyncpg.PostgresError as error:
                if (error.sqlstate or "").startswith(LATER):
                    raise
                return "no right to read" if error.sqlstate == "42501" else f"cannot be searched, {error.sqlstate}"
            assert found is not None
            for id in found["ids"] or ():
                hits.setdefault(id, set()).add(str(row["oid"]))
            if found["size"] <= CHUNK_BYTES:
                break
            start += CHUNK_BYTES
    findings += [
        Finding(place="large objects", needle=id, number=len(oids), keys=tuple(sorted(oids)[: sql.MOST_KEYS]))
        for id, oids in sorted(hits.items())
    ]
    return ""


CHUNK = f"""
SELECT length(b.data) AS size,
       ARRAY(SELECT DISTINCT u.id FROM {sql.NEEDLES}
             WHERE lower(encode(b.data, 'escape')) LIKE u.pattern) AS ids
FROM (SELECT lo_get($4::oid, $5::bigint, $6::int) AS data OFFSET 0) b
"""  # noqa: S608  Our own words.

TABLES = r"""
SELECT c.oid, n.nspname AS schema, c.relname AS table, c.relkind = 'p' AS partitioned,
       has_schema_privilege(n.oid, 'USAGE') AS usable, row_security_active(c.oid) AS secured,
       has_table_privilege(c.oid, 'SELECT') AS whole
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
ORDER BY 2, 3
"""

COLUMNS = r"""
SELECT a.attrelid AS table, a.attname::text AS name,
       CASE WHEN b.typcategory = 'A' THEN 'array' WHEN b.typtype = 'c' THEN 'composite'
            WHEN b.typname = 'hstore' THEN 'hstore' ELSE format_type(b.oid, -1) END AS kind,
       CASE WHEN e.typtype = 'c' THEN 'composite' ELSE coalesce(format_type(e.oid, -1), '') END AS element,
       has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary
               AND a.attnum = ANY(i.indkey::int2[])) AS key
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_type e ON b.typcategory = 'A' AND e.oid = b.typelem
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

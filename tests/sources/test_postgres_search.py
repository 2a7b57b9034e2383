"""The search after an erasure: every canary is found wherever it sits, and what was not looked at is never clean."""

import json
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote

import asyncpg
import pytest

from portal.errors import SourceUnavailable, SourceUnsupported
from portal.sources import postgres_search
from portal.sources.base import Identifiers, Needles, Searched
from portal.sources.postgres import Postgres
from portal.sources.postgres_search import search
from tests.sources.platform import SPEC

NOBODY = Identifiers()
PLAIN = "Amelie.Canary@Person.example"
NAME = 'Amélie "Ü" O\'Canary\\Sön'

UTF16 = f"decode('{'amelie.canary@person.example'.encode('utf-16-be').hex()}', 'hex')"

STORES = {
    "text": "text", "varchar": "varchar(500)", "char": "char(300)", "name_": "text COLLATE \"C\"", "domain": "wordy",
    "json": "json", "jsonb": "jsonb", "xml": "xml", "texts": "text[]", "varchars": "varchar[]", "bytes": "bytea",
    "byteses": "bytea[]", "composite": "pair", "composites": "pair[]", "jsons": "json[]", "jsonbs": "jsonb[]",
}  # fmt: skip
"""Column -> type. Each gets each form of each needle."""


def forms(text: str) -> Iterator[str]:
    """Yield ways in which people's words stand in other words."""
    yield text
    yield text.upper()
    yield f"before {text} after"
    yield f"<{text}>"
    yield f"x\n{text}\ty" * 3


def stored(kind: str, text: str) -> list[str]:  # noqa: C901, PLR0911  One case per type reads as a table.
    """Return SQL that stores `text` in a column, in every way that the type knows."""
    said = "'" + text.replace("'", "''") + "'"
    nested = f"jsonb_build_object('a', jsonb_build_array(1, jsonb_build_object('b', {said}::text)))"
    inner = f"to_jsonb({nested}::text)"
    match kind:
        case "json":
            return [f"{nested}::json", f"{inner}::json", f"('[\"\\u0000\\ud83d\", ' || {nested}::text || ']')::json"]
        case "jsonb":
            return [nested, inner, f"jsonb_build_object({said}::text, 1)"]
        case "xml":
            return [f"xmlelement(name a, xmlcomment('x'), {said}::text)"] if not set(text) & set("<>&") else []
        case "texts" | "varchars":
            return [f"ARRAY['x', {said}, NULL]", f"ARRAY[[{said}], [{said}]]"]
        case "bytes":
            return [
                f"convert_to({said}, 'UTF8')",
                f"'\\x00ff'::bytea || convert_to({said}, 'UTF8') || '\\xfe00'::bytea",
            ]
        case "byteses":
            return [f"ARRAY['\\x00'::bytea, convert_to({said}, 'UTF8')]"]
        case "composite":
            return [f"ROW(1, {said})::pair"]
        case "composites":
            return [f"ARRAY[ROW(1, 'x'), ROW(2, {said})]::pair[]"]
        case "jsons":
            return [f"ARRAY[{nested}::json]"]
        case "jsonbs":
            return [f"ARRAY[{nested}]"]
        case _:
            return [said]


@pytest.fixture
async def scanner(empty_database: str) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    """An empty database: its owner's connection, and the DSN of a role that may read everything."""
    owner = await asyncpg.connect(empty_database)
    await owner.execute(
        "DO $$ BEGIN CREATE ROLE any_scanner LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "CREATE DOMAIN wordy AS text; CREATE TYPE pair AS (number int, word text); CREATE SCHEMA other;"
        "CREATE TYPE state AS ENUM ('fine', 'amelie.canary@person.example');"
        "GRANT USAGE ON SCHEMA other TO any_scanner; GRANT pg_read_all_data TO any_scanner"
    )
    yield owner, empty_database.replace("habeas@", "any_scanner@")
    await owner.close()


async def look(dsn: str, whole: frozenset[str] = frozenset(), **texts: str) -> Searched:
    return await search("shop", dsn, Needles(texts=texts, whole=whole, subject=NOBODY))


async def test_every_canary_is_found(scanner: tuple[asyncpg.Connection, str]) -> None:
    """More than two hundred: every type, every form, plain and hostile words, in two schemas."""
    owner, dsn = scanner
    planted: dict[str, str] = {}
    for schema in ("public", "other"):
        for column, kind in STORES.items():
            for id, needle in (("mail", PLAIN), ("name", NAME)):
                if column == "xml" and id == "name":
                    continue
                values = [value for form in forms(needle) for value in stored(column, form)]
                table = f"{schema}.c_{column}_{id}"
                await owner.execute(f'CREATE TABLE {table} (id int PRIMARY KEY, "Odd ""v" {kind})')
                rows = ", ".join(f"({number}, {value})" for number, value in enumerate(values))
                await owner.execute(f"INSERT INTO {table} VALUES {rows}")
                planted |= {f"{table}#{number}": id for number in range(len(values))}
    assert len(planted) > 200
    inside = json.dumps(NAME, ensure_ascii=False)[1:-1]
    found = await look(dsn, **{"mail": PLAIN, "name": NAME, "name:json": inside})
    hits = {
        f"{'' if '.' in finding.place else 'public.'}{finding.place}#{key}": finding.needle.partition(":")[0]
        for finding in found.findings
        for key in finding.keys
    }
    assert {place for place in planted if place not in hits} == set()
    assert hits == planted
    assert found.blind == ()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("uuid", "'0b9f6f3c-93a1-4e77-9a41-0f6b1a3ce1f1'"),
        ("text", "'https://x.example/?id=0B9F6F3C-93A1-4E77-9A41-0F6B1A3CE1F1'"),
        ("uuid[]", "'{0b9f6f3c-93a1-4e77-9a41-0f6b1a3ce1f1}'"),
        ("inet", "'2001:db8::beef'"),
        ("cidr", "'2001:db8::beef/128'"),
        ("state", "'amelie.canary@person.example'"),
        ("state[]", "'{amelie.canary@person.example}'"),
        ("tsvector", "to_tsvector('simple', 'of amelie.canary@person.example')"),
        ("tsquery", "to_tsquery('simple', 'amelie.canary@person.example')"),
        ("text", f"'{quote('amelie.canary@person.example', safe='')}'"),
        ("json", '\'{"a": "\\u0061melie.canary\\u0040person.example"}\''),
        ("json", "'\"amelie.canary@person.example\\u0000\"'"),
        ("json", "'\"http:\\/\\/person.example\\/amelie.canary@person.example\"'"),
        ("bytea", "convert_to('amelie.canary@person.example', 'UTF8') || '\\x5c00'::bytea"),
        ("bytea", UTF16),
        ("name", "'amelie.canary@person.example'"),
        ("hashed", "encode(sha256('amelie.canary@person.example'), 'hex')"),
    ],
)
async def test_other_types_hold_canaries_too(scanner: tuple[asyncpg.Connection, str], column: str, value: str) -> None:
    """Identifiers, words made of lexemes, escapes nobody needs, UTF-16, and hashes given as needles."""
    owner, dsn = scanner
    await owner.execute(
        f"CREATE TABLE c (id int, v {'text' if column == 'hashed' else column}); INSERT INTO c VALUES (1, {value})"
    )
    found = await look(
        dsn, mail="amelie.canary@person.example", id="0b9f6f3c-93a1-4e77-9a41-0f6b1a3ce1f1", ip="2001:db8::beef",
        coded="amelie.canary%40person.example",
        hash=await owner.fetchval("SELECT encode(sha256('amelie.canary@person.example'), 'hex')"),
    )  # fmt: skip
    (finding,) = found.findings
    assert (finding.place, finding.number) == ("c", 1)


async def test_tables_of_every_kind_are_looked_through_once(scanner: tuple[asyncpg.Connection, str]) -> None:
    """Partitions with their root, heirs by themselves, materialised views, names with capitals, large objects."""
    owner, dsn = scanner
    await owner.execute(
        'CREATE TABLE "Part.ed" (id int, v text) PARTITION BY RANGE (id);'
        'CREATE TABLE part_1 PARTITION OF "Part.ed" FOR VALUES FROM (0) TO (9);'
        "CREATE TABLE parent (id int, v text); CREATE TABLE heir (more text) INHERITS (parent);"
        "CREATE UNLOGGED TABLE quick (v text);"
        f"INSERT INTO \"Part.ed\" VALUES (1, '{PLAIN}'); INSERT INTO heir VALUES (1, '{PLAIN}');"
        f"INSERT INTO quick VALUES ('{PLAIN}'); CREATE MATERIALIZED VIEW seen AS SELECT * FROM parent;"
        "CREATE MATERIALIZED VIEW unseen AS SELECT * FROM parent WITH NO DATA"
    )
    found = await look(dsn, mail=PLAIN)
    assert {(f.place, f.number) for f in found.findings} == {("Part.ed", 1), ("heir", 1), ("quick", 1), ("seen", 1)}
    assert set(found.places) == {"Part.ed", "heir", "parent", "quick", "seen", "unseen"}


async def test_large_objects_are_looked_through_across_the_cuts(
    scanner: tuple[asyncpg.Connection, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A canary on the border of two pieces is found; one that may not be read is blind."""
    owner, dsn = scanner
    monkeypatch.setattr(postgres_search, "CHUNK_BYTES", 64)
    for before in (0, 50, 64, 100):
        await owner.execute(
            "DO $$ BEGIN EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO any_scanner',"
            f" lo_from_bytea(0, convert_to(repeat('-', {before}) || '{PLAIN}' || repeat('-', 90), 'UTF8'))); END $$"
        )
    (finding,) = (await look(dsn, mail=PLAIN)).findings
    assert (finding.place, finding.number) == ("large objects", 4)
    await owner.execute("SELECT lo_from_bytea(0, 'secret')")
    found = await look(dsn, mail=PLAIN)
    assert found.blind == ("large objects (no right to read)",)


async def test_nothing_is_found_where_nothing_is(scanner: tuple[asyncpg.Connection, str]) -> None:
    """Other people's words, and longer words that only hold the needle where it must stand alone."""
    owner, dsn = scanner
    await owner.execute("CREATE TABLE c (id int, v text); INSERT INTO c VALUES (1, 'joana@x.example'), (1, 'ba%na')")
    found = await look(dsn, frozenset({"mail"}), mail="ana@x.example", odd="b_%na_")
    assert (found.findings, found.places, found.blind) == ((), ("c",), ())
    await owner.execute("INSERT INTO c VALUES (2, 'mailto%3Aana@x.example'), (3, '’ana@x.example')")
    (finding,) = (await look(dsn, frozenset({"mail"}), mail="ana@x.example")).findings
    assert finding.number == 2


async def test_what_may_not_be_read_is_blind_and_never_clean(scanner: tuple[asyncpg.Connection, str]) -> None:
    """A table, a column, a schema, rows behind a policy: each is named with its reason."""
    owner, dsn = scanner
    await owner.execute(
        "REVOKE pg_read_all_data FROM any_scanner; CREATE SCHEMA closed; CREATE TABLE closed.c (v text);"
        "CREATE TABLE shut (v text); CREATE TABLE half (open text, hidden text, number int);"
        "CREATE TABLE veiled (v text); ALTER TABLE veiled ENABLE ROW LEVEL SECURITY; CREATE TABLE seen (v text);"
        f"INSERT INTO half VALUES ('{PLAIN}', '{PLAIN}', 1);"
        "GRANT SELECT ON seen, veiled TO any_scanner; GRANT SELECT (open) ON half TO any_scanner"
    )
    try:
        found = await look(dsn, mail=PLAIN)
    finally:
        await owner.execute("GRANT pg_read_all_data TO any_scanner")
    assert [(finding.place, finding.number) for finding in found.findings] == [("half", 1)]
    assert set(found.blind) == {
        "closed.c (no right to read)", "shut (no right to read)", "half.hidden (no right to read)",
        "veiled (row-level security hides rows)",
    }  # fmt: skip
    assert set(found.places) == {"half", "seen"}


async def test_keys_tell_rows_and_never_words(scanner: tuple[asyncpg.Connection, str]) -> None:
    """A primary key that is a word is no key to hand out; twenty are enough."""
    owner, dsn = scanner
    await owner.execute(
        "CREATE TABLE worded (mail text PRIMARY KEY); CREATE TABLE many (id int, part int, v text,"
        " PRIMARY KEY (id, part));"
        f"INSERT INTO worded VALUES ('{PLAIN}'); INSERT INTO many SELECT n, 7, '{PLAIN}' FROM generate_series(1, 99) n"
    )
    many, worded = (await look(dsn, mail=PLAIN)).findings
    assert (many.number, len(many.keys)) == (99, 20)
    assert all(key.endswith(",7") for key in many.keys)
    assert worded.keys == ("(0,1)",)


async def test_a_table_whose_columns_sort_differently_is_no_trouble(scanner: tuple[asyncpg.Connection, str]) -> None:
    """Two collations in one row."""
    owner, dsn = scanner
    await owner.execute(
        f"CREATE TABLE c (a text COLLATE \"C\", b text COLLATE \"POSIX\"); INSERT INTO c VALUES ('x', '{PLAIN}')"
    )
    found = await look(dsn, mail=PLAIN)
    assert (len(found.findings), found.blind) == (1, ())


async def test_the_search_needs_a_role_of_its_own_and_a_server(platform: Postgres) -> None:
    """Without the one it is unsupported, without the other unavailable."""
    needles = Needles(texts={"mail": PLAIN}, subject=NOBODY)
    with pytest.raises(SourceUnsupported):
        await platform.search(needles)
    dead = Postgres(SPEC, platform.dsn, scan_dsn="postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(SourceUnavailable):
        await dead.search(needles)
    await dead.close()

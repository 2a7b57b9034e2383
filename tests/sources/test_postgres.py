"""Reading somebody else's PostgreSQL: exact, complete, one person's rows and nobody else's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import asyncpg
import msgspec
import pytest

from exports.order import Batch
from portal.errors import SourceRefused, SourceUnavailable
from portal.policy.model import Table
from portal.sources import copying
from portal.sources.base import Identifiers
from portal.sources.postgres import Postgres, Row
from portal.sources.postgres_session import speaking
from tests.sources.platform import ANA, BEN, SPEC

HOSTILE = [
    "plain",
    'quote " and \\ backslash \\N \\. and tab\t',
    "line\nbreak\r\nand\u2028separator",
    "\x01\x02\x1f control, \u202e bidi, \ufeff mark, \U0001f469\u200d\U0001f4bb emoji",
    "=1+1|'cmd'!A0",
    "\\u0000 and $1 and %s and {0}",
    "x" * 1_000_000,
]


async def read(batches: AsyncIterator[Batch]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    async for batch in batches:
        assert batch.lines.endswith(b"\n")
        lines = batch.lines.split(b"\n")[:-1]
        assert len(lines) == batch.count
        found += [msgspec.json.decode(line) for line in lines]
    return found


async def test_an_address_becomes_an_account_a_customer_and_its_other_spelling(platform: Postgres) -> None:
    """Case does not matter, and what is stored is added as it is stored."""
    found = await platform.identify(Identifiers(emails=frozenset({"ana.lima@example.example"})))
    assert found.emails == {"ana.lima@example.example", "Ana.Lima@Example.example"}
    assert found.account_ids == {ANA}
    assert found.stripe_customers == {"cus_ana"}
    assert (found.display_name, found.language) == ("Ana Lima", "fr")


@pytest.mark.parametrize("address", ["", "nobody@example.example", "ana.lima%", "\0", "' OR true --"])
async def test_no_other_address_finds_anybody(platform: Postgres, owner: asyncpg.Connection, address: str) -> None:
    """Not even an account whose address is empty."""
    await owner.execute("INSERT INTO account (id, email) VALUES (gen_random_uuid(), '')")
    known = Identifiers(emails=frozenset({address}))
    assert await platform.identify(known) == known


async def test_counts_are_the_collected_rows(platform: Postgres, ana: Identifiers) -> None:
    """Category by category, tables added up."""
    counts = await platform.count(ana)
    assert counts == {"account": 2, "prompts": 12, "code": 12}
    for category, number in counts.items():
        assert len(await read(platform.collect(ana, category))) == number


async def test_rows_have_their_kind_first_and_their_fields_by_id(platform: Postgres, ana: Identifiers) -> None:
    """A renamed column appears under the field's id only."""
    first, *_ = await read(platform.collect(ana, "prompts"))
    assert list(first)[:3] == ["kind", "number", "prompt"]
    assert first["kind"] == "prompt"
    assert "id" not in first


async def test_every_type_comes_out_exact(platform: Postgres, owner: asyncpg.Connection, ana: Identifiers) -> None:
    """Decimals keep every digit, instants are UTC, and JSON on several lines stays one line."""
    await owner.execute("DELETE FROM output; DELETE FROM job")
    await owner.execute(
        "INSERT INTO job VALUES (1, $1, 'p', 12345678901234.567890, '2026-10-14 11:00:00.25+02', '{\"a\": 1.10}',"
        " E'{\"b\":\\n [1,\\r\\n 2]}', '\\x00ff', '192.0.2.1', '{a,\"b\\\"c\"}', 'tired', 'NaN', '2026-10-14',"
        " '1 day 2 hours', 0.000001, '{1.10,2}', 9007199254740993, '2026-10-14 11:00', true)",
        ANA,
    )
    (row,) = await read(platform.collect(ana, "prompts"))
    assert row == {
        "kind": "prompt", "number": 1, "prompt": "p", "cost": "12345678901234.567890",
        "made_at": "2026-10-14T09:00:00.25Z", "details": {"a": 1.1}, "raw": {"b": [1, 2]}, "thumb": "AP8=",
        "ip": "192.0.2.1", "tags": ["a", 'b"c'], "mood": "tired", "score": "NaN", "day": "2026-10-14",
        "wait": "P1DT2H", "spent": "0.000001", "prices": ["1.10", "2"], "big": "9007199254740993",
        "local": "2026-10-14T11:00:00", "ok": True,
    }  # fmt: skip
    page = await platform.page(ana, "prompts", offset=0, limit=50)
    assert page.rows == (row,)


async def test_moments_beyond_every_calendar_come_out_as_they_are(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers
) -> None:
    """Infinity, and years before our era, are not lost on the way."""
    await owner.execute("UPDATE job SET made_at = 'infinity', day = '-infinity' WHERE id = 2")
    await owner.execute("UPDATE job SET made_at = '0044-03-15 12:00 BC', cost = 'NaN' WHERE id = 4")
    two, four, *_ = await read(platform.collect(ana, "prompts"))
    assert (two["made_at"], two["day"]) == ("infinity", "-infinity")
    assert (four["made_at"], four["cost"]) == ("0044-03-15T12:00:00Z BC", "NaN")


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_comes_out_exact(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers, text: str
) -> None:
    """Whatever a person typed is what they get back, in copies and on pages."""
    await owner.execute("UPDATE job SET prompt = $1 WHERE id = 2", text)
    assert (await read(platform.collect(ana, "prompts")))[0]["prompt"] == text
    page = await platform.page(ana, "prompts", offset=11, limit=1)
    assert page.rows[0]["prompt"] == text


async def test_a_row_of_somebody_else_never_appears(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers
) -> None:
    """A canary in every column of the other person is in none of the bytes."""
    await owner.execute("UPDATE job SET prompt = 'CANARY' WHERE account_id = $1", BEN)
    await owner.execute("UPDATE output SET code = 'CANARY' FROM job WHERE job.id = job_id AND account_id = $1", BEN)
    await owner.execute("UPDATE account SET name = 'CANARY' WHERE id = $1", BEN)
    await owner.execute(
        "INSERT INTO newsletter (mail) VALUES ('canary@example.example'), ('xana.lima@example.example')"
    )
    for category in ("account", "prompts", "code"):
        text = str(await read(platform.collect(ana, category))).lower()
        text += str(await platform.page(ana, category, offset=0, limit=50)).lower()
        assert "canary" not in text
        assert "xana" not in text
        assert "ben@" not in text


@pytest.mark.parametrize("id", ["", "x", "1", "cus_ana", "11111111", ANA[:-1], "\0", "' OR true --"])
async def test_an_identifier_of_another_shape_is_nobody(platform: Postgres, id: str) -> None:
    """An id that is no uuid finds nothing and breaks nothing."""
    nobody = Identifiers(account_ids=frozenset({id}))
    assert set((await platform.count(nobody)).values()) == {0}
    assert await read(platform.collect(nobody, "prompts")) == []


@pytest.mark.parametrize("address", ["o'brien\\$1::text[]@e.example", '{"a,b"}@e.example', "$2''\\''E'@e.example"])
async def test_an_identifier_is_compared_exactly_in_a_copy(
    platform: Postgres, owner: asyncpg.Connection, address: str
) -> None:
    """Quotes, backslashes, braces and places change nothing in the statement that carries them."""
    await owner.execute("INSERT INTO newsletter (mail) VALUES ($1), ('somebody@e.example')", address)
    known = Identifiers(emails=frozenset({address, "nobody@e.example"}))
    assert [row["mail"] for row in await read(platform.collect(known, "account"))] == [address]


async def test_a_join_to_a_key_that_is_not_unique_doubles_no_row(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers
) -> None:
    """Rows are chosen by the join, not multiplied by it."""
    await owner.execute(
        "ALTER TABLE output DROP CONSTRAINT output_job_id_fkey; ALTER TABLE job DROP CONSTRAINT job_pkey"
    )
    await owner.execute("INSERT INTO job (id, account_id) SELECT id, account_id FROM job")
    assert (await platform.count(ana))["code"] == 12


async def test_pages_show_the_newest_first_and_the_true_total(platform: Postgres, ana: Identifiers) -> None:
    """Offset and limit walk down the list without gap or repetition."""
    first = await platform.page(ana, "prompts", offset=0, limit=5)
    second = await platform.page(ana, "prompts", offset=5, limit=50)
    assert first.total == second.total == 12
    assert [row["number"] for row in (*first.rows, *second.rows)] == list(range(24, 0, -2))


async def test_a_page_over_several_tables_is_sorted_as_one(platform: Postgres, ana: Identifiers) -> None:
    """Tables without a moment come after those with one."""
    page = await platform.page(ana, "account", offset=0, limit=50)
    assert [row["kind"] for row in page.rows] == ["newsletter", "account"]


async def test_a_snapshot_sees_one_moment(platform: Postgres, owner: asyncpg.Connection, ana: Identifiers) -> None:
    """What changes after it was opened is not in it, in any table."""
    async with platform.snapshot() as moment:
        await owner.execute("DELETE FROM output; DELETE FROM job")
        assert len(await read(moment.collect(ana, "code"))) == 12
        assert len(await read(moment.collect(ana, "prompts"))) == 12
        assert (await moment.count(ana))["prompts"] == 12
    assert (await platform.count(ana))["prompts"] == 0


async def test_a_long_copy_arrives_in_pieces_that_end_with_a_line(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers
) -> None:
    """Pieces are bounded, and nothing is lost or doubled at their edges."""
    await owner.execute("UPDATE job SET prompt = repeat('ü', 700000) WHERE account_id = $1", ANA)
    batches = [batch async for batch in platform.collect(ana, "prompts")]
    assert len(batches) > 3
    assert all(batch.lines.endswith(b"\n") for batch in batches)
    numbers = [msgspec.json.decode(line)["number"] for b in batches for line in b.lines.splitlines()]
    assert numbers == list(range(2, 25, 2))


async def test_a_reader_that_stops_half_way_ends_the_snapshot_and_nothing_else(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers
) -> None:
    """What is collected through it afterwards is unavailable, never short; the adapter goes on."""
    await owner.execute(
        "INSERT INTO job (id, account_id, prompt) SELECT n, $1, repeat('x', 5000) FROM generate_series(100, 9000) n",
        ANA,
    )
    async with platform.snapshot() as moment:
        async with aclosing(moment.collect(ana, "prompts")) as batches:
            await anext(batches)
        with pytest.raises(SourceUnavailable):
            await read(moment.collect(ana, "code"))
    assert len(await read(platform.collect(ana, "code"))) == 12


async def test_a_table_that_is_refused_spoils_no_other_in_the_same_snapshot(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers
) -> None:
    """Each copy has a savepoint of its own."""
    await owner.execute("REVOKE SELECT ON output FROM platform_reader")
    async with platform.snapshot() as moment:
        with pytest.raises(SourceRefused):
            await read(moment.collect(ana, "code"))
        assert len(await read(moment.collect(ana, "prompts"))) == 12


async def test_a_sensitive_table_passes_through_python_and_stays_exact(
    owner: asyncpg.Connection, platform: Postgres, ana: Identifiers
) -> None:
    """Only what is touched changes; every other value keeps its bytes."""
    tables = tuple(msgspec.structs.replace(table, sensitive=table.name == "job") for table in SPEC.tables)

    def masked(table: Table, row: Row) -> Row:
        assert table.name == "job"
        return {**row, "prompt": msgspec.Raw(b'"masked"')}

    source = Postgres(msgspec.structs.replace(SPEC, tables=tables), platform.dsn, touch=masked)
    touched, plain = [await read(each.collect(ana, "prompts")) for each in (source, platform)]
    await source.close()
    assert touched == [{**row, "prompt": "masked"} for row in plain]


async def test_a_server_that_is_not_there_is_unavailable(ana: Identifiers) -> None:
    """Nothing answers on this port."""
    source = Postgres(SPEC, "postgresql://x@127.0.0.1:1/x")
    for asking in (source.count(ana), source.identify(ana), read(source.collect(ana, "prompts"))):
        with pytest.raises(SourceUnavailable):
            await asking
    assert "PLATFORM_URL" in (await source.check())[0].remedy
    await source.close()


async def test_a_server_that_goes_away_in_the_middle_is_unavailable(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers
) -> None:
    """A copy whose connection is ended by the server fails, and leaves the snapshot without a second error."""
    await owner.execute("UPDATE job SET prompt = repeat('x', 3000000) WHERE account_id = $1", ANA)
    with pytest.raises(SourceUnavailable):
        async with platform.snapshot() as moment:
            async for _ in moment.collect(ana, "prompts"):
                await owner.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'habeas'"
                )
    assert (await platform.count(ana))["prompts"] == 12


def test_a_connection_that_is_cut_half_way_is_unavailable() -> None:
    """The driver says so in a word of its own when the server ends a connection while it is handed out."""
    with pytest.raises(SourceUnavailable), speaking("platform"):
        raise asyncpg.InternalClientError("got result for unknown protocol state 3")


async def test_a_server_that_stalls_is_unavailable(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that waits for a lock is given up."""
    monkeypatch.setattr(copying, "STALL_SECONDS", 0.2)
    async with owner.transaction():
        await owner.execute("LOCK TABLE job")
        with pytest.raises(SourceUnavailable):
            await read(platform.collect(ana, "prompts"))


async def test_a_missing_table_and_a_missing_right_are_refused(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers
) -> None:
    """The message names the table, and the adapter recovers once it is mended."""
    await owner.execute("REVOKE SELECT ON job FROM platform_reader")
    with pytest.raises(SourceRefused, match="job"):
        await platform.count(ana)
    await owner.execute("GRANT SELECT ON job TO platform_reader; ALTER TABLE newsletter RENAME TO gone")
    with pytest.raises(SourceRefused, match="newsletter"):
        await platform.count(ana)
    await owner.execute("ALTER TABLE gone RENAME TO newsletter")
    assert (await platform.count(ana))["prompts"] == 12


async def test_rows_hidden_by_row_level_security_are_refused_and_not_missed(
    platform: Postgres, owner: asyncpg.Connection, ana: Identifiers
) -> None:
    """A policy that would hide rows makes the source say no, where it would have told too little."""
    await owner.execute("ALTER TABLE job ENABLE ROW LEVEL SECURITY")
    with pytest.raises(SourceRefused):
        await read(platform.collect(ana, "prompts"))


async def test_an_error_holds_nobodys_data(platform: Postgres, owner: asyncpg.Connection, ana: Identifiers) -> None:
    """PostgreSQL quotes the offending value; we do not."""
    await owner.execute("CREATE FUNCTION boom(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1::int'")
    await owner.execute("ALTER TABLE account RENAME TO accounts; CREATE VIEW account AS SELECT id, email,"
                        " boom(name)::text AS name, language, stripe_customer, password_hint FROM accounts;"
                        " GRANT SELECT ON account TO platform_reader")  # fmt: skip
    with pytest.raises(SourceRefused) as caught:
        await platform.identify(ana)
    assert "Ana" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_the_adapter_writes_nothing(empty_database: str, owner: asyncpg.Connection) -> None:
    """Even with a role that may, its sessions are read-only."""
    source = Postgres(SPEC, empty_database)
    async with source._connection() as connection:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("DELETE FROM output")
    await source.close()
    await source.close()


async def test_many_questions_at_once_share_a_few_connections(platform: Postgres, ana: Identifiers) -> None:
    """Twenty counts at once all answer."""
    counts = await asyncio.gather(*(platform.count(ana) for _ in range(20)))
    assert all(count["code"] == 12 for count in counts)

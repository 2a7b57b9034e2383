"""Correcting, restricting, and ending what an erasure kept, in somebody else's PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import asyncpg
import msgspec
import pytest

from portal.errors import SourceRefused, SourceUnsupported
from portal.sources.base import Correction, Held, Identifiers
from portal.sources.postgres import Postgres
from portal.sources.postgres_erase import held_under
from tests.sources.hard_platform import EVERYTHING, SPEC, Hard, build

WHOM = UUID("abcdefab-0000-4000-8000-00000000cafe")


@pytest.fixture(params=["uuid", "numbers"])
async def hard(request: pytest.FixtureRequest, empty_database: str) -> AsyncIterator[Hard]:
    """The hard platform, with accounts that are UUIDs and with accounts that are numbers."""
    owner = await asyncpg.connect(empty_database)
    built = await build(owner, empty_database, numbers=request.param == "numbers")
    yield built
    await built.source.close()
    await owner.close()


def only_ana(hard: Hard) -> Identifiers:
    """Ana with her first account."""
    return Identifiers(emails=frozenset({"ana@example.example"}), account_ids=frozenset({str(hard.ana)}))


# --- Correcting ----------------------------------------------------------------------------------------------------


async def test_a_value_is_written_for_the_person_alone(hard: Hard) -> None:
    """In every account of hers; twice is once, and Ben keeps his."""
    for _ in range(2):
        change = Correction(category="account", field="name", value="Ana María")
        assert await hard.source.rectify(hard.subject, change) == 2
    assert await hard.one("SELECT count(*) FROM account WHERE name = 'Ana María'") == 2
    assert await hard.one("SELECT name FROM account WHERE id = $1", hard.ben) == "Ben"


async def test_one_record_can_be_named_by_its_key(hard: Hard) -> None:
    """Also one of somebody else, which is not found."""
    change = Correction(category="account", field="born", value="1988-07-06", record=str(hard.ana))
    assert await hard.source.rectify(hard.subject, change) == 1
    assert await hard.one("SELECT born FROM account WHERE id = $1", hard.ana) == date(1988, 7, 6)
    assert await hard.one("SELECT born FROM account WHERE id = $1", hard.ana2) == date(1990, 1, 1)
    other = msgspec.structs.replace(change, record=str(hard.ben))
    assert await hard.source.rectify(hard.subject, other) == 0


async def test_a_new_address_is_also_the_one_that_rows_are_found_by(hard: Hard) -> None:
    """Purchases under the old address move along; those of the other account stay."""
    await hard.owner.execute(
        "INSERT INTO purchase (email, amount) VALUES ('ana@EXAMPLE.example', 1), ('ana.old@example.example', 2)"
    )
    change = Correction(category="account", field="email", value="ana.new@example.example", record=str(hard.ana))
    for _ in range(2):
        assert await hard.source.rectify(hard.subject, change) == 1
    assert await hard.one("SELECT email FROM account WHERE id = $1", hard.ana) == "ana.new@example.example"
    assert await hard.one("SELECT array_agg(email ORDER BY id) FROM purchase") == [
        "ana.new@example.example", "ana.old@example.example",
    ]  # fmt: skip
    taken = msgspec.structs.replace(change, value="ben@example.example")
    with pytest.raises(SourceRefused, match="account_email_key") as caught:
        await hard.source.rectify(hard.subject, taken)
    assert "ben@" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("plan", "gold"), ("nickname", "x" * 13), ("nickname", "forbidden"), ("born", "yesterday-ish"), ("born", "")],
)
async def test_what_does_not_fit_is_refused_without_its_value(hard: Hard, field: str, value: str) -> None:
    """An enum, a length, a rule of the platform's, a date; nothing is cut and nothing changes."""
    before = await hard.world()
    with pytest.raises(SourceRefused, match=rf"account\.{field}") as caught:
        await hard.source.rectify(hard.subject, Correction(category="account", field=field, value=value))
    assert not value or value not in str(caught.value)
    assert await hard.world() == before


@pytest.mark.parametrize(("category", "field"), [("account", "id"), ("account", "nothing"), ("posts", "id")])
async def test_what_rows_are_found_by_is_not_to_be_changed(hard: Hard, category: str, field: str) -> None:
    """Neither keys nor what no column fills."""
    with pytest.raises(SourceUnsupported):
        await hard.source.rectify(hard.subject, Correction(category=category, field=field, value="1"))


# --- Restricting ---------------------------------------------------------------------------------------------------


async def test_the_flag_is_set_and_taken_back(hard: Hard) -> None:
    """For all accounts of the person and nobody else's; twice is once."""
    for on in (True, True, False):
        assert (await hard.source.restrict(hard.subject, on=on)).means == "flag"
        assert await hard.one("SELECT count(*) FROM account WHERE restricted") == (2 if on else 0)


async def test_a_flag_that_does_not_stick_is_noticed(hard: Hard) -> None:
    """The other role reads it back."""
    await hard.owner.execute(
        "CREATE FUNCTION deny() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.restricted := false; RETURN NEW; END';"
        "CREATE TRIGGER deny BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION deny()"
    )
    with pytest.raises(SourceRefused, match="did not keep"):
        await hard.source.restrict(hard.subject, on=True)


async def test_without_a_flag_a_person_must_act(hard: Hard) -> None:
    """Nothing is claimed that nobody does."""
    bare = Postgres(msgspec.structs.replace(SPEC, restrict=None), hard.source.dsn, write_dsn=hard.source.write_dsn)
    with pytest.raises(SourceUnsupported):
        await bare.restrict(hard.subject, on=True)
    await bare.close()


# --- What was kept -------------------------------------------------------------------------------------------------


async def kept(hard: Hard, *years: int) -> None:
    """Erase Ana, of whom invoices of some years are kept."""
    for number, year in enumerate(years, 1):
        await hard.owner.execute(
            "INSERT INTO invoice (id, account_id, number, amount, made_at, agent, secret)"
            " VALUES ($1, $2, 'F', 1, $3::date, '', '')", number, hard.ana, date(year, 5, 5),
        )  # fmt: skip
        await hard.owner.execute("INSERT INTO invoice_line (invoice_id, what) VALUES ($1, 'credits')", number)
    await hard.source.erase(only_ana(hard), EVERYTHING, pseudonym=WHOM)


def due(year: int) -> Held:
    return Held(category="payments", field="made_at", before=date(year, 1, 1))


async def test_kept_records_go_on_their_day_and_the_shell_with_the_last(hard: Hard) -> None:
    """Not a day before, and twice is once."""
    await kept(hard, 2020)
    await hard.owner.execute("INSERT INTO purchase (email, amount) VALUES ('ben@example.example', 9)")
    before = await hard.world()
    assert await hard.source.erase_held(WHOM, [due(2020)]) == 2
    assert await hard.world() == before
    for _ in range(2):
        assert await hard.source.erase_held(WHOM, [due(2021)]) == 0
    assert await hard.one("SELECT (SELECT count(*) FROM invoice) + (SELECT count(*) FROM invoice_line)") == 0
    assert await hard.one("SELECT count(*) FROM account") == 3
    assert await hard.one("SELECT count(*) FROM purchase") == 1


async def test_what_is_not_due_stays_and_keeps_the_shell(hard: Hard) -> None:
    """Each invoice with its own lines."""
    await kept(hard, 2020, 2024)
    assert await hard.source.erase_held(WHOM, [due(2021)]) == 2
    assert await hard.one("SELECT array_agg(id) FROM invoice") == [2]
    assert await hard.one("SELECT array_agg(invoice_id) FROM invoice_line") == [2]
    found = await hard.source.identify(held_under(WHOM))
    assert (await hard.source.count(found))["payments"] == 2


async def test_a_shell_goes_only_when_nobody_refers_to_it(hard: Hard) -> None:
    """Ben's answer holds mine until Ben's is gone."""
    thread = await hard.one("INSERT INTO thread (account_id, title) VALUES ($1, 'x') RETURNING id", hard.ana)
    comment = await hard.one(
        "INSERT INTO comment (thread_id, account_id, body, likes) VALUES ($1, $2, 'x', 0) RETURNING id",
        thread, hard.ana,
    )  # fmt: skip
    await hard.owner.execute("INSERT INTO reply (account_id, comment_id, body) VALUES ($1, $2, '')", hard.ben, comment)
    await kept(hard)
    assert await hard.source.erase_held(WHOM, [due(2030)]) == 0
    assert await hard.one("SELECT count(*) FROM comment") == 1
    await hard.owner.execute("DELETE FROM reply")
    assert await hard.source.erase_held(WHOM, [due(2030)]) == 0
    assert await hard.one("SELECT (SELECT count(*) FROM comment) + (SELECT count(*) FROM thread)") == 0
    assert await hard.one("SELECT count(*) FROM account") == 3


async def test_another_category_that_is_kept_is_no_shell(hard: Hard) -> None:
    """Asking for one category never ends another."""
    await kept(hard, 2020)
    spec = msgspec.structs.replace(
        SPEC, tables=(*SPEC.tables[:-1], msgspec.structs.replace(SPEC.tables[-1], category="payments2"))
    )
    source = Postgres(spec, hard.source.dsn, write_dsn=hard.source.write_dsn, erasures=EVERYTHING)
    with pytest.raises(SourceRefused, match="nothing ever ends"):
        await source.erase_held(WHOM, [Held(category="payments2", field="made_at", before=date(2030, 1, 1))])
    assert await source.erase_held(WHOM, []) == 2
    await source.close()

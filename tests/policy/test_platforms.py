"""The sample platforms and their policy files fit each other, column by column, and the crowd holds whom it should."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from demo.platforms import PLATFORMS, Person, Platform
from portal.policy.check import load_checked
from portal.policy.model import PostgresSource
from tests.policy.trees import NAMES, POLICIES


@pytest.fixture(params=NAMES)
def platform(request: pytest.FixtureRequest) -> Platform:
    """Each sample platform."""
    return PLATFORMS[request.param]


@pytest.fixture
async def empty(postgres: str, platform: Platform) -> AsyncIterator[asyncpg.Connection]:
    """A connection to an empty database."""
    server = await asyncpg.connect(postgres.replace("/habeas?", "/postgres?"))
    name = f"platform_{platform.id}"
    await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await server.execute(f'CREATE DATABASE "{name}" STRATEGY file_copy')
    connection = await asyncpg.connect(postgres.replace("/habeas?", f"/{name}?"))
    try:
        yield connection
    finally:
        await connection.close()
        await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await server.close()


def declared(platform: Platform) -> PostgresSource:
    """Return what the policy file says of the platform's database."""
    policy = load_checked(POLICIES / f"{platform.id}.toml")
    return next(source for source in policy.sources if isinstance(source, PostgresSource))


async def test_every_live_column_is_collected_or_left_out(empty: asyncpg.Connection, platform: Platform) -> None:
    """Collected and left-out columns together are the live ones, table by table; every other table is ignored."""
    await empty.execute(platform.schema_sql)
    live: dict[str, set[str]] = {}
    for row in await empty.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    ):
        live.setdefault(row["table_name"], set()).add(row["column_name"])
    source = declared(platform)
    known = {table.name: {column.name for column in table.columns} | set(table.leave_out) for table in source.tables}
    assert known == {name: columns for name, columns in live.items() if name in known}
    assert live.keys() == known.keys() | source.ignored_tables.keys()


async def test_the_reader_reads_what_is_declared_and_nothing_more(
    empty: asyncpg.Connection, platform: Platform, postgres: str
) -> None:
    """The role sees every declared column, no other, and may write nowhere; making it twice is the same."""
    for _ in range(2):
        people = await platform.prepare(empty, "habeas_reader")
    assert len(people) == 200
    source = declared(platform)
    reader = await asyncpg.connect(
        postgres.replace("habeas@", "habeas_reader@").replace("/habeas?", f"/platform_{platform.id}?")
    )
    try:
        for table in source.tables:
            columns = ", ".join(column.name for column in table.columns)
            assert await reader.fetch(f"SELECT {columns} FROM {table.name} LIMIT 1")
            hidden = set(table.leave_out) - {table.key} - {table.subject.column}
            flag = {source.restrict.column} if source.restrict else set()
            for column in hidden - flag - {join.column for join in table.subject.via}:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await reader.fetch(f"SELECT {column} FROM {table.name}")
        for statement in (f"DELETE FROM {source.lookup.table}", "CREATE TABLE mine (id int)"):
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)):
                await reader.execute(statement)
    finally:
        await reader.close()


async def test_the_database_holds_what_the_world_says(empty: asyncpg.Connection, platform: Platform) -> None:
    """Every row of the world arrives, hostile ones exactly."""
    people = await platform.fill(empty)
    for name, rows in platform.world().tables.items():
        assert await empty.fetchval(f"SELECT count(*) FROM {name}") == len(rows.rows)
    hostile = next(person for person in people if person.role == "hostile")
    prompts = {"casagbic": "prompt FROM jobs WHERE account_id", "caaartoons": "scene FROM scenes WHERE user_id"}
    key = "uuid" if platform.id == "casagbic" else "bigint"
    stored = {row[0] for row in await empty.fetch(
        f"SELECT {prompts[platform.id]} = $1::text::{key}", hostile.account_ids[0]
    )}  # fmt: skip
    assert any(len(text.encode()) > 900_000 for text in stored)
    for sign in ("\x1b", "\u202e", "=HYPERLINK(", "<script>", "\r", "../../", "👩‍🎨"):
        assert any(sign in text for text in stored), repr(sign)


def test_the_same_seed_makes_the_same_world(platform: Platform) -> None:
    """People, rows and the bytes of files are equal from run to run; another seed makes others."""
    one, two, other = platform.world(), platform.world(), platform.world(seed=8)
    assert one == two
    assert one.people[20] != other.people[20]


def by_role(people: list[Person]) -> dict[str, Person]:
    """Return one person of each role."""
    return {person.role: person for person in reversed(people)}


def rows_about(platform: Platform, person: Person) -> int:
    """Count the rows that name the person's account, or hang on one of their jobs or scenes."""
    tables = platform.world().tables
    mine: set[object] = {*person.account_ids, *person.emails}
    total = 0
    for rows in tables.values():
        found = [row for row in rows.rows if any(str(value) in mine for value in row[:2])]
        mine |= {str(row[0]) for row in found if len(str(row[0])) == 36}
        total += len(found)
    return total


def test_the_crowd_holds_whom_software_forgets(platform: Platform) -> None:
    """There is a heavy person, a newcomer, one who exists twice, one known at Stripe only, and hostile ones."""
    people = by_role(platform.world().people)
    heavy = people["heavy"]
    assert heavy.email == "amelie.laurent@person.example"
    assert rows_about(platform, heavy) >= 5_000
    assert len(platform.files_of(heavy)) == 50
    assert not people["newcomer"].files
    assert rows_about(platform, people["newcomer"]) == 1
    assert people["twice"].emails == ("Jean.Dupont@person.example", "jean.dupont@person.example")
    assert len(set(people["twice"].account_ids)) == 2
    assert not people["stripe-only"].account_ids
    assert people["stripe-only"].purchases
    assert any(".." in file.name for file in people["hostile"].files)


def test_every_file_lies_under_its_owner_and_is_what_its_type_says(platform: Platform) -> None:
    """Keys are account, slash, UUID; no key is anyone else's; the first bytes fit the type."""
    starts = {"image/png": b"\x89PNG\r\n\x1a\n", "application/zip": b"PK\x03\x04", "application/json": b"{"}
    keys: list[str] = []
    for person in platform.world().people:
        for file in platform.files_of(person):
            account, _, name = file.key.partition("/")
            assert account in person.account_ids
            assert name == str(file.id)
            assert file.body.startswith(starts.get(file.media_type, b""))
            assert file.size_bytes == len(file.body)
            keys.append(file.key)
    assert len(keys) == len(set(keys)) > 200


def texts_in(value: object) -> Iterator[str]:
    """Yield every text in nested plain values."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield str(key)
            yield from texts_in(below)
    elif isinstance(value, list):
        for below in value:
            yield from texts_in(below)
    elif isinstance(value, str):
        yield value


def test_stripe_knows_customers_and_no_card_number(platform: Platform) -> None:
    """Every customer is somebody's, objects name their customer, and no digits of a card are in them."""
    people = platform.world().people
    entries = platform.stripe_people(people)
    assert len(entries) == len([person for person in people if person.stripe_customer]) == 199
    for entry in entries:
        customer = entry["customer"]["id"]
        for name in ("charges", "invoices", "payment_methods", "subscriptions"):
            assert all(found["customer"] == customer for found in entry[name])
        assert not {"last4", "number", "fingerprint", "iban"} & set(texts_in(entry["payment_methods"]))
    assert all(
        word.endswith(".example") for entry in entries for word in texts_in(entry) if "@" in word and " " not in word
    )

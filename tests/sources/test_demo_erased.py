"""Both sample platforms, by their own policy files: checked, erased, searched, and nobody else touched."""

from collections.abc import AsyncIterator
from datetime import date
from typing import cast
from uuid import UUID

import asyncpg
import pytest

from demo.platforms import PLATFORMS, Person, Platform, create_reader
from demo.platforms.platform import POLICIES, create_scanner, create_writer
from portal.policy.load import load
from portal.policy.model import PostgresSource
from portal.rights import needles
from portal.sources.base import Held, Identifiers
from portal.sources.postgres import Postgres
from portal.sources.postgres_erase import held_under
from portal.sources.registry import _erasures

WHOM = UUID("abcdefab-0000-4000-8000-00000000cafe")


class Filled:
    """A sample platform with thirty people, its adapter and its owner's connection."""

    def __init__(self, platform: Platform, people: list[Person], source: Postgres, owner: asyncpg.Connection) -> None:
        self.platform = platform
        self.people = {person.role: person for person in reversed(people)}
        self.source = source
        self.owner = owner

    async def rows(self) -> dict[str, int]:
        """Return how many rows each table has."""
        names = self.platform.world(people=0).tables
        return {name: await self.owner.fetchval(f"SELECT count(*) FROM {name}") for name in names}

    async def known(self, role: str) -> Identifiers:
        """Return all that the platform knows a person by."""
        return await self.source.identify(Identifiers(emails=frozenset(self.people[role].emails)))


@pytest.fixture(params=PLATFORMS)
async def filled(request: pytest.FixtureRequest, empty_database: str) -> AsyncIterator[Filled]:
    """Each sample platform with its three roles."""
    platform, owner = PLATFORMS[request.param], await asyncpg.connect(empty_database)
    people = await platform.fill(owner, people=30)
    policy = load(POLICIES / f"{platform.id}.toml")
    await create_reader(owner, "demo_reader", policy=POLICIES / f"{platform.id}.toml")
    await create_writer(owner, "demo_writer", policy=POLICIES / f"{platform.id}.toml")
    await create_scanner(owner, "demo_scanner")
    reader, writer, scanner = (
        empty_database.replace("habeas@", f"demo_{role}@") for role in ("reader", "writer", "scanner")
    )
    spec = cast(PostgresSource, policy.sources[0])
    source = Postgres(spec, reader, write_dsn=writer, scan_dsn=scanner, erasures=_erasures(policy.categories))
    yield Filled(platform, people, source, owner)
    await source.close()
    await owner.close()


async def test_the_sample_platforms_are_in_order(filled: Filled) -> None:
    """Three roles, each with what it needs and no more, and every column can be emptied."""
    assert await filled.source.check() == []


@pytest.mark.parametrize("role", ["heavy", "twice", "newcomer", "hostile"])
async def test_nothing_of_a_person_is_left_but_what_is_kept(filled: Filled, role: str) -> None:
    """The search finds no address, account or customer; kept records are under the pseudonym; others lost nothing."""
    subject = await filled.known(role)
    others = [person for person in filled.people.values() if person.role not in {role, "stripe-only"}]
    before = {person.role: await filled.source.count(await filled.known(person.role)) for person in others}
    kept = {erasing.category for erasing in filled.source.erasures if erasing.action == "keep"}
    mine = await filled.source.count(subject)
    wanted = needles.of(Identifiers(
        emails=subject.emails, account_ids=subject.account_ids, stripe_customers=subject.stripe_customers
    ))  # fmt: skip
    assert (await filled.source.search(wanted)).findings
    erased = await filled.source.erase(subject, filled.source.erasures, pseudonym=WHOM)
    assert (erased.done, erased.means) == (True, "deleted")
    found = await filled.source.search(wanted)
    assert (found.findings, found.blind) == ((), ())
    assert not any((await filled.source.count(subject)).values())
    under = await filled.source.count(await filled.source.identify(held_under(WHOM)))
    assert {id: under[id] for id in kept & under.keys()} == {id: mine[id] for id in kept & mine.keys()}
    assert before == {person.role: await filled.source.count(await filled.known(person.role)) for person in others}


async def test_what_was_kept_ends_on_its_day(filled: Filled) -> None:
    """And then no row tells that there was anybody."""
    before = await filled.rows()
    subject = await filled.known("heavy")
    mine = sum((await filled.source.count(subject)).values())
    await filled.source.erase(subject, filled.source.erasures, pseudonym=WHOM)
    category = next(erasing.category for erasing in filled.source.erasures if erasing.action == "keep")
    due = Held(category=category, field="date", before=date(2040, 1, 1))
    assert await filled.source.erase_held(WHOM, [due]) == 0
    assert sum((await filled.rows()).values()) == sum(before.values()) - mine

"""The search after an erasure against everything at once: real stores, more than a hundred traces of one person."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from demo.seaweed import Seaweed
from demo.stripe import StandIn
from portal.clock import SetClock
from portal.rights import needles, scan
from portal.rights.plans import PlanView
from portal.rights.scan_places import own_stores
from portal.rights.scan_report import Report
from portal.sources.base import Searched
from tests.faults.canaries import FORMS, Canary, plant
from tests.faults.stores import ACCOUNT, EMAIL, PERSON, SUBJECT, World, world
from tests.sources.conftest import empty_database

__all__ = ["empty_database"]


@pytest.fixture
async def here(
    database: str, empty_database: str, seaweed: Seaweed, stripe_stand_in: StandIn, tmp_path: Path, clock: SetClock
) -> AsyncIterator[World]:
    """Every store, with nothing of the person in it."""
    async with world(database, empty_database, seaweed, stripe_stand_in, tmp_path, clock) as built:
        yield built


def plan(here: World) -> PlanView:
    """An erasure of everything, of which nothing is kept."""
    at = here.shop.clock()
    return PlanView(
        id=uuid4(), request=here.request, reference="DR-2026-0147", subject=SUBJECT, language="en", received_at=at,
        due_day=date(2026, 11, 13), kind="erase", digest="", whole=True, state="running", pseudonym=uuid4(),
        known=None, rounds=0, approved_at=at, runs_at=at, begun_at=at, done_at=None,
    )  # fmt: skip


async def look(here: World) -> Report:
    """Look through everything as the worker does."""
    return await scan.look(here.shop, plan(here), PERSON)


async def searched(here: World) -> dict[str, Searched]:
    """Ask every store itself: findings still have their keys."""
    wanted = needles.of(PERSON)
    own = {store.id: await store.search() for store in own_stores(here.shop, plan(here), wanted)}
    return {source.id: await source.search(wanted) for source in here.shop.sources.all} | own


def missed(canaries: list[Canary], found: dict[str, Searched]) -> list[Canary]:
    """Return the canaries that no finding names by place and key."""
    seen = {(store, one.place, key) for store, each in found.items() for one in each.findings for key in one.keys}
    places = {(store, one.place) for store, each in found.items() for one in each.findings}
    return [
        canary
        for canary in canaries
        if ((canary.store, canary.place, canary.key) not in seen if canary.key else
            (canary.store, canary.place) not in places)
    ]  # fmt: skip


async def test_every_canary_is_found_in_its_place(here: World) -> None:
    """Noncurrent versions, JSON, audit lines, jobs, evidence, mail, packed logs: each is named, not only its store."""
    canaries = await plant(here)
    assert len(canaries) > 150
    assert {canary.store for canary in canaries} == {
        "platform", "stripe", "uploads", "portal", "habeas:logs", "habeas:files", "habeas:parcels"
    }  # fmt: skip
    assert missed(canaries, await searched(here)) == []
    report = await look(here)
    said = {(store.store, one.place) for store in report.stores for one in store.left}
    assert {(canary.store, canary.place) for canary in canaries} <= said
    assert all(EMAIL.lower() not in repr(store).lower() and ACCOUNT not in repr(store) for store in report.stores)


async def test_it_is_clean_when_the_last_canary_is_gone_and_not_before(here: World) -> None:
    """Whatever was taken away before, a store with one canary is never clean, and one without never accused."""
    canaries = await plant(here)
    random = Random(147)
    random.shuffle(canaries)
    while canaries:
        left = Counter(canary.store for canary in canaries)
        verdicts = {store.store: store.verdict for store in (await look(here)).stores}
        assert {store for store, verdict in verdicts.items() if verdict == "left"} == set(left)
        for _ in range(random.randint(1, len(canaries)) if len(canaries) > 3 else 1):
            await canaries.pop().take()
    report = await look(here)
    assert report.clean
    assert {store.store: store.verdict for store in report.stores} == {
        "platform": "gone", "stripe": "gone-where-looked", "uploads": "gone-where-looked", "portal": "gone",
        "habeas:parcels": "gone", "habeas:files": "gone", "habeas:logs": "gone", "habeas:mail-provider": "blind",
        "habeas:backups": "blind",
    }  # fmt: skip


async def test_somebody_like_the_person_is_nobody_we_look_for(here: World) -> None:
    """A longer address, a name alone and another account raise no alarm."""
    for text in (f"jo{EMAIL}", f"{EMAIL}s", "Ana Canary", EMAIL.partition("@")[0], f"{ACCOUNT[:-1]}0x"):
        await here.platform.execute("INSERT INTO audit.event (line) VALUES ($1)", text)
        await here.platform.execute("INSERT INTO page (plain) VALUES (to_json($1::text))", f"\n{text}\n")
        (here.logs / "habeas.log").write_text(f"{text}\n")
        here.files.put_object(Bucket="uploads", Key=f"others/{text}", Body=b"x")
    report = await look(here)
    assert [(store.store, store.left) for store in report.stores if store.left] == []


async def test_what_no_search_can_see_is_known(here: World) -> None:
    """Contents of files, what is encrypted, packed into a column or torn apart: docs/erasure.md says so."""
    here.files.put_object(Bucket="uploads", Key="others/notes.txt", Body=EMAIL.encode())
    await here.platform.execute("INSERT INTO audit.event (line) VALUES ($1)", EMAIL[::-1])
    await here.platform.execute("INSERT INTO audit.event (line) VALUES ($1), ($2)", EMAIL[:9], EMAIL[9:])
    await here.platform.execute("INSERT INTO chunk (raw) VALUES ($1)", bytes(byte ^ 0x5A for byte in EMAIL.encode()))
    report = await look(here)
    verdicts = {store.store: store for store in report.stores}
    assert verdicts["uploads"].verdict == "gone-where-looked"
    assert any("contents" in blind for blind in verdicts["uploads"].blind)
    assert verdicts["platform"].verdict == "gone"


async def test_a_table_that_may_not_be_read_keeps_its_store_from_being_clean(here: World) -> None:
    """The search says which table, and calls the rest gone only where it looked."""
    await here.platform.execute(
        "DO $$ BEGIN CREATE ROLE canary_scanner LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        " GRANT SELECT ON ALL TABLES IN SCHEMA public TO canary_scanner"
    )
    source = here.shop.sources.get("platform")
    source.scan_dsn = source.scan_dsn.replace("habeas@", "canary_scanner@")  # type: ignore[attr-defined]
    await here.platform.execute("INSERT INTO audit.event (line) VALUES ($1)", EMAIL)
    view = next(store for store in (await look(here)).stores if store.store == "platform")
    assert view.verdict == "gone-where-looked"
    assert "audit.event (no right to read)" in view.blind


async def test_every_form_is_found_alone(here: World) -> None:
    """No form is only seen because another one stands beside it."""
    wanted, source = needles.of(PERSON), here.shop.sources.get("platform")
    for name, form in FORMS.items():
        await here.platform.execute("INSERT INTO audit.event (line) VALUES ($1)", form(EMAIL))
        found = await source.search(wanted)
        assert {one.place for one in found.findings} == {"audit.event"}, name
        await here.platform.execute("DELETE FROM audit.event")

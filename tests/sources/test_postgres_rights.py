"""What an erasure and its search would meet is named by the check, before anybody asks to be erased."""

from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest

from portal.sources.base import Fault
from portal.sources.postgres import Postgres
from portal.sources.postgres_rights import check_scanner, check_writer
from tests.sources.hard_platform import EVERYTHING, SPEC, WRITER, Hard, build


@pytest.fixture
async def hard(empty_database: str) -> AsyncIterator[Hard]:
    """The hard platform, with everything in order."""
    owner = await asyncpg.connect(empty_database)
    yield await build(owner, empty_database)
    await owner.close()


async def faults(hard: Hard) -> dict[str, Fault]:
    """Return what the check of the writing role says, by place."""
    return {fault.place: fault for fault in await check_writer(SPEC, hard.source.write_dsn, EVERYTHING)}


async def test_a_sound_platform_can_be_erased_from(hard: Hard) -> None:
    """Nothing to say."""
    assert await faults(hard) == {}


@pytest.mark.parametrize(
    ("change", "place", "says"),
    [
        (f"REVOKE DELETE ON thread FROM {WRITER}", "thread", "may not DELETE"),
        (f"REVOKE UPDATE ON comment FROM {WRITER}", "comment", "may not UPDATE"),
        (f"REVOKE INSERT ON account FROM {WRITER}", "account", "may not INSERT"),
        (f"GRANT DELETE ON plan_kind TO {WRITER}", "plan_kind", "not declared"),
        ("CREATE TABLE audit (who int REFERENCES thread)", "audit", "audit_who_fkey"),
        ("ALTER TABLE account DROP restricted", "account.restricted", "does not exist"),
        ("ALTER TABLE survey DROP words", "survey.words", "does not exist"),
        ("ALTER TABLE invoice ADD shape box NOT NULL DEFAULT '(0,0),(1,1)', ADD x int", "", ""),
        ("ALTER TABLE invoice ADD shape box NOT NULL", "invoice.shape", "cannot be emptied"),
        ("ALTER TABLE comment ADD shape box NOT NULL", "comment.shape", "cannot be emptied"),
        ("ALTER TABLE account ALTER born DROP NOT NULL, ADD shape box", "", ""),
        ("ALTER TABLE invoice ADD CHECK (agent <> '')", "invoice.agent", "forbids"),
        ("ALTER TABLE invoice ADD CHECK (note <> '')", "", ""),
        ("ALTER DOMAIN short ADD CHECK (length(VALUE) > 2)", "account.nickname", "forbids"),
        ("ALTER TABLE purchase ADD plan_kind text NOT NULL REFERENCES plan_kind", "", ""),
        ("ALTER TABLE thread ENABLE ROW LEVEL SECURITY", "thread", "hide rows"),
    ],
)
async def test_what_stops_an_erasure_is_named(hard: Hard, change: str, place: str, says: str) -> None:
    """At its place, and nothing else is."""
    await hard.owner.execute(change)
    found = await faults(hard)
    assert set(found) == ({place} if place else set())
    if place:
        assert says in found[place].what
        assert found[place].remedy


async def test_without_roles_it_says_that_a_person_must_act(hard: Hard) -> None:
    """Two warnings, no error."""
    bare = Postgres(SPEC, hard.source.dsn)
    found = [*await check_writer(SPEC, "", EVERYTHING), *await check_scanner(SPEC, "")]
    assert [(fault.place, fault.severity) for fault in found] == [
        ("write_url_variable", "warning"), ("scan_url_variable", "warning"),
    ]  # fmt: skip
    assert found[0] in await bare.check()
    await bare.close()


async def test_the_scanner_sees_everything_and_changes_nothing(hard: Hard) -> None:
    """What it cannot see and what it could change are named."""
    dsn = hard.source.write_dsn
    found = {fault.place: fault.what for fault in await check_scanner(SPEC, dsn)}
    assert found.keys() == {"plan_kind", "search_index", "scanning role"}
    assert "may change account" in found["scanning role"]
    await hard.owner.execute(
        "DO $$ BEGIN CREATE ROLE only_scanner LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "GRANT pg_read_all_data TO only_scanner"
    )
    assert await check_scanner(SPEC, dsn.replace(f"{WRITER}@", "only_scanner@")) == []


async def test_a_wrong_address_is_a_fault_and_no_crash() -> None:
    """For both roles."""
    nowhere = "postgresql://x@127.0.0.1:1/x"
    spec = msgspec.structs.replace(SPEC, write_url_variable="W_URL", scan_url_variable="S_URL")
    (writer,), (scanner,) = await check_writer(spec, nowhere, ()), await check_scanner(spec, nowhere)
    assert "W_URL" in writer.remedy
    assert "S_URL" in scanner.remedy

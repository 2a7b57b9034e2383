"""What somebody who owns the database can do to the log, and how it is found."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta, timezone
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
import pytest

from portal.clock import SetClock
from portal.database import engine
from portal.evidence import anchors
from portal.evidence.ledger import FolderLedger, LedgerError
from portal.evidence.log import FIRST, append, canonical, entry_digest, head
from portal.evidence.seal import keep, seal
from portal.evidence.verify import verify
from portal.settings import Settings
from tests.evidence.conftest import SECRET, happen, make_settings

type Deed = Callable[[asyncpg.Connection], Awaitable[object]]


def by(statement: str) -> Deed:
    """A deed that is one statement."""
    return lambda attacker: attacker.execute(statement)


async def rewrite(attacker: asyncpg.Connection) -> None:
    """Change an entry and make the chain fit again from there to the end."""
    await attacker.execute("UPDATE evidence SET actor = 'worker' WHERE seq = 5")
    previous = await attacker.fetchval("SELECT digest FROM evidence WHERE seq = 4")
    for row in await attacker.fetch("SELECT *, details::text AS body FROM evidence WHERE seq >= 5 ORDER BY seq"):
        body = canonical(msgspec.json.decode(row["body"]))
        digest = entry_digest(row["seq"], row["at"], row["event"], row["actor"], row["reference"], body, previous)
        await attacker.execute(
            "UPDATE evidence SET previous = $2, digest = $3 WHERE seq = $1", row["seq"], previous, digest
        )
        previous = digest


DEEDS: dict[str, tuple[Deed, int, str]] = {
    "the number": (by("UPDATE evidence SET seq = 900 WHERE seq = 5"), 5, "gap"),
    "the number, below the first": (by("UPDATE evidence SET seq = -1 WHERE seq = 5"), -1, "order"),
    "the moment": (by("UPDATE evidence SET at = at + interval '1 microsecond' WHERE seq = 5"), 5, "digest"),
    "the event": (by("UPDATE evidence SET event = 'rights:request:withdrawn' WHERE seq = 5"), 5, "digest"),
    "the actor": (by("UPDATE evidence SET actor = 'staff:1' WHERE seq = 5"), 5, "digest"),
    "the reference": (by("UPDATE evidence SET reference = 'DR-2026-9999' WHERE seq = 5"), 5, "digest"),
    "the details": (by("""UPDATE evidence SET details = details || '{"late": true}' WHERE seq = 5"""), 5, "digest"),
    "the link": (by("UPDATE evidence SET previous = repeat('a', 64) WHERE seq = 5"), 5, "link"),
    "the digest": (by("UPDATE evidence SET digest = repeat('a', 64) WHERE seq = 5"), 5, "digest"),
    "the moment, to the end of time": (by("UPDATE evidence SET at = 'infinity' WHERE seq = 5"), 5, "digest"),
    "the moment, to where we cannot count": (
        by("UPDATE evidence SET at = '20000-01-01', digest = '' WHERE seq = 5"), 5, "digest",
    ),
    "the details, to a number without end": (
        by("""UPDATE evidence SET details = '{"right": 1e4000}' WHERE seq = 5"""), 5, "digest",
    ),
    "the details, to a list in a list in a list": (
        by("UPDATE evidence SET details = (repeat('[', 5000) || repeat(']', 5000))::jsonb WHERE seq = 5"), 5, "digest",
    ),
    "words from one column to the next": (
        by("UPDATE evidence SET event = 'rights:request:received\nperson', actor = '' WHERE seq = 5"), 5, "digest",
    ),
    "an entry cut out": (by("DELETE FROM evidence WHERE seq = 5"), 5, "gap"),
    "several cut out": (by("DELETE FROM evidence WHERE seq IN (5, 6, 7)"), 5, "gap"),
    "one cut out and the rest moved up": (
        by("DELETE FROM evidence WHERE seq = 5; UPDATE evidence SET seq = seq - 1 WHERE seq > 5"), 5, "link",
    ),
    "the first cut off": (by("DELETE FROM evidence WHERE seq = 1"), 1, "gap"),
    "the tail cut off": (by("DELETE FROM evidence WHERE seq > 8"), 9, "tail"),
    "everything cut off": (by("DELETE FROM evidence"), 1, "tail"),
    "two swapped": (
        by("UPDATE evidence SET seq = CASE seq WHEN 5 THEN 6 ELSE 5 END WHERE seq IN (5, 6)"), 5, "link",
    ),
    "a copy put beside": (by("INSERT INTO evidence SELECT * FROM evidence WHERE seq = 5"), 5, "fork"),
    "all rewritten from there": (rewrite, 12, "anchor"),
}  # fmt: skip


@pytest.mark.parametrize("what", DEEDS)
async def test_whatever_is_done_to_the_log_is_named(
    what: str, attacker: asyncpg.Connection, ledger: FolderLedger, settings: Settings, clock: SetClock
) -> None:
    """The first entry that is wrong is named, and how, although triggers and keys were off."""
    deed, seq, kind = DEEDS[what]
    await happen(clock, 12)
    assert await anchors.anchor(ledger, settings)
    digests = (await anchors.history(ledger, settings)).digests
    sound = await verify(attacker, digests)
    assert (sound.broken, sound.entries, sound.anchors) == (None, 12, 1)
    await deed(attacker)
    found = (await verify(attacker, digests)).broken
    assert found
    assert (found.seq, found.kind) == (seq, kind)
    assert str(seq) in found.text


async def test_a_forged_entry_beside_a_true_one_is_found(attacker: asyncpg.Connection, clock: SetClock) -> None:
    """A fork whose digest fits is still two entries under one number."""
    await happen(clock, 6)
    previous = await attacker.fetchval("SELECT digest FROM evidence WHERE seq = 4")
    digest = entry_digest(5, clock(), "rights:request:closed", "worker", "", "{}", previous)
    await attacker.execute(
        "INSERT INTO evidence (seq, at, event, actor, reference, details, previous, digest)"
        " VALUES (5, $1, 'rights:request:closed', 'worker', '', '{}', $2, $3)", clock(), previous, digest,
    )  # fmt: skip
    found = (await verify(attacker, {})).broken
    assert found
    assert found.seq in {5, 6}
    assert found.kind in {"fork", "link"}


async def test_an_exchanged_sealed_content_is_found(
    attacker: asyncpg.Connection, settings: Settings, clock: SetClock, subject: UUID
) -> None:
    """The entry that names it is named; a content that retention removed is no fault."""
    async with engine().transaction():
        sealed = await seal(subject, b"what was told", reference="DR-2026-0001", settings=settings, at=clock())
        await keep(sealed, reference="DR-2026-0001", at=clock())
        await append("rights:letter:sent", at=clock(), actor="worker", details={"sealed": sealed.digest})
    assert (await verify(attacker, {})).broken is None
    await attacker.execute("UPDATE sealed SET body = '\\x00'")
    found = (await verify(attacker, {})).broken
    assert found
    assert (found.seq, found.kind) == (1, "content")
    await attacker.execute("DELETE FROM sealed")
    assert (await verify(attacker, {})).broken is None


async def test_an_empty_log_is_whole(connection: asyncpg.Connection) -> None:
    """Nothing happened yet."""
    found = await verify(connection, {})
    assert (found.entries, found.head.digest, found.broken) == (0, FIRST, None)


async def test_more_entries_than_are_fetched_at_once(connection: asyncpg.Connection, clock: SetClock) -> None:
    """The walk goes over the seams between its pieces; the fault behind one is found."""
    rows, previous = [], FIRST
    for seq in range(1, 12_002):
        digest = entry_digest(seq, clock(), "e", "worker", "", "{}", previous)
        rows.append((seq, clock(), "e", "worker", "", "{}", previous, digest))
        previous = digest
    await connection.copy_records_to_table("evidence", records=rows)
    assert (await verify(connection, {12_001: previous})).broken is None
    found = (await verify(connection, {12_001: FIRST})).broken
    assert found
    assert (found.seq, found.kind) == (12_001, "anchor")


async def test_a_moment_in_another_zone_verifies(connection: asyncpg.Connection, clock: SetClock) -> None:
    """The digest covers the instant, however it was written."""
    async with engine().transaction():
        await append("e", at=clock().astimezone(timezone(timedelta(hours=5, minutes=30))), actor="worker")
    assert (await verify(connection, {})).broken is None


async def test_the_log_refuses_change_while_its_trigger_stands(connection: asyncpg.Connection, clock: SetClock) -> None:
    """UPDATE, DELETE and TRUNCATE are refused, to the owner too."""
    await happen(clock, 1)
    for statement in ("UPDATE evidence SET actor = 'x'", "DELETE FROM evidence", "TRUNCATE evidence"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(statement)


async def test_anchors_are_of_our_making(ledger: FolderLedger, settings: Settings, clock: SetClock) -> None:
    """Whoever writes into the ledger without our key cannot move an anchor, only break the look at it."""
    await happen(clock, 3)
    await anchors.anchor(ledger, settings)
    file = next((ledger.folder / "heads").iterdir())
    file.rename(file.with_name(file.name.replace("-000000000000003-", "-000000000000002-")))
    with pytest.raises(LedgerError):
        await anchors.history(ledger, settings)


async def test_anchors_outlive_a_change_of_the_secret_key(
    database: str, ledger: FolderLedger, settings: Settings, clock: SetClock, tmp_path: Path
) -> None:
    """With the former key named, what it anchored still counts."""
    await happen(clock, 3)
    await anchors.anchor(ledger, settings)
    after = make_settings(database, tmp_path, HABEAS_SECRET_KEY="n" * 40, HABEAS_FORMER_SECRET_KEYS=SECRET)
    with pytest.raises(LedgerError):
        await anchors.history(ledger, make_settings(database, tmp_path, HABEAS_SECRET_KEY="n" * 40))
    assert len((await anchors.history(ledger, after)).anchors) == 1


async def test_one_entry_is_anchored_once(ledger: FolderLedger, settings: Settings, clock: SetClock) -> None:
    """Anchoring again without a new entry writes nothing."""
    await happen(clock, 3)
    assert await anchors.anchor(ledger, settings)
    assert await anchors.anchor(ledger, settings)
    assert len(await ledger.names("heads")) == 1
    await happen(clock, 1)
    assert await anchors.anchor(ledger, settings)
    assert len(await ledger.names("heads")) == 2


async def test_going_back_is_noticed_written_down_and_then_stands(
    attacker: asyncpg.Connection, ledger: FolderLedger, settings: Settings, clock: SetClock
) -> None:
    """A restored log fails until it is written down; afterwards it verifies, and who said so stays on record."""
    await happen(clock, 4)
    await anchors.anchor(ledger, settings)
    await happen(clock, 4)
    await anchors.anchor(ledger, settings)
    assert not await anchors.went_back(ledger, settings)
    await attacker.execute("DELETE FROM evidence WHERE seq > 6")
    await happen(clock, 7, event="another:life")
    assert await anchors.went_back(ledger, settings)
    assert not await anchors.anchor(ledger, settings)
    found = (await verify(attacker, (await anchors.history(ledger, settings)).digests)).broken
    assert found
    assert (found.seq, found.kind) == (8, "anchor")

    assert await anchors.note_restore(ledger, settings, at=clock(), declared=False)
    assert not await anchors.note_restore(ledger, settings, at=clock(), declared=False)
    known = await anchors.history(ledger, settings)
    assert [(restore.to.seq, restore.lost_to, restore.declared) for restore in known.restores] == [(4, 8, False)]
    assert (await verify(attacker, known.digests)).broken is None
    assert await anchors.anchor(ledger, settings)
    assert (await head()).seq in (await anchors.history(ledger, settings)).digests

    await anchors.note_restore(ledger, settings, at=clock(), declared=True)
    assert [restore.declared for restore in (await anchors.history(ledger, settings)).restores] == [True]


def test_a_digest_is_what_it_says(clock: SetClock) -> None:
    """Anybody can compute it: SHA-256 over a JSON list."""
    listed = b'[1,"2026-10-14T09:00:00+00:00","e","worker","DR-1","{}","' + FIRST.encode() + b'"]'
    assert entry_digest(1, clock(), "e", "worker", "DR-1", "{}", FIRST) == hashlib.sha256(listed).hexdigest()

"""Erase somebody, restore a backup from before, and see that nobody is let in until they are gone again."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import pytest

from portal.app import create_app
from portal.backup import back_up, bring_back
from portal.clock import SetClock
from portal.database import engine
from portal.evidence import anchors, tombstones
from portal.evidence.ledger import FolderLedger, LedgerError, open_ledger
from portal.evidence.log import append
from portal.evidence.tombstones import Tombstone
from portal.evidence.verify import verify
from portal.gate import Gate
from portal.identity.tables import KnownIdentifier, OutsideIdentity, Session, Subject
from portal.policy.load import load
from portal.replay import Replay, behind, close_when_behind, open_when_in_order, people_of, put_in_order
from portal.settings import Settings
from tests.web_app import POLICIES, browsing

POLICY = load(POLICIES / "casagbic.toml")
ISSUER = "https://id.example"
ANA, BEN = "ana@person.example", "ben@person.example"


class Eraser:
    """Erases people of our own tables, as the right would, and counts how often it was asked."""

    def __init__(self, clock: SetClock, *, down: int = 0) -> None:
        self.clock, self.down = clock, down
        self.asked: list[UUID] = []

    async def __call__(self, subject: UUID, tombstone: Tombstone) -> bool:
        """Erase again; False while a system is `down`."""
        self.asked.append(subject)
        if self.down:
            self.down -= 1
            return False
        await erase_own(subject)
        return True


async def person(email: str, account: str, clock: SetClock) -> UUID:
    """Somebody who is signed in."""
    subject = Subject(id=uuid4(), email=email, created_at=clock())
    await subject.save()
    await KnownIdentifier(subject=subject.id, kind="account_id", value=account).save()
    await OutsideIdentity(subject=subject.id, issuer=ISSUER, identifier=account, created_at=clock()).save()
    await Session(
        subject=subject.id, token_hash=account, way="code", created_at=clock(), confirmed_at=clock(),
        expires_at=clock() + timedelta(days=30),
    ).save()  # fmt: skip
    async with engine().transaction():
        await append("identity:session:started", at=clock(), actor="person")
    return subject.id


async def erase_own(subject: UUID) -> None:
    await KnownIdentifier.delete().where(KnownIdentifier.subject == subject)
    await OutsideIdentity.delete().where(OutsideIdentity.subject == subject)
    await Session.delete().where(Session.subject == subject)
    await Subject.update({Subject.email: None, Subject.display_name: ""}).where(Subject.id == subject)


async def erase(subject: UUID, email: str, account: str, settings: Settings, clock: SetClock) -> Tombstone:
    """Erase somebody for the first time, as the right does at its end."""
    ledger = open_ledger(settings)
    await erase_own(subject)
    tombstone = await tombstones.bury(
        ledger, settings, POLICY, key=f"erasure:{subject}", subject=subject, at=clock(),
        identifiers=[("email", email), ("account_id", account), ("outside", f"{ISSUER} {account}")],
    )  # fmt: skip
    async with engine().transaction():
        await tombstones.know(tombstone.id, at=clock())
    assert await anchors.anchor(ledger, settings)
    return tombstone


async def addresses() -> Sequence[str]:
    return sorted(row["email"] for row in await Subject.select(Subject.email) if row["email"])


async def living_sessions() -> int:
    return int(await Session.count().where(Session.ended_at.is_null()))


@pytest.fixture
async def ana(settings: Settings, clock: SetClock, tmp_path: Path) -> UUID:
    """Ana, who was backed up and then erased; Ben, who stays; and the backup restored over both."""
    await person(BEN, "4712", clock)
    ana = await person(ANA, "4711", clock)
    await back_up(settings, tmp_path / "backup")
    await erase(ana, ANA, "4711", settings, clock)
    assert await addresses() == [BEN]
    assert not await behind(open_ledger(settings), settings)
    await bring_back(settings, tmp_path / "backup", replace=True)
    assert await addresses() == [ANA, BEN]
    return ana


async def opened(gate: Gate, settings: Settings, clock: SetClock, replay: Replay) -> None:
    """Start once, as serve does, and wait until the gate is open."""
    await close_when_behind(gate, settings)
    await asyncio.wait_for(open_when_in_order(gate, settings, clock, replay, asyncio.Event()), 20)


async def test_a_restored_person_is_erased_again_before_anybody_is_let_in(
    ana: UUID, settings: Settings, clock: SetClock
) -> None:
    """Noticed, refused, replayed, opened; Ben and everybody else keep their data, and sign in again."""
    gate, eraser, ledger = Gate(), Eraser(clock), open_ledger(settings)
    app = create_app(POLICY, settings, clock, sources=cast(Any, None), storage=cast(Any, None), gate=gate)
    await close_when_behind(gate, settings)
    assert gate.closed
    async with browsing(app) as client:
        for path in ("/en", "/en/sign-in", "/en/receipt", "/webhooks/resend", "/admin/", "/"):
            shut = await client.get(path)
            assert (shut.status_code, path) == (503, path)
            assert "We are putting a backup in order" in shut.text
            assert "Your requests are safe" in shut.text
            assert shut.headers["retry-after"] == "300"
            assert "content-security-policy" in shut.headers
        assert "Nous remettons une sauvegarde en ordre" in (await client.get("/fr/requests")).text
        assert (await client.post("/en/sign-in", data={"email": ANA})).status_code == 503
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/static/style.css")).status_code == 200
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["database"]) == (503, "restored")

        await opened(gate, settings, clock, eraser)
        assert not gate.closed
        assert (await client.get("/en/accessibility")).status_code == 200
    assert eraser.asked == [ana]
    assert await addresses() == [BEN]
    assert await living_sessions() == 0
    assert not await behind(ledger, settings)
    assert len((await anchors.history(ledger, settings)).restores) == 1


async def test_the_log_tells_of_the_replay_and_verifies(ana: UUID, settings: Settings, clock: SetClock) -> None:
    """What the restore took is written down beside the anchors; what came since is anchored anew."""
    ledger = open_ledger(settings)
    await opened(Gate(), settings, clock, Eraser(clock))
    connection = await asyncpg.connect(settings.database_dsn)
    events = [row["event"] for row in await connection.fetch("SELECT event FROM evidence ORDER BY seq")]
    known = await anchors.history(ledger, settings)
    report = await verify(connection, known.digests)
    await connection.close()
    assert events[-2:] == ["evidence:tombstone:replayed", "evidence:database:restored"]
    assert (report.broken, report.entries) == (None, len(events))
    assert len(events) in known.digests
    assert ANA not in str(known)


async def test_nothing_opens_while_a_system_cannot_be_asked(ana: UUID, settings: Settings, clock: SetClock) -> None:
    """The replay is asked again until it says that nothing is left; a kill in between changes nothing."""
    eraser, ledger = Eraser(clock, down=2), open_ledger(settings)
    for _ in range(2):
        assert not await put_in_order(ledger, settings, clock, eraser)
        assert await behind(ledger, settings)
    assert ANA in await addresses()
    assert await put_in_order(ledger, settings, clock, eraser)
    assert eraser.asked == [ana] * 3
    assert not await behind(ledger, settings)


async def test_two_processes_replay_once(ana: UUID, settings: Settings, clock: SetClock) -> None:
    """The second waits for the first and finds nothing left to do."""
    eraser = Eraser(clock)
    gates = Gate(), Gate()
    await asyncio.gather(*(opened(gate, settings, clock, eraser) for gate in gates))
    assert not any(gate.closed for gate in gates)
    assert eraser.asked == [ana]


async def test_a_ledger_that_cannot_be_read_lets_nobody_in(ana: UUID, settings: Settings, clock: SetClock) -> None:
    """Whoever cannot tell keeps the gate closed, and goes on trying until told to stop."""
    ledger = open_ledger(settings)
    assert isinstance(ledger, FolderLedger)
    file = next((ledger.folder / "tombstones").iterdir())
    content = file.read_bytes()
    file.write_bytes(content.replace(b"buried_at", b"buried_by"))
    gate, stopping = Gate(), asyncio.Event()
    await close_when_behind(gate, settings)
    assert gate.closed
    with pytest.raises(LedgerError):
        await behind(ledger, settings)
    trying = asyncio.create_task(open_when_in_order(gate, settings, clock, Eraser(clock), stopping))
    stopping.set()
    await asyncio.wait_for(trying, 20)
    assert gate.closed
    file.write_bytes(content)
    await opened(gate, settings, clock, Eraser(clock))
    assert not gate.closed


async def test_without_a_restore_the_gate_is_open_at_once(settings: Settings, clock: SetClock) -> None:
    """An erasure that this database has seen is nobody's to replay, nor is one whose job was killed."""
    ana = await person(ANA, "4711", clock)
    await erase(ana, ANA, "4711", settings, clock)
    ben = await person(BEN, "4712", clock)
    await tombstones.bury(
        open_ledger(settings),
        settings,
        POLICY,
        key="erasure:ben",
        subject=ben,
        identifiers=[("email", BEN)],
        at=clock(),
    )
    gate, eraser = Gate(), Eraser(clock)
    await close_when_behind(gate, settings)
    assert not gate.closed
    await opened(gate, settings, clock, eraser)
    assert eraser.asked == []
    assert await living_sessions() == 1


async def test_people_are_found_by_what_they_were_known_by(ana: UUID, settings: Settings, clock: SetClock) -> None:
    """Where our own id is another one, as after signing up to a lost database anew, any identifier will do."""
    ledger = open_ledger(settings)
    (waiting,) = await tombstones.missing(ledger, settings)
    assert await people_of([waiting], settings) == {waiting.id: [ana]}
    await erase_own(ana)
    assert await people_of([waiting], settings) == {waiting.id: [ana]}, "our own id comes first"
    await Subject.delete().where(Subject.id == ana)
    assert await people_of([waiting], settings) == {waiting.id: []}
    for table, value in ((Subject, ANA), (KnownIdentifier, "4711"), (OutsideIdentity, "4711")):
        again = await person(value if table is Subject else f"{uuid4()}@x.example", str(uuid4()), clock)
        if table is KnownIdentifier:
            await KnownIdentifier(subject=again, kind="account_id", value=value).save()
        if table is OutsideIdentity:
            await OutsideIdentity(subject=again, issuer=ISSUER, identifier=value, created_at=clock()).save()
        assert await people_of([waiting], settings) == {waiting.id: [again]}
        await erase_own(again)
        await Subject.delete().where(Subject.id == again)


async def test_a_database_that_was_lost_altogether_starts(settings: Settings, clock: SetClock, tmp_path: Path) -> None:
    """An empty one has nobody to erase; the tombstones are known again, and the loss is on record."""
    await back_up(settings, tmp_path / "empty")
    ana = await person(ANA, "4711", clock)
    await erase(ana, ANA, "4711", settings, clock)
    await bring_back(settings, tmp_path / "empty", replace=True)
    gate, eraser, ledger = Gate(), Eraser(clock), open_ledger(settings)
    await opened(gate, settings, clock, eraser)
    assert not gate.closed
    assert eraser.asked == []
    assert [restore.to.seq for restore in (await anchors.history(ledger, settings)).restores] == [0]

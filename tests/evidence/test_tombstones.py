"""Whom we erased is remembered outside the database, by hashes, for as long as a backup could bring them back."""

import stat
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from demo.seaweed import Seaweed
from portal.clock import SetClock
from portal.database import engine
from portal.errors import SettingsError
from portal.evidence.bucket import BucketLedger
from portal.evidence.ledger import FolderLedger, Ledger, LedgerError, open_ledger
from portal.evidence.tombstones import Tombstone, bury, by_hash, find, forget, hashed, know, lost, missing, tombstone_id
from portal.policy.load import load
from portal.settings import Settings
from tests.evidence.conftest import SECRET, happen, make_settings

ROOT = Path(__file__).parent.parent.parent
POLICY = load(ROOT / "policies" / "casagbic.toml")
NO_PERIOD = load(ROOT / "policies" / "caaartoons.toml")
KNOWN_BY = [("email", " Ana@Person.example "), ("account_id", "4711"), ("stripe_customer", "cus_secret")]


async def erase(
    ledger: Ledger, settings: Settings, clock: SetClock, subject: UUID, key: str = "erasure:1"
) -> Tombstone:
    """Bury somebody and say so, as an erasure does at its end."""
    tombstone = await bury(
        ledger, settings, POLICY, key=key, subject=subject, identifiers=KNOWN_BY, categories=["prompts"], at=clock()
    )
    async with engine().transaction():
        await know(tombstone.id, at=clock())
    return tombstone


async def test_the_ledger_holds_hashes_and_nothing_that_names_anybody(
    ledger: FolderLedger, settings: Settings, clock: SetClock, subject: UUID
) -> None:
    """Nothing the person was known by can be read in the folder, only recognised with the key."""
    tombstone = await erase(ledger, settings, clock, subject)
    files = [path for path in ledger.folder.rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert len(files) == 1
    for name in (b"ana", b"Ana", b"person.example", b"4711", b"cus_secret"):
        assert name not in content
    assert hashed(settings, ("email", "ana@person.example"))[0] in tombstone.hashes
    assert hashed(settings, ("account_id", "ana@person.example"))[0] not in tombstone.hashes
    assert list(by_hash([tombstone])[hashed(settings, ("account_id", "4711"))[0]]) == [tombstone]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700


async def test_burying_again_gives_back_the_first(
    ledger: FolderLedger, settings: Settings, clock: SetClock, subject: UUID
) -> None:
    """A job that was killed after burying finds its tombstone, and announces it once."""
    first = await erase(ledger, settings, clock, subject)
    clock.advance(timedelta(days=1))
    assert await erase(ledger, settings, clock, subject) == first
    assert await find(ledger, settings, tombstone_id(settings, "erasure:1")) == first
    assert (await erase(ledger, settings, clock, subject, key="erasure:2")).id != first.id
    assert len(await ledger.names("tombstones")) == 2


async def test_a_killed_erasure_is_no_restore(
    ledger: FolderLedger, settings: Settings, clock: SetClock, subject: UUID
) -> None:
    """Between the tombstone and the commit the database is not older than the ledger: the job goes on by itself."""
    await bury(ledger, settings, POLICY, key="erasure:1", subject=subject, identifiers=KNOWN_BY, at=clock())
    assert await missing(ledger, settings) == []


async def test_a_database_from_before_the_erasure_misses_it(
    ledger: FolderLedger, settings: Settings, clock: SetClock, subject: UUID, attacker: asyncpg.Connection
) -> None:
    """Whatever else happened since, the tombstone is missing until it is known again."""
    await happen(clock, 3)
    tombstone = await erase(ledger, settings, clock, subject)
    assert await missing(ledger, settings) == []
    await attacker.execute("DELETE FROM evidence WHERE seq > 2; DELETE FROM known_tombstone")
    await happen(clock, 9, event="another:life")
    assert await missing(ledger, settings) == [tombstone]
    async with engine().transaction():
        await know(tombstone.id, at=clock())
    assert await missing(ledger, settings) == []


async def test_a_tombstone_nobody_of_us_wrote_stops_everything(
    ledger: FolderLedger, settings: Settings, clock: SetClock, subject: UUID, attacker: asyncpg.Connection
) -> None:
    """Otherwise whoever can write into the folder could have anybody erased at the next start."""
    await erase(ledger, settings, clock, subject)
    await attacker.execute("DELETE FROM evidence; DELETE FROM known_tombstone")
    file = next((ledger.folder / "tombstones").iterdir())
    file.write_bytes(file.read_bytes().replace(str(subject).encode(), str(UUID(int=7)).encode()))
    with pytest.raises(LedgerError):
        await missing(ledger, settings)
    for broken in (b"half a f", b'{"mac":"\xe2","says":{}}', b"[" * 20_000):
        file.write_bytes(broken)
        with pytest.raises(LedgerError):
            await missing(ledger, settings)


async def test_it_is_forgotten_when_no_backup_can_need_it(
    ledger: FolderLedger, settings: Settings, clock: SetClock, subject: UUID
) -> None:
    """The age of the oldest backup and thirty days later, and not a day earlier."""
    tombstone = await erase(ledger, settings, clock, subject)
    assert tombstone.forget_after == date(2026, 12, 13)
    clock.advance(timedelta(days=60))
    assert await forget(ledger, settings, at=clock()) == 0
    clock.advance(timedelta(days=1))
    assert await forget(ledger, settings, at=clock()) == 1
    assert await ledger.names("tombstones") == []
    assert await lost(ledger) == 0
    assert await forget(ledger, settings, at=clock()) == 0


async def test_without_a_period_it_is_kept_longer(
    ledger: FolderLedger, settings: Settings, clock: SetClock, subject: UUID
) -> None:
    """A policy that does not say how long backups live gets 180 days and the margin."""
    found = await bury(ledger, settings, NO_PERIOD, key="erasure:1", subject=subject, identifiers=[], at=clock())
    assert found.forget_after == clock().date() + timedelta(days=210)


async def test_a_lost_ledger_is_noticed(
    ledger: FolderLedger, settings: Settings, clock: SetClock, subject: UUID
) -> None:
    """What the database knows and the ledger has not could not be replayed."""
    await erase(ledger, settings, clock, subject)
    assert await lost(ledger) == 0
    next((ledger.folder / "tombstones").iterdir()).unlink()
    assert await lost(ledger) == 1


async def test_hashes_of_a_former_key_are_still_recognised(
    ledger: FolderLedger, database: str, tmp_path: Path, settings: Settings, clock: SetClock, subject: UUID
) -> None:
    """After a change of the secret key, with the former one named."""
    old = await erase(ledger, settings, clock, subject)
    after = make_settings(database, tmp_path, HABEAS_SECRET_KEY="n" * 40, HABEAS_FORMER_SECRET_KEYS=SECRET)
    assert set(hashed(after, ("account_id", "4711"))) & old.hashes
    assert await find(ledger, after, old.id) == old


async def test_the_first_that_is_written_stays(ledger: FolderLedger) -> None:
    """A file is never overwritten, and what a kill left half-written is not there."""
    await ledger.write("heads/1", b"one")
    await ledger.write("heads/1", b"two")
    assert await ledger.read("heads/1") == b"one"
    (ledger.folder / "heads" / ".0123456789abcdef").write_bytes(b"ha")
    assert await ledger.names("heads") == ["heads/1"]
    await ledger.delete("heads/1")
    await ledger.delete("heads/1")
    assert await ledger.read("heads/1") is None
    with pytest.raises(ValueError, match="not a name"):
        await ledger.write("heads/../../etc/passwd", b"")


async def test_a_bucket_keeps_the_ledger_as_a_folder_does(
    seaweed: Seaweed, settings: Settings, clock: SetClock, subject: UUID, monkeypatch: pytest.MonkeyPatch,
    database: str, tmp_path: Path,
) -> None:  # fmt: skip
    """Written once, listed, read and forgotten in every version, below its own prefix."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.secret_key)
    prefix = subject.hex
    ledger = open_ledger(
        make_settings(
            database, tmp_path,
            HABEAS_TOMBSTONES=f"s3://uploads/{prefix}/", HABEAS_TOMBSTONES_S3_ENDPOINT=seaweed.endpoint,
        )
    )  # fmt: skip
    assert isinstance(ledger, BucketLedger)
    try:
        assert await ledger.check() == []
        assert await ledger.names("tombstones") == []
        assert await ledger.read("tombstones/none") is None
        await ledger.write("heads/1", b"one")
        await ledger.write("heads/1", b"two")
        assert await ledger.read("heads/1") == b"one"
        tombstone = await erase(ledger, settings, clock, subject)
        assert await ledger.names("tombstones") == [f"tombstones/{tombstone.id}"]
        assert seaweed.keys("uploads") >= {f"{prefix}/tombstones/{tombstone.id}", f"{prefix}/heads/1"}
        clock.advance(timedelta(days=61))
        assert await forget(ledger, settings, at=clock()) == 1
        assert await ledger.names("tombstones") == []
    finally:
        await ledger.close()


async def test_a_ledger_that_does_not_answer_says_so(database: str, tmp_path: Path) -> None:
    """A folder that is none is an error of the ledger, with a remedy in the check; a wrong setting is said."""
    file = tmp_path / "file"
    file.write_text("")
    folder = FolderLedger(file / "below")
    assert len(await folder.check()) == 1
    with pytest.raises(LedgerError):
        await folder.write("heads/1", b"")
    for wrong in ("s3://", "ftp://somewhere"):
        with pytest.raises(SettingsError):
            open_ledger(make_settings(database, tmp_path, HABEAS_TOMBSTONES=wrong))
    default = open_ledger(make_settings(database, tmp_path))
    assert isinstance(default, FolderLedger)
    assert default.folder == tmp_path / "tombstones"


async def test_what_a_killed_writer_left_beside_a_tombstone_goes(tmp_path: Path) -> None:
    """Killed before it had its name, or right after: whoever writes or reads it next leaves one whole file."""
    ledger, folder = FolderLedger(tmp_path), tmp_path / "tombstones"
    folder.mkdir()
    (folder / ".one.half").write_bytes(b"ha")
    await ledger.write("tombstones/one", b"whole")
    (folder / ".one.linked").hardlink_to(folder / "one")
    assert await ledger.read("tombstones/one") == b"whole"
    assert [path.name for path in folder.iterdir()] == ["one"]

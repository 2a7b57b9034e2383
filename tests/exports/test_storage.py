"""Where parcels are kept: one suite for the folder and for a real S3 server."""

import os
import stat
from pathlib import Path

import pytest

from exports.storage import FolderStorage, NotStored, Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """A folder."""
    return FolderStorage(tmp_path / "parcels")


async def _content(storage: Storage, place: str) -> bytes:
    return b"".join([piece async for piece in storage.open(place)])


async def test_what_is_put_is_what_is_opened(storage: Storage, tmp_path: Path) -> None:
    """Bytes and size are the same, in pieces of at most a mebibyte."""
    source = tmp_path / "source"
    source.write_bytes(os.urandom(20_000_000))
    await storage.put("a.zip", source)
    pieces = [piece async for piece in storage.open("a.zip")]
    assert b"".join(pieces) == source.read_bytes()
    assert max(map(len, pieces)) <= 1 << 20
    assert await storage.size("a.zip") == 20_000_000


async def test_putting_again_replaces(storage: Storage, tmp_path: Path) -> None:
    """A repeated attempt leaves one parcel."""
    source = tmp_path / "source"
    for content in (b"first", b"second"):
        source.write_bytes(content)
        await storage.put("a.zip", source)
    assert await _content(storage, "a.zip") == b"second"


async def test_deleting_is_for_good_and_may_be_repeated(storage: Storage, tmp_path: Path) -> None:
    """After it there is nothing, and deleting nothing is fine."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    await storage.put("a.zip", source)
    await storage.delete("a.zip")
    await storage.delete("a.zip")
    with pytest.raises(NotStored):
        await storage.size("a.zip")
    with pytest.raises(NotStored):
        await _content(storage, "a.zip")


@pytest.mark.parametrize("place", ["../a", "/etc/passwd", "a/../../b", "", "a//b", ".hidden", "a\x00b", "a/b/c/d/e"])
async def test_a_place_outside_is_refused(storage: Storage, tmp_path: Path, place: str) -> None:
    """No place leads out of the storage."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    with pytest.raises(ValueError, match="place"):
        await storage.put(place, source)
    with pytest.raises(ValueError, match="place"):
        await _content(storage, place)


async def test_a_working_storage_has_nothing_to_report(storage: Storage) -> None:
    """The check finds no fault where there is none."""
    assert await storage.check() == []


async def test_only_we_can_read_a_parcel_in_the_folder(tmp_path: Path) -> None:
    """Folder and file are closed to other users, and no draft is left."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    await FolderStorage(tmp_path / "parcels").put("a.zip", source)
    folder = tmp_path / "parcels"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [(path.name, stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()] == [("a.zip", 0o600)]


async def test_a_failed_put_leaves_the_old_parcel(tmp_path: Path) -> None:
    """When the new one cannot be read, the one that was there stays whole."""
    storage, source = FolderStorage(tmp_path / "parcels"), tmp_path / "source"
    source.write_bytes(b"first")
    await storage.put("a.zip", source)
    with pytest.raises(FileNotFoundError):
        await storage.put("a.zip", tmp_path / "absent")
    assert await _content(storage, "a.zip") == b"first"
    assert [path.name for path in (tmp_path / "parcels").iterdir()] == ["a.zip"]

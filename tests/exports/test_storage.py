"""Where parcels are kept: one suite for the folder and for a real S3 server."""

import os
import stat
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from demo.faults import Fault, between
from demo.seaweed import Seaweed
from exports.storage import FolderStorage, NotStored, S3Storage, Storage, StorageError


def _bucket(seaweed: Seaweed, endpoint: str = "") -> S3Storage:
    return S3Storage(
        "parcels",
        endpoint=endpoint or seaweed.endpoint,
        access_key=seaweed.access_key,
        secret_key=seaweed.secret_key,
        region=seaweed.region,
        seconds=2 if endpoint else 30,
    )


@pytest.fixture(params=["folder", "s3"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    """A folder, and a versioned bucket on a real S3 server."""
    if request.param == "folder":
        yield FolderStorage(tmp_path / "parcels")
        return
    bucket = _bucket(request.getfixturevalue("seaweed"))
    yield bucket
    await bucket.close()


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


async def test_a_deleted_parcel_leaves_no_version_behind(seaweed: Seaweed, tmp_path: Path) -> None:
    """In a versioned bucket, replaced and deleted parcels are gone, not hidden."""
    storage, source = _bucket(seaweed), tmp_path / "source"
    for content in (b"first", b"second"):
        source.write_bytes(content)
        await storage.put("versions.zip", source)
    with closing(seaweed.client()) as client:
        assert len(client.list_object_versions(Bucket="parcels", Prefix="parcels/versions.zip")["Versions"]) == 1
    await storage.delete("versions.zip")
    await storage.close()
    with closing(seaweed.client()) as client:
        left = client.list_object_versions(Bucket="parcels", Prefix="parcels/versions.zip")
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")


async def test_the_bucket_clears_away_what_we_forget(seaweed: Seaweed) -> None:
    """The check leaves one rule of ours that expires parcels and unfinished uploads; a second check adds none."""
    storage = _bucket(seaweed)
    assert await storage.check() == []
    assert await storage.check() == []
    await storage.close()
    with closing(seaweed.client()) as client:
        rules = client.get_bucket_lifecycle_configuration(Bucket="parcels")["Rules"]
    assert [(rule["ID"], rule["Status"], rule["Expiration"]["Days"]) for rule in rules] == [
        ("habeas-parcels", "Enabled", 30)
    ]


async def test_a_bucket_that_does_not_answer_is_said_with_a_remedy(seaweed: Seaweed) -> None:
    """A wrong name is one clear sentence."""
    storage = S3Storage("absent", endpoint=seaweed.endpoint, access_key=seaweed.access_key, secret_key="wrong")
    assert "Check its name" in (await storage.check())[0]
    await storage.close()


@pytest.mark.parametrize("cuts", [1, 4])
async def test_a_download_that_breaks_goes_on_where_it_stopped(cuts: int, seaweed: Seaweed, tmp_path: Path) -> None:
    """Cut in the middle, however often, the stream is taken up again and every byte arrives once."""
    source = tmp_path / "source"
    source.write_bytes(os.urandom(6_000_000))
    direct = _bucket(seaweed)
    await direct.put("broken.zip", source)
    with between(seaweed.endpoint, cut_bytes=1_500_000) as proxy:
        storage = _bucket(seaweed, proxy.url)
        proxy.fail(Fault.PASS, *[Fault.CUT] * cuts)
        assert await _content(storage, "broken.zip") == source.read_bytes()
        await storage.close()
    await direct.close()


async def test_a_download_that_brings_nothing_ends(seaweed: Seaweed, tmp_path: Path) -> None:
    """Three times in a row without one more byte is an error of ours, and no endless loop."""
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3_000_000))
    direct = _bucket(seaweed)
    await direct.put("broken.zip", source)
    with between(seaweed.endpoint, cut_bytes=1000) as proxy:
        storage = _bucket(seaweed, proxy.url)
        proxy.fail(Fault.PASS, *[Fault.CUT] * 9)
        with pytest.raises(StorageError):
            await _content(storage, "broken.zip")
        await storage.close()
    await direct.close()


async def test_an_upload_that_fails_leaves_nothing(seaweed: Seaweed, tmp_path: Path) -> None:
    """When the server keeps refusing, the error is ours, and neither half a parcel nor a pending upload is left."""
    source = tmp_path / "source"
    source.write_bytes(os.urandom(1000))
    with between(seaweed.endpoint) as proxy:
        storage = _bucket(seaweed, proxy.url)
        proxy.fail(*[Fault.BUSY] * 4)
        with pytest.raises(StorageError):
            await storage.put("half.zip", source)
        await storage.close()
    assert "parcels/half.zip" not in seaweed.keys("parcels")


async def test_a_reader_who_leaves_early_is_no_trouble(storage: Storage, tmp_path: Path) -> None:
    """Closing the stream half way frees what it held."""
    source = tmp_path / "source"
    source.write_bytes(os.urandom(5_000_000))
    await storage.put("early.zip", source)
    async with aclosing(storage.open("early.zip")) as pieces:  # type: ignore[type-var]
        async for _ in pieces:
            break
    assert await storage.size("early.zip") == 5_000_000


async def test_everything_that_is_there_is_named(storage: Storage, tmp_path: Path) -> None:
    """Whoever looks for what was forgotten sees every place."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    for place in ("named/a.zip", "named/b.pdf"):
        await storage.put(place, source)
    assert {place async for place in storage.names() if place.startswith("named/")} == {"named/a.zip", "named/b.pdf"}
    await storage.delete("named/a.zip")
    await storage.delete("named/b.pdf")
    assert [place async for place in storage.names() if place.startswith("named/")] == []


async def test_drafts_of_a_killed_put_are_named(tmp_path: Path) -> None:
    """Half a parcel is a copy too."""
    (tmp_path / ".a.zip.draft").write_bytes(b"half")
    assert [place async for place in FolderStorage(tmp_path).names()] == ["a.zip"]
    assert [place async for place in FolderStorage(tmp_path / "none").names()] == []


async def test_former_versions_and_unfinished_uploads_are_named(seaweed: Seaweed) -> None:
    """A bucket hides what it still holds."""
    bucket = _bucket(seaweed)
    with closing(seaweed.client()) as client:
        client.put_object(Bucket="parcels", Key="parcels/hidden.zip", Body=b"x")
        client.delete_object(Bucket="parcels", Key="parcels/hidden.zip")
        upload = client.create_multipart_upload(Bucket="parcels", Key="parcels/begun.zip")["UploadId"]
        assert {"hidden.zip", "begun.zip"} <= {place async for place in bucket.names()}
        client.abort_multipart_upload(Bucket="parcels", Key="parcels/begun.zip", UploadId=upload)
        await bucket.delete("hidden.zip")
        assert not {"hidden.zip", "begun.zip"} & {place async for place in bucket.names()}
    await bucket.close()

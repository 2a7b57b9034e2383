"""A bucket through boto3, against a real S3 server and a proxy that breaks things."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import msgspec
import pytest

from demo.faults import Fault, Proxy, between
from demo.seaweed import Seaweed
from exports.order import StoredFile
from portal.errors import SourceRefused, SourceUnavailable
from portal.policy.model import Prefix, S3Source
from portal.sources.base import Identifiers
from portal.sources.s3 import Bucket, file_name
from tests.sources.platform import TITLE

BODY = bytes(range(256)) * 12_000
ONE = Identifiers(account_ids=frozenset({"1"}))


@pytest.fixture
def folder(seaweed: Seaweed) -> str:
    """A place in the bucket of this test alone."""
    return f"t{os.urandom(5).hex()}"


@pytest.fixture
def proxy(seaweed: Seaweed) -> Iterator[Proxy]:
    """A proxy before the server, which cuts at a million bytes when it is told to."""
    with between(seaweed.endpoint, cut_bytes=1_000_000) as running:
        yield running


@pytest.fixture
async def bucket(seaweed: Seaweed, proxy: Proxy, folder: str) -> AsyncIterator[Bucket]:
    """The adapter behind the proxy."""
    source = Bucket(spec(folder), endpoint=proxy.url, access_key=seaweed.access_key, secret_key=seaweed.secret_key)
    yield source
    await source.close()


def spec(folder: str, prefix: str = "/{account_id}/") -> S3Source:
    """Describe the bucket."""
    return S3Source(
        id="uploads", title=TITLE, bucket="uploads", access_key_variable="A", secret_key_variable="B",
        region="eu-west-3", prefixes=(Prefix(category="uploads", prefix=f"{folder}{prefix}", kind="upload"),),
    )  # fmt: skip


async def rows(source: Bucket, subject: Identifiers = ONE) -> list[dict[str, object]]:
    """Collect the records."""
    lines = b"".join([batch.lines async for batch in source.collect(subject, "uploads")])
    return [msgspec.json.decode(line) for line in lines.splitlines()]


async def only_file(source: Bucket) -> StoredFile:
    """Return the one file there is."""
    (file,) = [file async for file in source.files(ONE, "uploads")]
    return file


async def content(file: StoredFile) -> bytes:
    """Read a file to its end."""
    return b"".join([piece async for piece in file.open()])


async def test_a_neighbour_whose_number_begins_alike_is_not_listed(
    bucket: Bucket, seaweed: Seaweed, folder: str
) -> None:
    """`1/` is not the beginning of `10/`."""
    for account in ("1", "10", "11"):
        seaweed.put("uploads", f"{folder}/{account}/a.txt", b"x", media_type="text/plain", name=f"of {account}")
    assert [row["name"] for row in await rows(bucket)] == ["of 1"]


@pytest.mark.parametrize("account", ["", "1/../10", "10/secret"])
async def test_an_account_id_that_could_reach_elsewhere_is_refused(bucket: Bucket, account: str) -> None:
    """An id with a slash, or none at all, would list other people's files."""
    with pytest.raises(SourceRefused):
        await bucket.count(Identifiers(account_ids=frozenset({account})))


async def test_a_prefix_without_its_slash_is_refused(seaweed: Seaweed, folder: str) -> None:
    """Even if the policy file let it through."""
    keys = {"access_key": seaweed.access_key, "secret_key": seaweed.secret_key}
    source = Bucket(spec(folder, "/{account_id}"), endpoint=seaweed.endpoint, **keys)
    with pytest.raises(SourceRefused):
        await source.count(ONE)
    await source.close()


async def test_earlier_and_deleted_versions_are_told_with_their_date(
    bucket: Bucket, seaweed: Seaweed, folder: str
) -> None:
    """Nothing is hidden, and only the current version is a file of the copy."""
    for body in (b"first", b"second!"):
        seaweed.put("uploads", f"{folder}/1/a.txt", body, media_type="text/plain", name="a.txt")
    seaweed.put("uploads", f"{folder}/1/gone.txt", b"gone", media_type="text/plain", name="gone.txt")
    with closing(seaweed.client()) as client:
        client.delete_object(Bucket="uploads", Key=f"{folder}/1/gone.txt")
    found = {(row["name"], row["size_bytes"]): row for row in await rows(bucket)}
    assert {key: row["current"] for key, row in found.items()} == {
        ("a.txt", 5): False, ("a.txt", 7): True, ("gone.txt", 4): False
    }  # fmt: skip
    assert all(str(row["stored_at"]).endswith("Z") for row in found.values())
    assert (await bucket.count(ONE))["uploads"] == 3
    assert await content(await only_file(bucket)) == b"second!"


async def test_a_file_is_streamed_in_pieces(bucket: Bucket, seaweed: Seaweed, folder: str) -> None:
    """A mebibyte at a time."""
    seaweed.put("uploads", f"{folder}/1/big.bin", BODY, media_type="application/octet-stream", name="big.bin")
    sizes = [len(piece) async for piece in (await only_file(bucket)).open()]
    assert sum(sizes) == len(BODY)
    assert max(sizes) <= 1 << 20


async def test_an_empty_file_is_an_empty_file(bucket: Bucket, seaweed: Seaweed, folder: str) -> None:
    """No piece, no error."""
    seaweed.put("uploads", f"{folder}/1/empty", b"", media_type="text/plain", name="empty")
    assert await content(await only_file(bucket)) == b""


async def test_a_stream_that_breaks_is_taken_up_where_it_broke(
    bucket: Bucket, seaweed: Seaweed, folder: str, proxy: Proxy
) -> None:
    """Cut three times, reset and told to slow down, the file is whole."""
    seaweed.put("uploads", f"{folder}/1/big.bin", BODY, media_type="image/png", name="big.png")
    file = await only_file(bucket)
    proxy.fail(Fault.CUT, Fault.CUT, Fault.BUSY, Fault.RESET, Fault.CUT)
    assert await content(file) == BODY


async def test_a_stream_that_breaks_for_ever_is_unavailable(
    bucket: Bucket, seaweed: Seaweed, folder: str, proxy: Proxy
) -> None:
    """It is never taken for a shorter file."""
    seaweed.put("uploads", f"{folder}/1/big.bin", BODY, media_type="image/png", name="big.png")
    file = await only_file(bucket)
    proxy.cut_bytes = 10
    proxy.fail(*[Fault.CUT] * 100)
    with pytest.raises(SourceUnavailable):
        await content(file)


async def test_a_file_that_went_away_is_unavailable(bucket: Bucket, seaweed: Seaweed, folder: str) -> None:
    """The next attempt will not list it any more."""
    seaweed.put("uploads", f"{folder}/1/a.txt", b"x", media_type="text/plain", name="a.txt")
    file = await only_file(bucket)
    with closing(seaweed.client()) as client:
        for version in client.list_object_versions(Bucket="uploads", Prefix=f"{folder}/1/")["Versions"]:
            client.delete_object(Bucket="uploads", Key=version["Key"], VersionId=version["VersionId"])
    with pytest.raises(SourceUnavailable):
        await content(file)


async def test_a_page_that_says_too_many_requests_is_no_refusal(bucket: Bucket, proxy: Proxy) -> None:
    """A proxy's own page has a status and no code: another try may change it, and no task is opened for it."""
    proxy.fail(*[Fault.TOO_MANY] * 30)
    with pytest.raises(SourceUnavailable):
        await bucket.count(ONE)


async def test_a_busy_server_is_asked_again(bucket: Bucket, proxy: Proxy) -> None:
    """One 503 is survived; a lasting one is unavailable."""
    proxy.fail(Fault.BUSY)
    assert (await bucket.count(ONE))["uploads"] == 0
    proxy.fail(*[Fault.BUSY] * 20)
    with pytest.raises(SourceUnavailable):
        await bucket.count(ONE)


async def test_wrong_keys_and_a_missing_bucket_are_refused(seaweed: Seaweed, folder: str) -> None:
    """`check` says the same, with a remedy."""
    wrong = Bucket(spec(folder), endpoint=seaweed.endpoint, access_key=seaweed.access_key, secret_key="no" * 10)
    missing = Bucket(
        msgspec.structs.replace(spec(folder), bucket="nowhere"), endpoint=seaweed.endpoint,
        access_key=seaweed.access_key, secret_key=seaweed.secret_key,
    )  # fmt: skip
    for source in (wrong, missing):
        with pytest.raises(SourceRefused):
            await source.count(ONE)
        (fault,) = [fault for fault in await source.check() if fault.severity == "error"]
        assert fault.remedy
        await source.close()


async def test_more_than_one_page_of_the_listing_is_read(bucket: Bucket, seaweed: Seaweed, folder: str) -> None:
    """1,005 versions of one object: none lost, none doubled."""
    with closing(seaweed.client()) as client:
        for number in range(1005):
            client.put_object(Bucket="uploads", Key=f"{folder}/1/a.txt", Body=str(number).encode())
    assert (await bucket.count(ONE))["uploads"] == 1005


@pytest.mark.parametrize(
    ("said", "name"),
    [("plain.txt", "plain.txt"), ("%C3%A9t%C3%A9%20100%25.txt", "été 100%.txt"), ("=?UTF-8?B?w6l0w6k=?=", "été"),
     ("%FF.txt", "\ufffd.txt"), ("", ""), ("..%2F..%2Fx", "../../x")],
)  # fmt: skip
def test_a_name_is_decoded_as_its_owner_wrote_it(said: str, name: str) -> None:
    """Metadata carries ASCII only."""
    assert file_name(said) == name

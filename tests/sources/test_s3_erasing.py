"""Erasing and searching a bucket, on a real S3 server and through a proxy that breaks things."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import pytest

from demo.faults import Fault, Proxy, between
from demo.seaweed import Seaweed, Upload
from portal.errors import SourceError, SourceRefused, SourceUnavailable, SourceUnsupported
from portal.policy.model import Prefix, S3Source
from portal.sources.base import Correction, Erased, Erasing, Finding, Held, Identifiers, Needles
from portal.sources.s3 import Bucket
from tests.sources.platform import TITLE

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ACCOUNT = "account-4711"
ANA = Identifiers(account_ids=frozenset({ACCOUNT}))
PSEUDONYM = UUID(int=7)
ALL = (Erasing(category="uploads", action="erase"),)
KEYS = (
    "plain.txt", "été.txt", "e\u0301te\u0301.txt", "emoji \U0001f469\u200d\U0001f4bb.png", "a+b c%20d.txt", "100%.txt",
    "<&'\">.txt", "deep/er/still/x", "a/b", "back\u202egnp.exe", " leading", "trailing ", "%2e%2e", "?x=1&y=2#z",
)  # fmt: skip


@pytest.fixture
def folder() -> str:
    """A place in the bucket of this test alone."""
    return f"t{os.urandom(5).hex()}"


@pytest.fixture
def proxy(seaweed: Seaweed) -> Iterator[Proxy]:
    """A proxy before the server."""
    with between(seaweed.endpoint, cut_bytes=150) as running:
        yield running


@pytest.fixture
def client(seaweed: Seaweed) -> Iterator["S3Client"]:
    """The owner's client, past the proxy."""
    with closing(seaweed.client()) as opened:
        yield opened


@pytest.fixture
async def bucket(seaweed: Seaweed, proxy: Proxy, folder: str) -> AsyncIterator[Bucket]:
    """The adapter behind the proxy, with keys that may delete."""
    keys = {
        "access_key": seaweed.access_key, "secret_key": seaweed.secret_key, "write_access_key": seaweed.access_key,
        "write_secret_key": seaweed.secret_key,
    }  # fmt: skip
    source = Bucket(spec(folder), endpoint=proxy.url, **keys)
    yield source
    await source.close()


def spec(folder: str, **more: object) -> S3Source:
    """Describe the bucket."""
    described = S3Source(
        id="uploads", title=TITLE, bucket="uploads", access_key_variable="A", secret_key_variable="B",
        region="eu-west-3",
        prefixes=(Prefix(category="uploads", prefix=f"{folder}/{{account_id}}/", kind="upload"),),
    )  # fmt: skip
    return msgspec.structs.replace(described, **more)


def fill(seaweed: Seaweed, folder: str, names: tuple[str, ...] = KEYS, account: str = ACCOUNT) -> None:
    """Store a file under each name."""
    seaweed.put_all(
        "uploads", (Upload(f"{folder}/{account}/{name}", name.encode(), "text/plain", "x") for name in names)
    )


def left(client: "S3Client", prefix: str) -> int:
    """Count every version, marker and unfinished upload under a prefix."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket="uploads", Prefix=prefix)
    number = sum(len(page.get("Versions", [])) + len(page.get("DeleteMarkers", [])) for page in pages)
    return number + len(client.list_multipart_uploads(Bucket="uploads", Prefix=prefix).get("Uploads", []))


def begin_upload(client: "S3Client", key: str) -> None:
    """Begin an upload of one part and leave it so."""
    begun = client.create_multipart_upload(Bucket="uploads", Key=key)["UploadId"]
    client.upload_part(Bucket="uploads", Key=key, UploadId=begun, PartNumber=1, Body=b"x" * 100)


async def erase(source: Bucket, items: tuple[Erasing, ...] = ALL) -> Erased:
    """Erase Ana's files."""
    return await source.erase(ANA, items, pseudonym=PSEUDONYM)


async def test_versions_markers_and_unfinished_uploads_all_go(
    bucket: Bucket, seaweed: Seaweed, folder: str, client: "S3Client"
) -> None:
    """Whatever the files are called; a neighbour whose id begins alike keeps theirs."""
    fill(seaweed, folder)
    fill(seaweed, folder)
    fill(seaweed, folder, account=f"{ACCOUNT}0")
    client.delete_object(Bucket="uploads", Key=f"{folder}/{ACCOUNT}/plain.txt")
    begin_upload(client, f"{folder}/{ACCOUNT}/begun.bin")
    assert left(client, f"{folder}/{ACCOUNT}/") >= 2 * len(KEYS) + 2
    assert await erase(bucket) == Erased(done=True, means="deleted")
    assert left(client, f"{folder}/{ACCOUNT}/") == 0
    assert left(client, f"{folder}/{ACCOUNT}0/") == len(KEYS)
    assert await erase(bucket) == Erased(done=True, means="nothing")


async def test_more_than_one_call_can_delete(bucket: Bucket, seaweed: Seaweed, folder: str, client: "S3Client") -> None:
    """2,500 files: three pages, three calls."""
    fill(seaweed, folder, tuple(f"{number}.txt" for number in range(2500)))
    assert (await erase(bucket)).means == "deleted"
    assert left(client, f"{folder}/") == 0


async def test_a_file_that_comes_meanwhile_goes_too(
    bucket: Bucket, seaweed: Seaweed, folder: str, client: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listing is read again until it is empty; files without end are left to a later try."""
    fill(seaweed, folder, ("first.txt",))
    real, late = bucket._writing.run, ["late.txt", "later.txt"]

    async def run(call: object, *args: object, **kwargs: object) -> object:
        answer = await real(call, *args, **kwargs)
        if getattr(call, "__name__", "") == "delete_objects" and late:
            fill(seaweed, folder, (late.pop(),))
        return answer

    monkeypatch.setattr(bucket._writing, "run", run)
    assert (await erase(bucket)).means == "deleted"
    assert left(client, f"{folder}/") == 0
    late.extend("abcdefghijk")
    fill(seaweed, folder, ("first.txt",))
    with pytest.raises(SourceUnavailable):
        await erase(bucket)


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.RESET, Fault.CUT])
async def test_a_fault_at_any_call_is_survived_or_resumed(
    bucket: Bucket, seaweed: Seaweed, folder: str, client: "S3Client", proxy: Proxy, fault: Fault
) -> None:
    """The server fails for good after the first, second, third … call; asked again, everything is gone."""
    for calls in range(5):
        fill(seaweed, folder, ("a.txt", "b.txt"))
        begin_upload(client, f"{folder}/{ACCOUNT}/begun.bin")
        proxy.fail(*[Fault.PASS] * calls, *[fault] * 30)
        with contextlib.suppress(SourceUnavailable):
            await erase(bucket)
        proxy.mend()
        assert (await erase(bucket)).done
        assert left(client, f"{folder}/") == 0


async def test_a_server_that_falls_silent_is_unavailable_and_resumed(
    bucket: Bucket, seaweed: Seaweed, folder: str, client: "S3Client", proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time-out of a call ends the waiting, before, between and after the deletions."""
    monkeypatch.setattr("portal.sources.s3_calls.READ_SECONDS", 0.1)
    for calls in range(3):
        fill(seaweed, folder, ("a.txt", "b.txt"))
        proxy.fail(*[Fault.PASS] * calls, *[Fault.SILENCE] * 3)
        with pytest.raises(SourceUnavailable):
            await erase(bucket)
        proxy.mend()
        assert (await erase(bucket)).done
        assert left(client, f"{folder}/") == 0


async def test_an_error_inside_the_answer_is_an_error(
    bucket: Bucket, seaweed: Seaweed, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 with errors in it is not done: passing ones are tried again, others are final; no file is named."""
    fill(seaweed, folder, ("a.txt", "b.txt"))
    real, code = bucket._writing.run, "InternalError"

    async def run(call: object, *args: object, **kwargs: object) -> object:
        if getattr(call, "__name__", "") == "delete_objects":
            return {"Errors": [{"Key": f"{folder}/{ACCOUNT}/a.txt", "VersionId": "x", "Code": code}]}
        return await real(call, *args, **kwargs)

    monkeypatch.setattr(bucket._writing, "run", run)
    with pytest.raises(SourceUnavailable, match="1 files stayed: InternalError") as caught:
        await erase(bucket)
    assert "a.txt" not in str(caught.value)
    code = "AccessDenied"
    with pytest.raises(SourceRefused, match="no right to delete"):
        await erase(bucket)


async def test_locked_files_are_named_by_their_lock_after_all_others_are_gone(seaweed: Seaweed, folder: str) -> None:
    """A legal hold and a retention period are refusals, never swallowed, and never got around."""
    with closing(seaweed.client()) as client:
        with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        for name in ("held.txt", "retained.txt", "free.txt"):
            client.put_object(Bucket="locked", Key=f"{folder}/{ACCOUNT}/{name}", Body=b"x")
        held = {"Bucket": "locked", "Key": f"{folder}/{ACCOUNT}/held.txt"}
        client.put_object_legal_hold(**held, LegalHold={"Status": "ON"})
        client.put_object_retention(
            Bucket="locked", Key=f"{folder}/{ACCOUNT}/retained.txt",
            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": datetime(2100, 1, 2, tzinfo=UTC)},
        )  # fmt: skip
        keys = (seaweed.access_key, seaweed.secret_key)
        source = Bucket(
            spec(folder, bucket="locked"), endpoint=seaweed.endpoint, access_key=keys[0], secret_key=keys[1],
            write_access_key=keys[0], write_secret_key=keys[1],
        )  # fmt: skip
        with pytest.raises(SourceRefused, match="2 files stayed: a legal hold, governance retention until 2100-01-02"):
            await erase(source)
        listed = client.list_object_versions(Bucket="locked", Prefix=f"{folder}/")["Versions"]
        assert sorted(one["Key"].rpartition("/")[2] for one in listed) == ["held.txt", "retained.txt"]
        await source.close()


async def test_without_keys_that_may_delete_a_person_must(seaweed: Seaweed, folder: str) -> None:
    """Reading keys never erase; `check` says that it is a task for a person."""
    keys = {"access_key": seaweed.access_key, "secret_key": seaweed.secret_key}
    source = Bucket(spec(folder), endpoint=seaweed.endpoint, **keys)
    with pytest.raises(SourceUnsupported):
        await erase(source)
    assert [fault.severity for fault in await source.check()] == ["warning"]
    await source.close()


async def test_what_a_bucket_cannot_do_it_says(bucket: Bucket) -> None:
    """Keep in part, correct, restrict; a category of another source is nothing, and nothing is held."""
    with pytest.raises(SourceUnsupported):
        await erase(bucket, (Erasing(category="uploads", action="keep", minimum=("name",)),))
    with pytest.raises(SourceUnsupported):
        await bucket.rectify(ANA, Correction(category="uploads", field="name", value="x"))
    with pytest.raises(SourceUnsupported):
        await bucket.restrict(ANA, on=True)
    assert (await erase(bucket, (Erasing(category="elsewhere", action="erase"),))).means == "nothing"
    held = (Held(category="uploads", field="stored_at", before=datetime(2026, 1, 1, tzinfo=UTC).date()),)
    assert await bucket.erase_held(PSEUDONYM, held) == 0


@pytest.mark.parametrize("account", ["", "1/../10", "10/secret"])
async def test_an_account_id_that_could_reach_elsewhere_erases_nothing(bucket: Bucket, account: str) -> None:
    """Refused before anything is listed."""
    with pytest.raises(SourceRefused):
        await bucket.erase(Identifiers(account_ids=frozenset({account})), ALL, pseudonym=PSEUDONYM)


# --- The search ---------------------------------------------------------------------------------------------------


def needles(folder: str, **texts: str) -> Needles:
    """What to look for; the folder makes the test's own files tell from others in the bucket."""
    return Needles(texts={"account-1": ACCOUNT, "mark": f"{folder}-mark", **texts}, subject=ANA)


def numbers(findings: tuple[Finding, ...], folder: str) -> Mapping[tuple[str, str], int]:
    """Return what was found, without what other tests left in the bucket."""
    return {(one.place, one.needle): one.number for one in findings}


async def test_what_lies_under_the_prefix_is_found_in_every_form(
    bucket: Bucket, seaweed: Seaweed, folder: str, client: "S3Client"
) -> None:
    """Versions, markers and unfinished uploads; after erasing, none."""
    fill(seaweed, folder, ("a.txt", "b.txt"))
    client.delete_object(Bucket="uploads", Key=f"{folder}/{ACCOUNT}/a.txt")
    begin_upload(client, f"{folder}/{ACCOUNT}/begun.bin")
    found = numbers((await bucket.search(needles(folder))).findings, folder)
    assert found["uploads versions", "account-1"] >= 2
    assert found["uploads delete markers", "account-1"] >= 1
    assert found["uploads unfinished uploads", "account-1"] >= 1


async def test_the_names_of_all_files_are_looked_through(
    bucket: Bucket, seaweed: Seaweed, folder: str, client: "S3Client"
) -> None:
    """Elsewhere in the bucket, in capitals, percent-encoded, of an earlier version or a marker."""
    wanted = f"{folder} mark@example.example"
    texts = {"email-1": wanted}
    for number, name in enumerate((wanted.upper(), wanted.replace(" ", "%20").replace("@", "%40"), f"x{wanted}.txt")):
        seaweed.put("uploads", f"{folder}-else/{number}/{name}", b"x", media_type="text/plain", name="x")
    client.delete_object(Bucket="uploads", Key=f"{folder}-else/2/x{wanted}.txt")
    result = await bucket.search(needles(folder, **texts))
    found = numbers(result.findings, folder)
    assert found["uploads versions", "email-1"] == 3
    assert found["uploads delete markers", "email-1"] == 1
    (one,) = [f for f in result.findings if (f.place, f.needle) == ("uploads versions", "email-1")]
    assert len(one.keys) == 3
    assert not any("mark" in key for key in one.keys)
    assert result.places == ("uploads versions", "uploads delete markers", "uploads unfinished uploads")
    assert any("contents" in place for place in result.blind)


async def test_beyond_the_limit_is_blind(seaweed: Seaweed, folder: str) -> None:
    """The person's own prefix is listed to the end all the same."""
    fill(seaweed, folder, tuple(f"{number}.txt" for number in range(1100)))
    keys = {"access_key": seaweed.access_key, "secret_key": seaweed.secret_key}
    source = Bucket(spec(folder, scan_limit=1000), endpoint=seaweed.endpoint, **keys)
    result = await source.search(needles(folder))
    assert any("beyond the first 1000 versions" in place for place in result.blind)
    assert numbers(result.findings, folder)["uploads versions", "account-1"] >= 1100
    await source.close()


async def test_a_search_that_breaks_is_no_clean_search(bucket: Bucket, proxy: Proxy, folder: str) -> None:
    """Unavailable, never empty."""
    proxy.fail(Fault.PASS, Fault.PASS, *[Fault.RESET] * 30)
    with pytest.raises(SourceError):
        await bucket.search(needles(folder))

"""Erasing in a bucket: every version, every delete marker and every unfinished upload under a prefix.

Always true here: done means that a listing came back empty; an error inside an answer is an error; a file that a lock
protects is named as such, after everything else is gone.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING

from portal.errors import SourceError, SourceRefused, SourceUnavailable
from portal.sources.s3_calls import PASSING, Calls, Gone

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import DeleteObjectsOutputTypeDef, ObjectIdentifierTypeDef

TOGETHER = 1000
"""How many versions one call deletes. Source: the S3 API, DeleteObjects."""
ROUNDS = 5
"""How often files may turn up anew while we delete, before it is left to a later try."""
UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry: such keys are deleted one by one, by address."""

type Version = "ObjectIdentifierTypeDef"


async def erase_prefix(calls: Calls, prefix: str) -> int:
    """Delete everything under `prefix` until a listing is empty. Returns how many versions, markers and uploads went.

    Idempotent, and may be cut off anywhere: what is gone is gone, and the next run lists what is left.

    Raises:
        SourceUnavailable: no answer, a passing error for some of the files, or files that turn up all the time.
        SourceRefused: files that may not be deleted, with the lock that protects them where there is one.
    """
    done = 0
    for _ in range(ROUNDS):
        gone = await _erase_round(calls, prefix)
        if not gone:
            return done
        done += gone
    raise SourceUnavailable(calls.source, "files turn up as fast as they are deleted")


async def _erase_round(calls: Calls, prefix: str) -> int:
    """Go through the listing once."""
    done, failed = 0, list[tuple[Version, str]]()
    async for page in calls.versions(prefix):
        listed: list[Version] = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        failures = await _delete(calls, listed)
        done += len(listed) - len(failures)
        failed += failures
    async for uploads in calls.unfinished(prefix):
        for upload in uploads.get("Uploads", []):
            await _abort(calls, upload["Key"], upload["UploadId"])
            done += 1
    if failed:
        raise await _reason(calls, failed)
    return done


async def _delete(calls: Calls, versions: Sequence[Version]) -> list[tuple[Version, str]]:
    """Delete versions. Returns those that stayed, each with the code of its error."""
    client = await calls.client()
    failures: list[tuple[Version, str]] = []
    speakable = [one for one in versions if not UNSPEAKABLE.search(one["Key"])]
    for some in batched(speakable, TOGETHER):
        answer: DeleteObjectsOutputTypeDef = await calls.run(
            client.delete_objects, Bucket=calls.bucket, Delete={"Objects": list(some), "Quiet": True}
        )
        failures += [
            ({"Key": error.get("Key", ""), "VersionId": error.get("VersionId", "")}, error.get("Code", ""))
            for error in answer.get("Errors", [])
            if error.get("Code") not in {"NoSuchKey", "NoSuchVersion"}
        ]
    for one in versions:
        if UNSPEAKABLE.search(one["Key"]):
            await calls.run(
                client.delete_object, Bucket=calls.bucket, Key=one["Key"], VersionId=one.get("VersionId", "null")
            )
    return failures


async def _abort(calls: Calls, key: str, upload: str) -> None:
    client = await calls.client()
    try:
        await calls.run(client.abort_multipart_upload, Bucket=calls.bucket, Key=key, UploadId=upload)
    except Gone:
        return


async def _reason(calls: Calls, failed: Sequence[tuple[Version, str]]) -> SourceError:
    """Say why files stayed: by their locks, or by the codes of their errors. Never by their names."""
    codes = Counter(code for _, code in failed)
    if codes.keys() & {"AccessDenied", "403"}:
        locks = {lock for version, _ in failed[:TOGETHER] if (lock := await _lock(calls, version))}
        why = ", ".join(sorted(locks)) or "no right to delete"
        return SourceRefused(calls.source, f"{len(failed)} files stayed: {why}")
    said = f"{len(failed)} files stayed: {', '.join(sorted(codes))}"
    passing = all(code in PASSING or code in {"InternalError", "SlowDown", "ServiceUnavailable"} for code in codes)
    return (SourceUnavailable if passing else SourceRefused)(calls.source, said)


async def _lock(calls: Calls, version: Version) -> str:
    """Return what kind of lock protects a version; empty when none shows."""
    client = await calls.client()
    place = {"Bucket": calls.bucket, "Key": version["Key"], "VersionId": version.get("VersionId", "")}
    try:
        head: Mapping[str, object] = await calls.run(client.head_object, **place)  # type: ignore[arg-type]
    except SourceError:
        return ""
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        return "a legal hold"
    until = head.get("ObjectLockRetainUntilDate")
    return f"{str(head.get('ObjectLockMode')).lower()} retention until {until:%Y-%m-%d}" if until else ""

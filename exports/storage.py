"""Where finished parcels are kept until they expire: a folder, or a bucket that speaks S3.

Always true here: a parcel is whole or absent, only we can read it, and putting it again replaces it.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import LifecycleRuleOutputTypeDef, LifecycleRuleTypeDef

PIECE = 1 << 20
TRIES = 3
"""How often in a row a download may break without one more piece."""
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,3}")


class StorageError(Exception):
    """The storage did not do what it should; worth another try. The message holds no place and no name."""


class NotStored(StorageError):
    """Nothing is kept at that place."""


class Storage(Protocol):
    """Keeps parcels. A place is a short relative path of ours, such as `0197….zip`."""

    async def put(self, place: str, path: Path) -> None:
        """Keep a copy of the file at `path`. Raises: StorageError."""
        ...

    def open(self, place: str) -> AsyncIterator[bytes]:
        """Stream what is kept, in pieces of 1 MiB. Raises: NotStored, StorageError."""
        ...

    async def delete(self, place: str) -> None:
        """Remove it. Nothing there is fine. Raises: StorageError."""
        ...

    async def size(self, place: str) -> int:
        """Return its size in bytes. Raises: NotStored, StorageError."""
        ...

    def names(self) -> AsyncIterator[str]:
        """Yield the place of everything that is there: drafts, unfinished uploads and former versions too.

        Raises: StorageError.
        """
        ...

    async def check(self) -> list[str]:
        """Return what is wrong with it, one sentence each, with the remedy."""
        ...

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        ...


def checked(place: str) -> str:
    """Return `place` when it is one of ours. Raises: ValueError."""
    if not _PLACE.fullmatch(place) or ".." in place:
        raise ValueError("not a place for a parcel")
    return place


class FolderStorage:
    """Keeps parcels in a folder that only we can read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, place: str, path: Path) -> None:
        """Copy, then rename: readers see the old parcel or the new one, never half."""
        await asyncio.to_thread(self._put, self._path(place), path)

    async def open(self, place: str) -> AsyncIterator[bytes]:
        """Stream the file."""
        path = self._path(place)
        try:
            sheet = await asyncio.to_thread(path.open, "rb")
        except FileNotFoundError as error:
            raise NotStored from error
        with sheet:
            while piece := await asyncio.to_thread(sheet.read, PIECE):
                yield piece

    async def delete(self, place: str) -> None:
        """Remove the file, and what a killed `put` may have left of it."""
        await asyncio.to_thread(self._delete, self._path(place))

    async def size(self, place: str) -> int:
        """Return the file's size."""
        try:
            return (await asyncio.to_thread(self._path(place).stat)).st_size
        except FileNotFoundError as error:
            raise NotStored from error

    async def names(self) -> AsyncIterator[str]:
        """Walk the folder; a draft is named like what it was to become."""
        for path in await asyncio.to_thread(self._names):
            yield path

    async def check(self) -> list[str]:
        """Try to write."""
        try:
            await asyncio.to_thread(self._path("check").parent.mkdir, mode=0o700, parents=True, exist_ok=True)
        except OSError:
            return [f"Parcels cannot be kept in {self._folder}. Give the portal's user write access to it."]
        if os.access(self._folder, os.W_OK | os.X_OK):
            return []
        return [f"Parcels cannot be written to {self._folder}. Give the portal's user write access to it."]

    async def close(self) -> None:
        """Do nothing: a folder holds no connections."""

    def _path(self, place: str) -> Path:
        return self._folder / checked(place)

    def _names(self) -> list[str]:
        files = [path.relative_to(self._folder) for path in self._folder.rglob("*") if path.is_file()]
        return [str(file.with_name(file.name.removeprefix(".").removesuffix(".draft"))) for file in files]

    @staticmethod
    def _delete(target: Path) -> None:
        target.unlink(missing_ok=True)
        _draft(target).unlink(missing_ok=True)

    @staticmethod
    def _put(target: Path, path: Path) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = _draft(target)
        draft.unlink(missing_ok=True)
        try:
            with (
                path.open("rb") as source,
                os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy,
            ):
                shutil.copyfileobj(source, copy, PIECE)
                copy.flush()
                os.fsync(copy.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)


def _draft(target: Path) -> Path:
    return target.with_name(f".{target.name}.draft")


class S3Storage:
    """Keeps parcels in a bucket, encrypted at rest. boto3 blocks, so it works in threads."""

    def __init__(
        self, bucket: str, *, endpoint: str = "", access_key: str = "", secret_key: str = "", region: str = "",
        prefix: str = "parcels/", days: int = 30, seconds: float = 30,
    ) -> None:  # fmt: skip
        """Connect. Empty keys mean the machine's own role.

        `days` is when the bucket's own rule clears what we forgot, `seconds` how long we wait for an answer.
        """
        self._bucket, self._prefix, self._days = bucket, prefix, days
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoint or None,
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key or None,
            region_name=region or "us-east-1",
            config=Config(
                connect_timeout=5, read_timeout=seconds, retries={"mode": "standard", "total_max_attempts": 4},
                s3={"addressing_style": "path" if endpoint else "auto"},
            ),
        )  # fmt: skip
        self._transfer = TransferConfig(
            multipart_threshold=16 * PIECE, multipart_chunksize=16 * PIECE, max_concurrency=2
        )

    async def put(self, place: str, path: Path) -> None:
        """Upload, in parts when large; a broken upload is aborted and leaves nothing, and no former version stays."""
        try:
            await asyncio.to_thread(self._put, self._key(place), path)
        except (BotoCoreError, ClientError, boto3.exceptions.Boto3Error) as error:
            raise StorageError(type(error).__name__) from error

    def _put(self, key: str, path: Path) -> None:
        self._client.upload_file(
            str(path), self._bucket, key, ExtraArgs={"ServerSideEncryption": "AES256"}, Config=self._transfer
        )
        # What an attempt that was killed has put there would otherwise stay in a versioned bucket, unseen.
        self._delete(key, former=True)

    async def open(self, place: str) -> AsyncIterator[bytes]:
        """Stream the object; a stream that breaks goes on where it stopped, unless it brings nothing `TRIES` times."""
        start, tries = 0, TRIES
        total = await self.size(place)
        while start < total:
            try:
                async for piece in self._stream(place, start):
                    start, tries = start + len(piece), TRIES
                    yield piece
            except (BotoCoreError, ClientError, OSError) as error:
                tries -= 1
                if not tries:
                    raise _problem(error) from error

    async def _stream(self, place: str, start: int) -> AsyncIterator[bytes]:
        found = await asyncio.to_thread(
            self._client.get_object, Bucket=self._bucket, Key=self._key(place), Range=f"bytes={start}-"
        )
        body = found["Body"]
        try:
            while piece := await asyncio.to_thread(body.read, PIECE):
                yield piece
        finally:
            body.close()

    async def delete(self, place: str) -> None:
        """Remove the object in every version: in a versioned bucket a plain delete would only hide it."""
        try:
            await asyncio.to_thread(self._delete, self._key(place))
        except (BotoCoreError, ClientError) as error:
            raise _problem(error) from error

    def _delete(self, key: str, *, former: bool = False) -> None:
        """Delete every version of an object, or those before the present one."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
        for page in pages:
            for version in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                if version["Key"] == key and not (former and version["IsLatest"]):
                    self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version["VersionId"])

    async def size(self, place: str) -> int:
        """Return the object's size."""
        try:
            found = await asyncio.to_thread(self._client.head_object, Bucket=self._bucket, Key=self._key(place))
        except (BotoCoreError, ClientError) as error:
            raise _problem(error) from error
        return found["ContentLength"]

    async def names(self) -> AsyncIterator[str]:
        """List every version, and every upload that was not finished; a delete marker holds nothing."""
        for kind, listed in (("list_object_versions", "Versions"), ("list_multipart_uploads", "Uploads")):
            pages = iter(self._client.get_paginator(kind).paginate(Bucket=self._bucket, Prefix=self._prefix))  # type: ignore[call-overload]
            try:
                while page := await asyncio.to_thread(next, pages, None):
                    for one in page.get(listed, []):
                        yield one["Key"].removeprefix(self._prefix)
            except (BotoCoreError, ClientError) as error:
                raise _problem(error) from error

    async def check(self) -> list[str]:
        """Look whether the bucket answers, and see to it that it clears away what we forget."""
        try:
            await asyncio.to_thread(self._client.head_bucket, Bucket=self._bucket)
        except (BotoCoreError, ClientError):
            return [f"The bucket {self._bucket} does not answer. Check its name, its endpoint and the access key."]
        try:
            await asyncio.to_thread(self._see_to_lifecycle)
        except (BotoCoreError, ClientError):
            return [
                (
                    f"The bucket {self._bucket} has no rule that clears {self._prefix} after {self._days} days, and we "
                    "may not set one. Add one that expires objects and aborts unfinished uploads."
                )
            ]
        return []

    async def close(self) -> None:
        """Close the client's connections."""
        await asyncio.to_thread(self._client.close)

    def _see_to_lifecycle(self) -> None:
        """Add our rule beside those that are there."""
        ours: LifecycleRuleTypeDef = {
            "ID": "habeas-parcels",
            "Status": "Enabled",
            "Filter": {"Prefix": self._prefix},
            "Expiration": {"Days": self._days},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
        rules: list[LifecycleRuleOutputTypeDef] = []
        try:
            rules = [*self._client.get_bucket_lifecycle_configuration(Bucket=self._bucket)["Rules"]]
        except ClientError as error:
            if error.response["Error"].get("Code") != "NoSuchLifecycleConfiguration":
                raise
        if not any(rule.get("ID") == ours["ID"] and rule.get("Expiration") == ours["Expiration"] for rule in rules):
            kept = [rule for rule in rules if rule.get("ID") != ours["ID"]]
            self._client.put_bucket_lifecycle_configuration(
                Bucket=self._bucket, LifecycleConfiguration={"Rules": [*kept, ours]}
            )

    def _key(self, place: str) -> str:
        return self._prefix + checked(place)


def _problem(error: Exception) -> StorageError:
    if isinstance(error, ClientError) and error.response["Error"].get("Code") in {"404", "NoSuchKey", "NotFound"}:
        return NotStored()
    return StorageError(type(error).__name__)

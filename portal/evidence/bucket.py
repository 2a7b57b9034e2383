"""The ledger in a bucket that speaks S3, so that it lives apart from the database and its disk.

Always true here: an object is put only where none is (`If-None-Match`), so that not even we can overwrite one.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from portal.evidence.ledger import LedgerError, checked

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
THERE = frozenset({"412", "PreconditionFailed"})


class BucketLedger:
    """The ledger behind boto3, which blocks and so works in threads. Every call has a time-out."""

    def __init__(
        self, bucket: str, prefix: str, *, endpoint: str = "", access_key: str = "", secret_key: str = "",
    ) -> None:  # fmt: skip
        """Connect. Empty keys mean the environment's (AWS_ACCESS_KEY_ID) or the machine's own role."""
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoint or None,
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key or None,
            config=Config(
                connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4},
                s3={"addressing_style": "path" if endpoint else "auto"},
            ),
        )  # fmt: skip

    async def write(self, name: str, content: bytes) -> None:
        """Put the object, unless one is there."""

        def put() -> None:
            self._client.put_object(
                Bucket=self.bucket, Key=self._key(name), Body=content, IfNoneMatch="*",
                ContentType="application/json", ServerSideEncryption="AES256",
            )  # fmt: skip

        await self._do(put, fine=THERE)

    async def read(self, name: str) -> bytes | None:
        """Get the object."""

        def get() -> bytes:
            return self._client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"].read()

        return await self._do(get, fine=ABSENT)

    async def names(self, folder: str) -> Sequence[str]:
        """List the objects below a folder."""

        def find() -> list[str]:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=f"{self.prefix}{folder}/"
            )
            return [item["Key"].removeprefix(self.prefix) for page in pages for item in page.get("Contents", [])]

        return sorted(await self._do(find) or [])

    async def delete(self, name: str) -> None:
        """Remove the object in every version."""
        key = self._key(name)

        def remove() -> None:
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=key)
            for page in pages:
                for version in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                    if version["Key"] == key:
                        self._client.delete_object(Bucket=self.bucket, Key=key, VersionId=version["VersionId"])

        await self._do(remove)

    async def check(self) -> list[str]:
        """Ask whether the bucket answers."""
        try:
            await self._do(lambda: self._client.head_bucket(Bucket=self.bucket))
        except LedgerError:
            return [f"The bucket {self.bucket} for tombstones does not answer. Check its name, endpoint and keys."]
        return []

    async def close(self) -> None:
        """Close the client's connections."""
        await asyncio.to_thread(self._client.close)

    async def _do[Result](self, act: Callable[[], Result], *, fine: frozenset[str] = frozenset()) -> Result | None:
        """Run a blocking call; an answer among `fine` is no error and gives None."""
        try:
            return await asyncio.to_thread(act)
        except ClientError as error:
            if error.response["Error"].get("Code") in fine:
                return None
            raise LedgerError(f"the ledger's bucket refused ({error.response['Error'].get('Code')})") from error
        except BotoCoreError as error:
            raise LedgerError(f"the ledger's bucket does not answer ({type(error).__name__})") from error

    def _key(self, name: str) -> str:
        return self.prefix + checked(name)

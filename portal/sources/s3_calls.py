"""How a bucket is called: boto3 in threads of its own, under one pair of keys, with time-outs.

Always true here: what goes wrong becomes one of our errors, without a word of the vendor's; a listing is streamed.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import boto3
import botocore.config
import botocore.exceptions
import urllib3.exceptions

from portal.errors import SourceError, SourceRefused, SourceUnavailable
from portal.policy.model import S3Source

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ListMultipartUploadsOutputTypeDef, ListObjectVersionsOutputTypeDef

THREADS = 4
CONNECT_SECONDS = 3.0
READ_SECONDS = 20.0
PASSING = frozenset({"RequestTimeout", "RequestTimeTooSkewed", "PreconditionFailed", "412", "408", "409", "429"})
"""Answers in the range of refusals that another try may change."""


class Gone(SourceUnavailable):
    """An object went away between its listing and its reading; the next listing will not name it."""


class Calls:
    """One bucket under one pair of keys."""

    def __init__(self, spec: S3Source, *, endpoint: str, keys: tuple[str, str]) -> None:
        self.source = spec.id
        self.bucket = spec.bucket
        self._region = spec.region
        self._endpoint = endpoint
        self._keys = keys
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"s3-{spec.id}")
        self._opening = asyncio.Lock()
        self._opened: S3Client | None = None

    async def client(self) -> "S3Client":
        """Return the client, made at the first call."""
        async with self._opening:
            if self._opened is None:
                self._opened = await self.run(self._make)
            return self._opened

    def close(self) -> None:
        """Give back connections. Idempotent."""
        client, self._opened = self._opened, None
        if client is not None:
            client.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def versions(self, prefix: str) -> AsyncGenerator["ListObjectVersionsOutputTypeDef", None]:
        """Yield the listing of all versions and delete markers under a prefix, a page at a time."""
        client = await self.client()
        following = iter(client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix))
        while page := await self.run(next, following, None):
            yield page

    async def unfinished(self, prefix: str) -> AsyncGenerator["ListMultipartUploadsOutputTypeDef", None]:
        """Yield the listing of uploads that were begun and never completed, a page at a time."""
        client = await self.client()
        following = iter(client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix))
        while page := await self.run(next, following, None):
            yield page

    async def run[**P, T](self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking call in a thread.

        Raises:
            SourceUnavailable: no answer, or one that another try may change.
            SourceRefused: wrong keys, a missing right, a bucket that is not there.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args, **kwargs))
        except botocore.exceptions.ClientError as error:
            raise self._refusal(error) from None
        except (botocore.exceptions.NoCredentialsError, botocore.exceptions.ParamValidationError) as error:
            raise SourceRefused(self.source, type(error).__name__) from None
        except (botocore.exceptions.BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
            raise SourceUnavailable(self.source, type(error).__name__) from None

    def _make(self) -> "S3Client":
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self._endpoint or None,
            aws_access_key_id=self._keys[0],
            aws_secret_access_key=self._keys[1],
            region_name=self._region,
            config=botocore.config.Config(
                signature_version="s3v4", connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS,
                max_pool_connections=THREADS, retries={"mode": "standard", "total_max_attempts": 3},
                s3={"addressing_style": "path" if self._endpoint else "auto"},
            ),
        )  # fmt: skip

    def _refusal(self, error: botocore.exceptions.ClientError) -> SourceError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in {"404", "NoSuchKey", "NoSuchVersion", "NoSuchUpload"}:
            return Gone(self.source, code)
        # A proxy's page of an error has a status and no code.
        final = 400 <= status < 500 and status not in {408, 429} and code not in PASSING
        return (SourceRefused if final else SourceUnavailable)(self.source, f"{code} ({status})")

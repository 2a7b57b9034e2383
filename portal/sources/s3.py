"""A bucket, or anything that speaks S3: a person's files under their own prefix, streamed.

Always true here: a prefix ends with a slash, so that `users/1/` never lists `users/10/`; versions that are no longer
current are told with their date, so that nothing is hidden; a file's name is the person's and never becomes a path.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC
from email.header import decode_header, make_header
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING
from urllib.parse import unquote

import boto3
import botocore.config
import botocore.exceptions
import msgspec
import urllib3.exceptions

from exports.order import Batch, StoredFile
from portal.errors import SourceError, SourceRefused, SourceUnavailable
from portal.policy.model import Prefix, S3Source
from portal.sources.base import Fault, Identifiers, Page

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ObjectVersionTypeDef

PIECE_BYTES = 1 << 20
TOGETHER = 100
"""How many objects make one batch of records."""
THREADS = 4
REOPENINGS = 4
"""How often in a row a stream may break without one more byte before the file counts as unavailable."""
PASSING = frozenset({"RequestTimeout", "RequestTimeTooSkewed", "PreconditionFailed", "412", "408", "409", "429"})
"""Answers in the range of refusals that another try may change."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one object, with what its metadata says."""

    prefix: Prefix
    key: str
    version: str
    etag: str
    size_bytes: int
    stored_at: str
    current: bool
    name: str
    media_type: str

    def record(self) -> dict[str, object]:
        """Return the fields of `S3_FIELDS`."""
        return {
            "kind": self.prefix.kind, "name": self.name, "media_type": self.media_type, "size_bytes": self.size_bytes,
            "stored_at": self.stored_at, "object_key": self.key, "version": self.version, "current": self.current,
        }  # fmt: skip


class Bucket:
    """The adapter. boto3 blocks, so it runs in threads of its own; every call has a time-out."""

    def __init__(self, spec: S3Source, *, endpoint: str, access_key: str, secret_key: str) -> None:
        self.id = spec.id
        self.spec = spec
        self._endpoint = endpoint
        self._keys = (access_key, secret_key)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"s3-{spec.id}")
        self._opening = asyncio.Lock()
        self._opened: S3Client | None = None

    async def check(self) -> list[Fault]:
        """List one version under each prefix."""
        for prefix in self.spec.prefixes:
            start = prefix.prefix.partition("{")[0]
            try:
                client = await self._client()
                await self._run(client.list_object_versions, Bucket=self.spec.bucket, Prefix=start, MaxKeys=1)
            except SourceError as error:
                remedy = f"See that the bucket {self.spec.bucket} exists and that our key may list its versions."
                return [Fault(source=self.id, place=self.spec.bucket, what=str(error), remedy=remedy)]
        return []

    async def identify(self, known: Identifiers) -> Identifiers:
        """Return `known`: a bucket knows nobody by name."""
        return known

    async def count(self, subject: Identifiers) -> Mapping[str, int]:
        """Return how many stored versions each category holds."""
        found = {prefix.category: 0 for prefix in self.spec.prefixes}
        for prefix in self.spec.prefixes:
            async for entries in self._listed(prefix, subject):
                found[prefix.category] += len(entries)
        return found

    async def page(self, subject: Identifiers, category: str, *, offset: int, limit: int) -> Page:
        """Return some stored versions, newest first."""
        entries = [
            (prefix, entry)
            for prefix in self._prefixes(category)
            async for listed in self._listed(prefix, subject)
            for entry in listed
        ]
        entries.sort(key=lambda pair: pair[1]["LastModified"], reverse=True)
        shown = await asyncio.gather(*(self._stored(*pair) for pair in entries[offset : offset + limit]))
        return Page(rows=tuple(stored.record() for stored in shown), total=len(entries))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["Bucket"]:
        """Yield itself: a bucket has no view of one moment."""
        yield self

    async def collect(self, subject: Identifiers, category: str) -> AsyncGenerator[Batch, None]:
        """Stream a record of every stored version: the current one and those before it."""
        encoder = msgspec.json.Encoder()
        for prefix in self._prefixes(category):
            async for entries in self._listed(prefix, subject):
                for some in batched(entries, TOGETHER):
                    stored = await asyncio.gather(*(self._stored(prefix, entry) for entry in some))
                    yield Batch(lines=encoder.encode_lines([one.record() for one in stored]), count=len(stored))

    async def files(self, subject: Identifiers, category: str) -> AsyncGenerator[StoredFile, None]:
        """Stream a handle of every current file."""
        for prefix in self._prefixes(category):
            async for entries in self._listed(prefix, subject):
                for entry in entries:
                    if entry["IsLatest"]:
                        one = await self._stored(prefix, entry)
                        yield StoredFile(
                            name=one.name, media_type=one.media_type, size_bytes=one.size_bytes,
                            open=partial(self._content, one),
                        )  # fmt: skip

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        client, self._opened = self._opened, None
        if client is not None:
            client.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _prefixes(self, category: str) -> list[Prefix]:
        return [prefix for prefix in self.spec.prefixes if prefix.category == category]

    async def _listed(self, prefix: Prefix, subject: Identifiers) -> AsyncGenerator[list["ObjectVersionTypeDef"], None]:
        """Yield the stored versions under a person's prefixes, a page of the listing at a time."""
        client = await self._client()
        for account in sorted(subject.account_ids):
            pages = client.get_paginator("list_object_versions").paginate(
                Bucket=self.spec.bucket, Prefix=self._filled(prefix, account)
            )
            following = iter(pages)
            while page := await self._run(next, following, None):
                yield page.get("Versions", [])

    def _filled(self, prefix: Prefix, account: str) -> str:
        filled = prefix.prefix.replace("{account_id}", account)
        if not account or "/" in account or not filled.endswith("/"):
            raise SourceRefused(self.id, "an account id or prefix under which other people's files could be listed")
        return filled

    async def _stored(self, prefix: Prefix, entry: "ObjectVersionTypeDef") -> Stored:
        key = entry["Key"]
        head = await self._head(key, entry["VersionId"])
        said = head["Metadata"].get("filename", "") if head else ""
        return Stored(
            prefix=prefix,
            key=key,
            version=entry["VersionId"],
            etag=entry["ETag"],
            size_bytes=entry["Size"],
            stored_at=entry["LastModified"].astimezone(UTC).isoformat().replace("+00:00", "Z"),
            current=entry["IsLatest"],
            name=file_name(said) or key.rpartition("/")[2],
            media_type=(head["ContentType"] if head else "") or "application/octet-stream",
        )

    async def _head(self, key: str, version: str) -> "HeadObjectOutputTypeDef | None":
        """Return the metadata of a version, or None when it went away after it was listed."""
        client = await self._client()
        try:
            return await self._run(client.head_object, Bucket=self.spec.bucket, Key=key, VersionId=version)
        except _Gone:
            return None

    async def _content(self, one: Stored) -> AsyncGenerator[bytes, None]:
        """Stream a file from its start; a stream that breaks is taken up again where it broke.

        Raises:
            SourceUnavailable: when it breaks again and again at the same place, or the file is gone.
        """
        done, breaks = 0, 0
        while done < one.size_bytes:
            before = done
            try:
                body = await self._open(one, done)
                try:
                    while piece := await self._run(body.read, PIECE_BYTES):
                        done += len(piece)
                        yield piece
                finally:
                    body.close()
            except _Gone:
                raise
            except SourceUnavailable:
                if breaks == REOPENINGS or done == one.size_bytes:
                    raise
            breaks = 0 if done > before else breaks + 1
            if breaks > REOPENINGS:
                raise SourceUnavailable(self.id, "a file ended before its end")

    async def _open(self, one: Stored, start: int) -> "StreamingBody":
        client = await self._client()
        get = partial(client.get_object, Bucket=self.spec.bucket, Key=one.key, VersionId=one.version, IfMatch=one.etag)
        answer = await self._run(partial(get, Range=f"bytes={start}-") if start else get)
        return answer["Body"]

    async def _client(self) -> "S3Client":
        async with self._opening:
            if self._opened is None:
                self._opened = await self._run(self._make)
            return self._opened

    def _make(self) -> "S3Client":
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self._endpoint or None,
            aws_access_key_id=self._keys[0],
            aws_secret_access_key=self._keys[1],
            region_name=self.spec.region,
            config=botocore.config.Config(
                signature_version="s3v4", connect_timeout=3, read_timeout=20, max_pool_connections=THREADS,
                retries={"mode": "standard", "total_max_attempts": 3},
                s3={"addressing_style": "path" if self._endpoint else "auto"},
            ),
        )  # fmt: skip

    async def _run[**P, T](self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking call in a thread; what goes wrong becomes our error, without a word of the vendor's."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args, **kwargs))
        except botocore.exceptions.ClientError as error:
            raise self._refusal(error) from None
        except (botocore.exceptions.NoCredentialsError, botocore.exceptions.ParamValidationError) as error:
            raise SourceRefused(self.id, type(error).__name__) from None
        except (botocore.exceptions.BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
            raise SourceUnavailable(self.id, type(error).__name__) from None

    def _refusal(self, error: botocore.exceptions.ClientError) -> SourceError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in {"404", "NoSuchKey", "NoSuchVersion"}:
            return _Gone(self.id, code)
        final = 400 <= status < 500 and code not in PASSING
        return (SourceRefused if final else SourceUnavailable)(self.id, f"{code} ({status})")


class _Gone(SourceUnavailable):
    """An object went away between its listing and its reading; the next listing will not name it."""


def file_name(said: str) -> str:
    """Decode the `filename` of an object's metadata, which carries ASCII only: percent-encoded or RFC 2047."""
    if said.startswith("=?"):
        said = str(make_header(decode_header(said)))
    return unquote(said)

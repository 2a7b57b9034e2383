"""A bucket, or anything that speaks S3: a person's files under their own prefix, streamed.

Always true here: a prefix ends with a slash, so that `users/1/` never lists `users/10/`; versions that are no longer
current are told with their date, so that nothing is hidden; a file's name is the person's and never becomes a path.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from email.header import decode_header, make_header
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING
from urllib.parse import unquote
from uuid import UUID

import msgspec

from exports.order import Batch, StoredFile
from portal.errors import SourceError, SourceRefused, SourceUnavailable, SourceUnsupported
from portal.policy.model import Prefix, S3Source
from portal.sources import s3_search
from portal.sources.base import (
    Correction,
    Erased,
    Erasing,
    Fault,
    Held,
    Identifiers,
    Needles,
    Page,
    Restricted,
    Searched,
)
from portal.sources.s3_calls import Calls, Gone
from portal.sources.s3_erasing import erase_prefix

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ObjectVersionTypeDef

PIECE_BYTES = 1 << 20
TOGETHER = 100
"""How many objects make one batch of records."""
REOPENINGS = 4
"""How often in a row a stream may break without one more byte before the file counts as unavailable."""


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
    """The adapter. Empty `write_…` keys: it cannot erase. Empty `scan_…` keys: it searches with the reading ones."""

    def __init__(
        self, spec: S3Source, *, endpoint: str, access_key: str, secret_key: str,
        write_access_key: str = "", write_secret_key: str = "", scan_access_key: str = "", scan_secret_key: str = "",
    ) -> None:  # fmt: skip
        self.id = spec.id
        self.spec = spec
        self._reading = Calls(spec, endpoint=endpoint, keys=(access_key, secret_key))
        write, scan = (write_access_key, write_secret_key), (scan_access_key, scan_secret_key)
        self._writing = Calls(spec, endpoint=endpoint, keys=write) if all(write) else None
        self._scanning = Calls(spec, endpoint=endpoint, keys=scan) if all(scan) else self._reading

    async def check(self) -> list[Fault]:
        """List one version under each prefix, with every pair of keys there is."""
        faults = []
        if self._writing is None:
            faults.append(
                Fault(
                    source=self.id, place=self.spec.bucket, severity="warning",
                    what="erasing files here is a task for a person",
                    remedy="Name write_access_key_variable and write_secret_key_variable, whose keys may delete.",
                )
            )  # fmt: skip
        for calls in dict.fromkeys(filter(None, (self._reading, self._writing, self._scanning))):
            try:
                for prefix in self.spec.prefixes:
                    start = prefix.prefix.partition("{")[0]
                    client = await calls.client()
                    await calls.run(client.list_object_versions, Bucket=self.spec.bucket, Prefix=start, MaxKeys=1)
            except SourceError as error:
                use = {self._writing: "write_access", self._reading: "access"}.get(calls, "scan_access")
                name = getattr(self.spec, f"{use}_key_variable")
                remedy = f"See that the bucket {self.spec.bucket} exists and that {name} may list its versions."
                faults.append(Fault(source=self.id, place=self.spec.bucket, what=str(error), remedy=remedy))
        return faults

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

    async def erase(
        self,
        subject: Identifiers,
        items: Sequence[Erasing],
        *,
        pseudonym: UUID,  # noqa: ARG002  a protocol
        handle: str = "",  # noqa: ARG002  a protocol
    ) -> Erased:
        """Delete every version, marker and unfinished upload of the person. What cannot be made anonymous goes too.

        Raises:
            SourceUnsupported: no keys that may delete, or files that are to be kept: a file is not reduced to a few
                fields, nor found again under a pseudonym.
        """
        named = {item.category: item.action for item in items}
        mine = [prefix for prefix in self.spec.prefixes if prefix.category in named]
        if any(named[prefix.category] == "keep" for prefix in mine):
            raise SourceUnsupported(self.id, "files cannot be kept in part, nor under a pseudonym")
        if not mine:
            return Erased(done=True, means="nothing")
        if self._writing is None:
            raise SourceUnsupported(self.id, "no keys that may delete")
        gone = 0
        for prefix in mine:
            for account in sorted(subject.account_ids):
                gone += await erase_prefix(self._writing, self._filled(prefix, account))
        return Erased(done=True, means="deleted" if gone else "nothing")

    async def erase_held(self, pseudonym: UUID, items: Sequence[Held]) -> int:  # noqa: ARG002  a protocol
        """Return 0: nothing is kept here under a pseudonym."""
        return 0

    async def rectify(self, subject: Identifiers, correction: Correction) -> int:  # noqa: ARG002  a protocol
        """Refuse: a file and its name are the person's own, and what the store knows of it cannot be written."""
        raise SourceUnsupported(self.id, "what is known of a stored file cannot be changed")

    async def restrict(self, subject: Identifiers, *, on: bool) -> Restricted:  # noqa: ARG002  a protocol
        """Refuse: a tag would keep nobody out unless every reader, or the bucket's own policy, minds it."""
        raise SourceUnsupported(self.id, "a bucket has no means to keep files out of use")

    async def search(self, needles: Needles) -> Searched:
        """List the person's prefixes wholly, and the names of all files of the bucket."""
        accounts = sorted(filter(None, needles.subject.account_ids))
        prefixes = [self._filled(prefix, account) for prefix in self.spec.prefixes for account in accounts]
        return await s3_search.search(self._scanning, needles, prefixes, limit=self.spec.scan_limit)

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        for calls in filter(None, (self._reading, self._writing, self._scanning)):
            calls.close()

    def _prefixes(self, category: str) -> list[Prefix]:
        return [prefix for prefix in self.spec.prefixes if prefix.category == category]

    async def _listed(self, prefix: Prefix, subject: Identifiers) -> AsyncGenerator[list["ObjectVersionTypeDef"], None]:
        """Yield the stored versions under a person's prefixes, a page of the listing at a time."""
        for account in sorted(subject.account_ids):
            async for page in self._reading.versions(self._filled(prefix, account)):
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
        client = await self._reading.client()
        try:
            return await self._reading.run(client.head_object, Bucket=self.spec.bucket, Key=key, VersionId=version)
        except Gone:
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
                    while piece := await self._reading.run(body.read, PIECE_BYTES):
                        done += len(piece)
                        yield piece
                finally:
                    body.close()
            except Gone:
                raise
            except SourceUnavailable:
                if breaks == REOPENINGS or done == one.size_bytes:
                    raise
            breaks = 0 if done > before else breaks + 1
            if breaks > REOPENINGS:
                raise SourceUnavailable(self.id, "a file ended before its end")

    async def _open(self, one: Stored, start: int) -> "StreamingBody":
        client = await self._reading.client()
        get = partial(client.get_object, Bucket=self.spec.bucket, Key=one.key, VersionId=one.version, IfMatch=one.etag)
        answer = await self._reading.run(partial(get, Range=f"bytes={start}-") if start else get)
        return answer["Body"]


def file_name(said: str) -> str:
    """Decode the `filename` of an object's metadata, which carries ASCII only: percent-encoded or RFC 2047."""
    if said.startswith("=?"):
        said = str(make_header(decode_header(said)))
    return unquote(said)

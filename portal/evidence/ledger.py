"""The ledger: small files outside the database that a restore of the database does not take back.

Always true here: a file is written once and whole, is on disk or in the bucket before `write` returns, and carries a
code that only the secret key can make, so that nobody can slip an erasure in or move an anchor.
"""

import asyncio
import contextlib
import glob
import hmac
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from portal.errors import HabeasError, SettingsError
from portal.evidence.keys import keys
from portal.settings import Settings

PLACE, ENDPOINT = "HABEAS_TOMBSTONES", "HABEAS_TOMBSTONES_S3_ENDPOINT"
PURPOSE = "tombstone"
NAME = re.compile(r"[a-z]+/[0-9a-z][0-9a-z.-]{0,200}")


class LedgerError(HabeasError):
    """The ledger did not answer, or holds something that we did not write. The message names no person."""


class Ledger(Protocol):
    """Keeps small files. A name is `folder/file`, in small letters and digits."""

    async def write(self, name: str, content: bytes) -> None:
        """Keep `content` for good. What is there under that name already stays as it is. Raises: LedgerError."""
        ...

    async def read(self, name: str) -> bytes | None:
        """Return what is kept, None when nothing is. Raises: LedgerError."""
        ...

    async def names(self, folder: str) -> Sequence[str]:
        """Return the names in a folder, sorted. Raises: LedgerError."""
        ...

    async def delete(self, name: str) -> None:
        """Remove a file whose time is over. Nothing there is fine. Raises: LedgerError."""
        ...

    async def check(self) -> list[str]:
        """Return what is wrong with it, one sentence each, with the remedy."""
        ...

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        ...


class FolderLedger:
    """A ledger in a folder that only we can read. On the database's own disk it goes back when the disk does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def write(self, name: str, content: bytes) -> None:
        """Write beside, flush to disk, then link: a kill at any line leaves the whole file or none."""
        await self._do(self._write, self.folder / checked(name), content)

    async def read(self, name: str) -> bytes | None:
        """Read a file."""
        try:
            return await self._do(self._read, self.folder / checked(name))
        except FileNotFoundError:
            return None

    async def names(self, folder: str) -> Sequence[str]:
        """List a folder, without what a kill left half-written."""
        found = await self._do(lambda: list((self.folder / folder).glob("*")))
        return sorted(f"{folder}/{path.name}" for path in found if not path.name.startswith("."))

    async def delete(self, name: str) -> None:
        """Remove a file."""
        await self._do(lambda: (self.folder / checked(name)).unlink(missing_ok=True))

    async def check(self) -> list[str]:
        """Try to write."""
        try:
            await self._do(lambda: self.folder.mkdir(mode=0o700, parents=True, exist_ok=True))
        except LedgerError:
            return [f"Tombstones cannot be kept in {self.folder}. Give the portal's user write access to it."]
        if not os.access(self.folder, os.W_OK | os.X_OK):
            return [f"Tombstones cannot be written to {self.folder}. Give the portal's user write access to it."]
        return []

    async def close(self) -> None:
        """Close nothing."""

    async def _do[*Arguments, Result](self, act: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        try:
            return await asyncio.to_thread(act, *arguments)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise LedgerError(f"the ledger in {self.folder} cannot be used ({error.strerror})") from error

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                _name(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        _sweep(path)
        for folder in (path.parent, path.parent.parent):
            _flush(folder)

    def _read(self, path: Path) -> bytes:
        content = path.read_bytes()
        if path.stat().st_nlink > 1:
            _sweep(path)
        return content


def open_ledger(settings: Settings) -> Ledger:
    """Return the ledger that `HABEAS_TOMBSTONES` names: a folder, or `s3://bucket/prefix`.

    Raises:
        SettingsError: when it names neither.
    """
    place = settings.environment.get(PLACE, "")
    if not place:
        return FolderLedger(settings.data_folder / "tombstones")
    if not place.startswith("s3://"):
        if "://" in place:
            raise SettingsError(f"{PLACE} must be a folder, or s3://bucket/prefix.")
        return FolderLedger(Path(place))
    from portal.evidence.bucket import BucketLedger  # noqa: PLC0415  boto3 is slow to load and rarely needed here

    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    if not bucket:
        raise SettingsError(f"{PLACE} names no bucket: write s3://bucket/prefix.")
    return BucketLedger(bucket, prefix.strip("/"), endpoint=settings.environment.get(ENDPOINT, ""))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Ledger]:
    """Open the ledger and close it again. Raises: SettingsError."""
    ledger = open_ledger(settings)
    try:
        yield ledger
    finally:
        await ledger.close()


def checked(name: str) -> str:
    """Return `name` when it is one of ours. Raises: ValueError."""
    if not NAME.fullmatch(name) or ".." in name:
        raise ValueError("not a name in the ledger")
    return name


class _Proven(msgspec.Struct):
    """A file of the ledger: what it says, and the code over those bytes."""

    mac: str
    says: msgspec.Raw


def prove(entry: msgspec.Struct, settings: Settings) -> bytes:
    """Return `entry` as JSON with its code (HMAC-SHA-256)."""
    says = msgspec.json.encode(entry)
    return msgspec.json.encode(_Proven(code(settings, says), msgspec.Raw(says)))


def proven[Entry: msgspec.Struct](content: bytes, kind: type[Entry], settings: Settings) -> Entry:
    """Return what `prove` wrote.

    Raises:
        LedgerError: it was not written with our secret key, or was changed since.
    """
    try:
        found = msgspec.json.decode(content, type=_Proven)
        if agrees(settings, bytes(found.says), found.mac):
            return msgspec.json.decode(found.says, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    raise LedgerError(
        "a file of the tombstone ledger was changed, or was written with another HABEAS_SECRET_KEY; "
        "if you changed the key, name the former one in HABEAS_FORMER_SECRET_KEYS"
    )


def code(settings: Settings, content: bytes) -> str:
    """Return the code over some bytes, made with the present key."""
    return hmac.digest(settings.key(f"{PURPOSE}-ledger"), content, "sha256").hex()


def agrees(settings: Settings, content: bytes, mac: str) -> bool:
    """Tell whether `mac` is the code over `content`, made with the present or a former key."""
    made = (hmac.digest(key, content, "sha256").hex() for key in keys(settings, f"{PURPOSE}-ledger"))
    return any(hmac.compare_digest(one, mac) for one in made)


def _name(beside: Path, path: Path) -> None:
    """Give a whole file its name. Raises: FileExistsError."""
    try:
        path.hardlink_to(beside)
    except FileNotFoundError:
        # Another writer of the same name was faster, and has swept ours away as a killed one's.
        if not path.exists():
            raise


def _sweep(path: Path) -> None:
    """Remove what writers of this name have left beside it when they were killed."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        left.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

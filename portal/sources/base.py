"""What every system that holds data can be asked. One adapter per kind; vendor types never leave it.

Always true here: only columns that the policy file names are read, and every error is one of the three `SourceError`s.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from exports.order import Batch, StoredFile


class Identifiers(msgspec.Struct, frozen=True, kw_only=True):
    """What we know a person by. Each source adds what it finds; none takes anything away."""

    emails: frozenset[str] = frozenset()
    """Every spelling on record, as stored, and the normalised one."""
    account_ids: frozenset[str] = frozenset()
    stripe_customers: frozenset[str] = frozenset()
    subject_id: str = ""
    """Our own id, once there is one."""
    display_name: str = ""
    language: str = ""

    def known(self) -> bool:
        """True when some system knows this person: more than just the address they typed."""
        return bool(self.account_ids or self.stripe_customers or self.subject_id)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something `habeas check` found: where, what, and what to do about it. `severity` error fails the check."""

    source: str
    place: str
    what: str
    remedy: str
    severity: str = "error"
    """error or warning"""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some records of a category, newest first, for a page. `rows` map field ids to plain values."""

    rows: tuple[Mapping[str, object], ...]
    total: int


class Source(Protocol):
    """One system. `id` is its id in the policy file."""

    id: str

    async def check(self) -> list[Fault]:
        """Look at credentials, reach, columns and indexes. Returns everything that is wrong, never raises for it."""
        ...

    async def identify(self, known: Identifiers) -> Identifiers:
        """Return `known` and whatever else this system knows the person by."""
        ...

    async def count(self, subject: Identifiers) -> Mapping[str, int]:
        """Return how many records each of its categories holds about the person."""
        ...

    async def page(self, subject: Identifiers, category: str, *, offset: int, limit: int) -> Page:
        """Return some records of a category, newest first."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager["Source"]:
        """Open a view of one moment; `collect` on it sees that moment. Where a system has none, itself."""
        ...

    def collect(self, subject: Identifiers, category: str) -> AsyncIterator[Batch]:
        """Stream all records of a category in batches, in constant memory."""
        ...

    def files(self, subject: Identifiers, category: str) -> AsyncIterator[StoredFile]:
        """Stream the files that belong to a category, one handle at a time."""
        ...

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        ...


async def no_files() -> AsyncIterator[StoredFile]:
    """Yield nothing: what a source answers that keeps no files."""
    nothing: tuple[StoredFile, ...] = ()
    for file in nothing:
        yield file

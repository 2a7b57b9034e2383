"""What every system that holds data can be asked. One adapter per kind; vendor types never leave it.

Always true here: only columns that the policy file names are read, and every error is one of the three `SourceError`s.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import Literal, Protocol
from uuid import UUID

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


type Action = Literal["erase", "anonymise", "keep"]


class Erasing(msgspec.Struct, frozen=True, kw_only=True):
    """What erasing is to do to one category in one source."""

    category: str
    action: Action
    minimum: tuple[str, ...] = ()
    """The fields that stay when `keep`; all others are emptied."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Kept records of one category whose period is over: those whose `field` lies before `before`."""

    category: str
    field: str
    before: date


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """How far one source is. `done` is False while it works on it by itself: ask again with the same `handle`."""

    done: bool
    means: str
    """What happened there: deleted, redacted, customer-deleted, blanked, nothing. One word for receipt and page."""
    handle: str = ""
    """What the source calls the work, to ask again; about the work, never about the person."""


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a category that is to hold another value. `record` names one record by its key, empty: all."""

    category: str
    field: str
    value: str
    record: str = ""


class Restricted(msgspec.Struct, frozen=True, kw_only=True):
    """How a source keeps data out of use: `flag` a column that it sets and reads back, `own` our own rule."""

    means: str


class Needles(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for: every known identifier and its derived forms, each under the id of what it is.

    Ids (`email-1:sha256`) go to findings and evidence; texts never do.
    """

    texts: Mapping[str, str]
    """Id -> text, at least six characters long; compared without regard to case."""
    whole: frozenset[str] = frozenset()
    """Ids of those that count only where they stand by themselves (`matching.stands`): `ana@…` is not in `joana@…`."""
    subject: Identifiers
    """For stores that can only be asked by identifier."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is left somewhere: the place (table and column, bucket, kind of object), which needle, how many."""

    place: str
    needle: str
    number: int
    keys: tuple[str, ...] = ()
    """Some keys of the rows, to tell what is held on purpose from what was forgotten; never a value."""


class Searched(msgspec.Struct, frozen=True, kw_only=True):
    """What a search looked at, and what it could not: a place that is not searched is never clean."""

    findings: tuple[Finding, ...]
    places: tuple[str, ...]
    """Every table, bucket or kind of object that was looked through."""
    blind: tuple[str, ...] = ()
    """Places that exist and could not be looked through, each with a reason: `audit (no right to read)`."""


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

    async def erase(
        self, subject: Identifiers, items: Sequence[Erasing], *, pseudonym: UUID, handle: str = ""
    ) -> Erased:
        """Do all `items` in one go. Idempotent: what is gone already is done.

        Kept records lose every field outside their minimum and are re-addressed to `pseudonym`, under which
        `held` finds them again; what still refers to a row that goes is kept whole by an empty shell of it.

        Raises:
            SourceUnsupported: it has no means to; a person must act by hand.
        """
        ...

    async def erase_held(self, pseudonym: UUID, items: Sequence[Held]) -> int:
        """Erase what `erase` kept under `pseudonym` and whose day has come; the shell goes with the last record.

        Idempotent. Returns how many kept records are left.
        """
        ...

    async def rectify(self, subject: Identifiers, correction: Correction) -> int:
        """Write the value; return how many records hold it now. Idempotent.

        Raises:
            SourceUnsupported: the field is not the source's to change.
        """
        ...

    async def restrict(self, subject: Identifiers, *, on: bool) -> Restricted:
        """Keep the person's data out of use, or let it go again, and read back that it is so. Idempotent.

        Raises:
            SourceUnsupported: it has no means to; a person must act by hand.
        """
        ...

    async def search(self, needles: Needles) -> Searched:
        """Look for what is left of a person in everything this system stores, declared or not.

        Raises:
            SourceUnsupported: nobody gave us the right to look.
        """
        ...

    async def close(self) -> None:
        """Give back connections. Idempotent."""
        ...


async def no_files() -> AsyncIterator[StoredFile]:
    """Yield nothing: what a source answers that keeps no files."""
    nothing: tuple[StoredFile, ...] = ()
    for file in nothing:
        yield file

"""What an export is made from: an order with sections, in the person's language. It knows no request and no source.

Always true here: every word in an order is ready to print; records arrive as JSON lines in batches of any size.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import msgspec


class Batch(msgspec.Struct, frozen=True):
    """Some records: `lines` is JSON Lines (one object and one newline each), `count` how many.

    Every object has `kind` first (what it is, e.g. `purchase`), then fields by their id.
    """

    lines: bytes
    count: int


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the person's. `name` is the person's own and goes into listings, never into a path."""

    name: str
    media_type: str
    size_bytes: int
    open: Callable[[], AsyncIterator[bytes]]
    """Open it from the start; may be called again after a broken stream."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a section's records: id in the data, heading for people, how to show it, whether it matters most."""

    id: str
    title: str
    kind: str = "text"
    """text, long-text, code, moment, day, money, number, flag, file, size, link"""
    main: bool = False
    values: dict[str, str] = {}
    """What stored values are called for people, in the PDF only."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One category: what a person calls it, why it is held, until when, who else gets it, and its records."""

    id: str
    title: str
    explanation: str
    why: str
    until: str
    recipients: str
    origin: str = ""
    portable: bool = True
    columns: tuple[Column, ...]
    parts: tuple["Part", ...]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one source holds of a section."""

    source: str
    """Its id, for the manifest."""
    source_title: str
    expected: int | None
    """How many records it counted beforehand; None when it could not count."""
    batches: Callable[[], AsyncIterator[Batch]]
    files: Callable[[], AsyncIterator[StoredFile]] | None = None


class Paragraph(msgspec.Struct, frozen=True, kw_only=True):
    """A heading and what is under it, for the PDF's last chapter."""

    title: str
    text: str


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One use of the data, its ground, and what the person may do about it."""

    use: str
    ground: str
    may: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One export to be made."""

    reference: str
    language: str
    """en or fr: the language of everything a person reads in it."""
    organisation: str
    title: tuple[str, ...]
    """The cover's heading, one line each."""
    accent: str
    """#rrggbb"""
    name: str
    email: str
    snapshot_at: datetime
    zone: str
    """IANA zone in which instants are shown to the person; the data files keep UTC."""
    contact: str
    schema_url: str
    """Where the JSON Schema of `data.json` is published."""
    sections: tuple[Section, ...]
    uses: tuple[Use, ...]
    notices: tuple[Paragraph, ...]
    """Art. 15(1)(e)-(h) and 15(2): rights, complaint, automated decisions, transfers."""
    not_in_here: tuple[str, ...]
    """What is never held, left out, or could not be reached, one sentence each."""
    article: str = "Art. 15"
    """The article of the GDPR that it answers: Art. 15, a copy; Art. 20, files to take along."""


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A part that could not be read: which source and section, and when."""

    section: str
    source: str
    reason: str
    """unavailable, refused or unsupported"""
    at: datetime
    what: str = "records"
    """records: the whole part is left out. files: its records are here, some of its files are not."""


class Withheld(msgspec.Struct, frozen=True, kw_only=True):
    """What was left out of a section for the sake of others: how much, and on what ground, ready to print."""

    section: str
    article: str
    """As it is cited, e.g. Art. 15(4) of the GDPR."""
    ground: str
    passages: int = 0
    values: int = 0
    files: int = 0


type Progress = Callable[[str, str, int], Awaitable[None]]
"""Called with (section id, source id, records so far) now and then while data is read."""


class PartError(Exception):
    """What a part's iterator raises when its source fails; `reason` is unavailable, refused or unsupported."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

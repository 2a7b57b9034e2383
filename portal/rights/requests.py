"""Read requests: what a person may know about their own, and nothing about anybody else's.

Always true here: every look-up names the person; what is not theirs is not found.
"""

import re
from datetime import date, datetime
from uuid import UUID

import msgspec

from portal.errors import NotFound
from portal.rights.tables import ExportPart, Parcel, SubjectRequest, TimelineEntry

REFERENCE = re.compile(r"DR-[0-9]{4}-[0-9]{4,12}")


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """One request, as its pages need it."""

    id: UUID
    reference: str
    subject: UUID | None
    right: str
    channel: str
    about: UUID | None
    categories: list[str]
    format: str
    language: str
    state: str
    """One of `lifecycle.MOVES`."""
    outcome: str
    assignee: int | None = None
    """The member of staff who has it."""
    waits: bool
    received_at: datetime
    promise_day: date | None
    law_day: date
    due_day: date
    act_by_day: date | None
    extended_on: date | None
    closed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """True until it has an outcome."""
        return self.closed_at is None

    @property
    def owner(self) -> UUID:
        """Whose data it is about. Raises: NotFound, while that is not proven."""
        if self.subject is None:
            raise NotFound
        return self.subject


class PartView(msgspec.Struct, frozen=True, kw_only=True):
    """One source and category of an export, with how far it is."""

    source: str
    category: str
    state: str
    """waiting, working, done or failed"""
    expected: int | None
    done: int
    error: str
    failed_at: datetime | None


class ParcelView(msgspec.Struct, frozen=True, kw_only=True):
    """A finished copy."""

    id: UUID
    place: str
    size_bytes: int
    pdf_place: str
    pdf_size_bytes: int
    sha256: str
    records: int
    files: int
    complete: bool
    snapshot_at: datetime
    ready_at: datetime
    expires_at: datetime
    downloads_left: int
    deleted_at: datetime | None

    def available(self, at: datetime) -> bool:
        """True while it can be downloaded."""
        return self.deleted_at is None and at < self.expires_at and self.downloads_left > 0


class TimelineView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: `event` is a key into the page's texts; `why` is said in words of staff's own."""

    at: datetime
    event: str
    why: str = ""


async def requests_of(subject: UUID) -> list[RequestView]:
    """Return all requests of one person, newest first."""
    rows = await SubjectRequest.select().where(SubjectRequest.subject == subject).order_by(
        SubjectRequest.received_at, ascending=False
    )  # fmt: skip
    return msgspec.convert(rows, list[RequestView])


async def find(reference: str, subject: UUID) -> RequestView:
    """Return one request of this person.

    Raises:
        NotFound: when there is none, or it is somebody else's.
    """
    if not REFERENCE.fullmatch(reference):
        raise NotFound
    row = await SubjectRequest.select().where(
        (SubjectRequest.reference == reference) & (SubjectRequest.subject == subject)
    ).first()  # fmt: skip
    if row is None:
        raise NotFound
    return msgspec.convert(row, RequestView)


async def find_by_id(id: UUID) -> RequestView:
    """Return a request, whoever's it is: for the worker and for staff, never for a person's page.

    Raises:
        NotFound: there is none.
    """
    row = await SubjectRequest.select().where(SubjectRequest.id == id).first()
    if row is None:
        raise NotFound
    return msgspec.convert(row, RequestView)


async def parts_of(request: UUID) -> list[PartView]:
    """Return the parts of an export in the order in which they are read."""
    rows = await ExportPart.select().where(ExportPart.request == request).order_by(ExportPart.position)
    return msgspec.convert(rows, list[PartView])


async def parcel_of(request: UUID) -> ParcelView | None:
    """Return the newest parcel of a request, deleted or not; None while there is none."""
    row = await Parcel.select().where(Parcel.request == request).order_by(Parcel.ready_at, ascending=False).first()
    return msgspec.convert(row, ParcelView) if row else None


async def timeline_of(request: UUID) -> list[TimelineView]:
    """Return what happened, oldest first."""
    rows = await TimelineEntry.select().where(TimelineEntry.request == request).order_by(TimelineEntry.at)
    return msgspec.convert(rows, list[TimelineView])

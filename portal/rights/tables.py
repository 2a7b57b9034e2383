"""Requests, what will be done for them, and the parcels they end in."""

from piccolo.columns import (
    UUID,
    Array,
    BigInt,
    Boolean,
    Date,
    ForeignKey,
    Integer,
    OnDelete,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.table import Table

from portal.identity.tables import Subject


class SubjectRequest(Table, tablename="subject_request"):
    """One exercise of one right by one person. At most one open request per person and right (unique index)."""

    id = UUID(primary_key=True)
    reference = Text(unique=True)
    """DR-2026-0147: digits only, so that 0 and O cannot be confused."""
    subject = ForeignKey(Subject, on_delete=OnDelete.restrict, null=False, index=True)
    right = Varchar(length=20)
    """access"""
    categories = Array(base_column=Text())
    format = Varchar(length=20, default="all")
    """all (ZIP) or pdf"""
    language = Varchar(length=2)
    state = Varchar(length=20, default="received")
    """received, working, ready, closed"""
    outcome = Varchar(length=20, default="")
    """fulfilled, partly, no-data, withdrawn"""
    received_at = Timestamptz()
    promise_day = Date(null=True, default=None)
    law_day = Date()
    due_day = Date()
    """The earlier of the two; the day at whose end, in the controller's zone, it is late."""
    closed_at = Timestamptz(null=True, default=None)


class ExportPart(Table, tablename="export_part"):
    """One plan item of an export: one source and one category, with its progress."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    source = Text()
    category = Text()
    position = Integer()
    state = Varchar(length=20, default="waiting")
    """waiting, working, done, failed"""
    expected = BigInt(null=True, default=None)
    done = BigInt(default=0)
    error = Varchar(length=40, default="")
    """unavailable, refused, or unsupported; never a message, which might hold personal data"""
    failed_at = Timestamptz(null=True, default=None)


class Parcel(Table, tablename="parcel"):
    """The finished copy: one ZIP and its PDF alone, until they expire."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    place = Text()
    """Where storage keeps the ZIP; the PDF alone is beside it."""
    size_bytes = BigInt()
    pdf_place = Text(default="")
    pdf_size_bytes = BigInt(default=0)
    sha256 = Text()
    records = BigInt()
    files = Integer()
    complete = Boolean()
    snapshot_at = Timestamptz()
    ready_at = Timestamptz()
    expires_at = Timestamptz()
    downloads_left = Integer(default=5)
    deleted_at = Timestamptz(null=True, default=None)


class TimelineEntry(Table, tablename="timeline_entry"):
    """What the person reads on the request's page. `event` is a key into the page's texts."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    at = Timestamptz()
    event = Varchar(length=40)

"""Requests, what is said about them, what will be done for them, and the parcels they end in."""

from piccolo.columns import (
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
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
    subject = ForeignKey(Subject, on_delete=OnDelete.restrict, null=True, default=None, index=True)
    """Whose data it is about; None until that is proven."""
    right = Varchar(length=20)
    """One of `lifecycle.RIGHTS`."""
    channel = Varchar(length=20, default="portal")
    """How it came: portal, mailbox, agent, report, letter, phone, email, counter"""
    about: "ForeignKey[SubjectRequest]" = ForeignKey("self", on_delete=OnDelete.set_null, null=True, default=None)
    """The request a complaint is about."""
    categories = Array(base_column=Text())
    format = Varchar(length=20, default="all")
    """all (ZIP) or pdf"""
    language = Varchar(length=2)
    state = Varchar(length=20, default="received")
    """One of `lifecycle.MOVES`."""
    outcome = Varchar(length=20, default="")
    """One of `lifecycle.OUTCOMES` once it is closed."""
    assignee = Integer(null=True, default=None)
    """The member of staff who has it; None is nobody."""
    waits = Boolean(default=False)
    """True while a question of ours waits for the person; the clock goes on."""
    received_at = Timestamptz()
    promise_day = Date(null=True, default=None)
    law_day = Date()
    due_day = Date()
    """The earlier of the two; the day at whose end, in the controller's zone, it is late."""
    act_by_day = Date(null=True, default=None)
    """The last working day on which to act."""
    extended_on = Date(null=True, default=None)
    clock = Text(default="")
    """What the dates were computed from, with the version of the rules, as JSON: the same dates come out again."""
    closed_at = Timestamptz(null=True, default=None)


class RequestMessage(Table, tablename="request_message"):
    """What was written about a request: the person's own words first. The only place of a request with free text."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    at = Timestamptz()
    author = Varchar(length=20)
    """person, agent, reporter or staff"""
    kind = Varchar(length=20, default="message")
    """message, question, answer (to a question) or letter"""
    text = Text()


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


class Plan(Table, tablename="plan"):
    """What is to be done in several systems for one request: erase, restrict, lift or rectify."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    kind = Varchar(length=20)
    """erase, restrict, lift or rectify"""
    digest = Text(default="")
    """SHA-256 of what was shown and approved."""
    whole = Boolean(default=False)
    """True when everything about the person goes, the sign-in identity too."""
    state = Varchar(length=20, default="approved")
    """approved, running, scanning, done, cancelled"""
    pseudonym = UUID()
    """What kept records are filed under afterwards; about nobody."""
    known = Bytea(null=True, default=None)
    """What the person was known by when the work began, sealed with their key; unreadable once that is destroyed."""
    rounds = Integer(default=0)
    """How often a search found something left."""
    approved_at = Timestamptz()
    runs_at = Timestamptz()
    """Until then it can be cancelled."""
    begun_at = Timestamptz(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)


class PlanItem(Table, tablename="plan_item"):
    """One source and one category of a plan, or one recipient to be told, with how far it is."""

    id = UUID(primary_key=True)
    plan = ForeignKey(Plan, on_delete=OnDelete.cascade, null=False, index=True)
    position = Integer()
    source = Text()
    """A source's id, or a recipient's when the action is `tell`."""
    category = Text(default="")
    action = Varchar(length=20)
    """erase, anonymise, keep, nothing, restrict, lift, rectify, tell"""
    ground = Text(default="")
    until = Date(null=True, default=None)
    """The last day on which any kept record may still be there."""
    expected = BigInt(null=True, default=None)
    """How many records there were when the work began."""
    state = Varchar(length=20, default="waiting")
    """waiting, working, done, failed, by-hand"""
    means = Varchar(length=40, default="")
    handle = Text(default="")
    """What the source calls its own unfinished work."""
    error = Varchar(length=40, default="")
    """unavailable, refused, unsupported, left or out-of-use; never a message, which might hold personal data"""
    tries = Integer(default=0)
    failed_at = Timestamptz(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)


class Task(Table, tablename="task"):
    """Something only a person of ours can do: tell a recipient, act in a system by hand, decide."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    item = ForeignKey(PlanItem, on_delete=OnDelete.cascade, null=True, default=None, index=True)
    kind = Varchar(length=20)
    """One of `tasks.KINDS`."""
    about = Text(default="")
    """A source's, recipient's or category's id."""
    state = Varchar(length=20, default="open", index=True)
    """open, asked, done, not-needed"""
    opened_at = Timestamptz()
    due_day = Date()
    asked_at = Timestamptz(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)
    ended_by = Text(default="")
    reason = Text(default="")
    """Why it was not needed; about the system, never about the person."""


class HeldItem(Table, tablename="held_item"):
    """Records that had to be kept after an erasure, filed under a pseudonym, until their own day."""

    id = UUID(primary_key=True)
    plan = ForeignKey(Plan, on_delete=OnDelete.restrict, null=False, index=True)
    source = Text()
    category = Text()
    pseudonym = UUID()
    ground = Text()
    until = Date()
    """The last day on which any of them may still be there."""
    left = BigInt(null=True, default=None)
    looked_at = Timestamptz(null=True, default=None)
    erased_at = Timestamptz(null=True, default=None)


class Restriction(Table, tablename="restriction"):
    """Data kept out of use: stored, exported, and nothing else. Source: GDPR Art. 18."""

    id = UUID(primary_key=True)
    subject = ForeignKey(Subject, on_delete=OnDelete.restrict, null=False, index=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    categories = Array(base_column=Text())
    """Empty: everything."""
    reason = Varchar(length=20)
    """accuracy, unlawful, claims, objection (Art. 18(1)(a)-(d)), erasure, child"""
    since = Timestamptz()
    noticed_at = Timestamptz(null=True, default=None)
    """When the person was told that it ends. Source: GDPR Art. 18(3)."""
    lifts_at = Timestamptz(null=True, default=None)
    lifted_at = Timestamptz(null=True, default=None)

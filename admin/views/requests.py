"""Requests and what hangs on one: messages without their words, tasks, looks, copies without their place."""

from piccolo.columns import UUID, BigInt, Boolean, Date, Integer, Text, Timestamptz

from admin.roles import Permission
from admin.views.view import view

RECORDS = Permission.RECORDS

VIEWS = (
    view(
        "open_request", ("subject_request", "staff_user"), Permission.QUEUE, "due_day,reference",
        {
            "reference": Text(primary_key=True), "right": Text(), "days_left": Integer(), "due_day": Date(),
            "act_by_day": Date(null=True), "promise_day": Date(null=True), "law_day": Date(),
            "next_action": Text(), "owner": Text(), "waiting": Boolean(), "state": Text(), "channel": Text(),
            "received_on": Date(),
        },
    ),
    view(
        "request", ("subject_request", "staff_user"), RECORDS, "-received_at",
        {
            "reference": Text(primary_key=True), "right": Text(), "state": Text(), "outcome": Text(),
            "channel": Text(), "owner": Text(), "language": Text(), "format": Text(), "received_at": Timestamptz(),
            "due_day": Date(), "promise_day": Date(null=True), "law_day": Date(), "act_by_day": Date(null=True),
            "extended_on": Date(null=True), "closed_at": Timestamptz(null=True),
        },
    ),
    view(
        "message", "request_message", RECORDS, "-at",
        {
            "id": UUID(primary_key=True), "reference": Text(), "at": Timestamptz(), "author": Text(), "kind": Text(),
            "characters": Integer(),
        },
    ),
    view(
        "note", ("request_note", "staff_user"), RECORDS, "-at",
        {
            "id": UUID(primary_key=True), "reference": Text(), "at": Timestamptz(), "colleague": Text(),
            "characters": Integer(),
        },
    ),
    view(
        "look", ("request_look", "staff_user"), RECORDS, "-at",
        {
            "id": UUID(primary_key=True), "reference": Text(), "at": Timestamptz(), "colleague": Text(),
            "reason": Text(),
        },
    ),
    view(
        "timeline_entry", "timeline_entry", RECORDS, "-at",
        {"id": UUID(primary_key=True), "reference": Text(), "at": Timestamptz(), "event": Text()},
    ),
    view(
        "task", "task", RECORDS, "due_day",
        {
            "id": UUID(primary_key=True), "reference": Text(), "kind": Text(), "about": Text(), "state": Text(),
            "due_day": Date(), "opened_at": Timestamptz(), "asked_at": Timestamptz(null=True),
            "ended_at": Timestamptz(null=True), "ended_by": Text(),
        },
    ),
    view(
        "approval", "approval", RECORDS, "-asked_at",
        {
            "id": UUID(primary_key=True), "reference": Text(null=True), "verb": Text(), "state": Text(),
            "asked_by": Text(), "asked_at": Timestamptz(), "decided_by": Text(), "decided_at": Timestamptz(null=True),
        },
    ),
    view(
        "form_received", "intake_form", RECORDS, "-sent_at",
        {
            "id": UUID(primary_key=True), "reference": Text(), "kind": Text(), "address": Text(),
            "sent_at": Timestamptz(), "confirmed_at": Timestamptz(null=True), "mails": Integer(), "said": Text(),
            "said_at": Timestamptz(null=True),
        },
    ),
    view(
        "upload", "upload", RECORDS, "-came_at",
        {
            "id": UUID(primary_key=True), "reference": Text(null=True), "media_type": Text(), "size_bytes": BigInt(),
            "came_at": Timestamptz(),
        },
    ),
    view(
        "copy", "parcel", RECORDS, "-ready_at",
        {
            "id": UUID(primary_key=True), "reference": Text(), "size_bytes": BigInt(), "records": BigInt(),
            "files": Integer(), "complete": Boolean(), "snapshot_at": Timestamptz(), "ready_at": Timestamptz(),
            "expires_at": Timestamptz(), "downloads_left": Integer(), "deleted_at": Timestamptz(null=True),
        },
    ),
    view(
        "copy_part", "export_part", RECORDS, "-reference",
        {
            "id": UUID(primary_key=True), "reference": Text(), "position": Integer(), "source": Text(),
            "category": Text(), "state": Text(), "expected": BigInt(null=True), "done": BigInt(), "error": Text(),
            "failed_at": Timestamptz(null=True),
        },
    ),
    view(
        "copy_search", "copy_look", RECORDS, "-found_at",
        {
            "id": UUID(primary_key=True), "reference": Text(), "texts": Integer(), "found_at": Timestamptz(),
            "released_at": Timestamptz(null=True),
        },
    ),
    view(
        "withheld_passage", "redaction", RECORDS, "-at",
        {
            "id": UUID(primary_key=True), "reference": Text(), "source": Text(), "category": Text(), "part": Text(),
            "field": Text(), "sign": Text(), "answer": Text(), "lost": Boolean(), "ground": Text(), "by": Text(),
            "at": Timestamptz(null=True),
        },
    ),
)  # fmt: skip

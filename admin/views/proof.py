"""What proves what was done: the log, receipts, and the numbers of what is sealed.

Always true here: who has a receipt's number may ask what became of the request, so only its end is told.
"""

from piccolo.columns import JSONB, UUID, BigInt, Date, Integer, Text, Timestamptz

from admin.roles import Permission
from admin.views.view import view

RECORDS, TABLES = Permission.RECORDS, Permission.TABLES

VIEWS = (
    view(
        "evidence", "evidence", RECORDS, "-seq",
        {
            "seq": BigInt(primary_key=True), "at": Timestamptz(), "event": Text(), "actor": Text(),
            "reference": Text(), "details": JSONB(), "previous": Text(), "digest": Text(),
        },
    ),
    view(
        "receipt", "receipt", RECORDS, "-issued_at",
        {
            "id": UUID(primary_key=True), "reference": Text(null=True), "number": Text(), "supplement": Integer(),
            "issued_at": Timestamptz(), "key": Text(),
        },
    ),
    view(
        "receipt_key", "receipt_key", TABLES, "-since",
        {"id": Text(primary_key=True), "public_key": Text(), "since": Timestamptz()},
    ),
    view(
        "sealed_document", "sealed", RECORDS, "-at",
        {"digest": Text(primary_key=True), "reference": Text(), "size_bytes": BigInt(), "at": Timestamptz()},
    ),
    view(
        "known_erasure", "known_tombstone", TABLES, "-at",
        {"id": UUID(primary_key=True), "at": Timestamptz()},
    ),
    view(
        "tally", "request_tally", Permission.FIGURES, "-month",
        {
            "id": UUID(primary_key=True), "month": Date(), "by": Text(), "right": Text(), "kind": Text(),
            "key": Text(), "times": BigInt(),
        },
    ),
    view(
        "tally_mark", "tally_mark", TABLES, "name", {"name": Text(primary_key=True), "seq": BigInt()},
    ),
)  # fmt: skip

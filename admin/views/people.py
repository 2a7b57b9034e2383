"""People, how they signed in, and the mails to them.

Always true here: an address is masked in SQL, enough to recognise one that somebody reads out and too little to write
to; names are not told.
"""

from piccolo.columns import UUID, Integer, Text, Timestamptz

from admin.roles import Permission
from admin.views.view import view

RECORDS = Permission.RECORDS

PEOPLE = (
    view(
        "person", "subject", RECORDS, "-created_at",
        {
            "id": UUID(primary_key=True), "address": Text(), "language": Text(), "created_at": Timestamptz(),
            "open_requests": Integer(),
        },
    ),
    view(
        "known_identifier", "known_identifier", RECORDS, "person",
        {"id": UUID(primary_key=True), "person": Text(), "kind": Text()},
    ),
    view(
        "outside_identity", "outside_identity", RECORDS, "-created_at",
        {"id": UUID(primary_key=True), "person": Text(), "issuer": Text(), "created_at": Timestamptz()},
    ),
    view(
        "session", "person_session", RECORDS, "-created_at",
        {
            "id": UUID(primary_key=True), "person": Text(), "browser": Text(), "way": Text(),
            "created_at": Timestamptz(), "expires_at": Timestamptz(), "confirmed_at": Timestamptz(),
            "ended_at": Timestamptz(null=True),
        },
    ),
    view(
        "sign_in_code", "sign_in_attempt", RECORDS, "-created_at",
        {
            "id": UUID(primary_key=True), "address": Text(), "purpose": Text(), "language": Text(),
            "tries": Integer(), "created_at": Timestamptz(), "expires_at": Timestamptz(),
            "sent_at": Timestamptz(null=True), "used_at": Timestamptz(null=True),
        },
    ),
    view(
        "outside_sign_in", "outside_attempt", RECORDS, "-created_at",
        {
            "id": UUID(primary_key=True), "provider": Text(), "language": Text(), "created_at": Timestamptz(),
            "expires_at": Timestamptz(), "used_at": Timestamptz(null=True),
        },
    ),
)  # fmt: skip

MAIL = (
    view(
        "mail", "mail", RECORDS, "-created_at",
        {
            "id": UUID(primary_key=True), "kind": Text(), "to_address": Text(), "language": Text(),
            "reference": Text(), "state": Text(), "tries": Integer(), "error": Text(), "created_at": Timestamptz(),
            "accepted_at": Timestamptz(null=True),
        },
    ),
    view(
        "mail_event", "mail_event", RECORDS, "-received_at",
        {
            "svix_id": Text(primary_key=True), "provider_id": Text(), "kind": Text(), "occurred_at": Timestamptz(),
            "received_at": Timestamptz(),
        },
    ),
)  # fmt: skip

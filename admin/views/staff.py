"""Staff, with how they sign in and never with what they sign in by; and the tables of our own words.

Always true here: only those who invite staff see these rows. The tables of our own words are about nobody, so that
everybody may read them; `portal.rights.reference` writes them.
"""

from piccolo.columns import UUID, Array, Boolean, Integer, Text, Timestamptz, Varchar

from admin.roles import Permission
from admin.views.view import view

PEOPLE, TABLES = Permission.PEOPLE, Permission.TABLES

VIEWS = (
    view(
        "colleague", ("staff_user", "staff_choice"), PEOPLE, "name",
        {
            "id": Integer(primary_key=True), "name": Text(), "address": Text(), "roles": Array(base_column=Text()),
            "active": Boolean(), "language": Text(null=True),
        },
    ),
    view(
        "staff_session", ("staff_session", "staff_user"), PEOPLE, "-id",
        {
            "id": Integer(primary_key=True), "colleague": Text(), "browser": Text(), "idle_until": Timestamptz(),
            "ends_at": Timestamptz(), "confirmed_at": Timestamptz(null=True),
        },
    ),
    view(
        "staff_invitation", ("staff_invitation", "staff_user"), PEOPLE, "-created_at",
        {
            "id": UUID(primary_key=True), "colleague": Text(), "created_at": Timestamptz(),
            "expires_at": Timestamptz(), "used_at": Timestamptz(null=True),
        },
    ),
    view(
        "staff_passkey", ("staff_passkey", "staff_user"), PEOPLE, "-created_at",
        {
            "id": UUID(primary_key=True), "colleague": Text(), "name": Text(), "created_at": Timestamptz(),
            "used_at": Timestamptz(null=True),
        },
    ),
    view(
        "staff_recovery_code", ("staff_recovery_code", "staff_user"), PEOPLE, "-created_at",
        {
            "id": UUID(primary_key=True), "colleague": Text(), "created_at": Timestamptz(),
            "used_at": Timestamptz(null=True),
        },
    ),
    view(
        "staff_identity", ("staff_identity", "staff_user"), PEOPLE, "-created_at",
        {"id": UUID(primary_key=True), "colleague": Text(), "issuer": Text(), "created_at": Timestamptz()},
    ),
)  # fmt: skip

REFERENCE = (
    view(
        "letter_addition", "letter_addition", TABLES, "kind,language",
        {
            "id": UUID(primary_key=True), "kind": Varchar(length=40), "language": Varchar(length=2), "text": Text(),
        },
    ),
    view(
        "reason_hint", "reason_hint", TABLES, "reason",
        {"id": UUID(primary_key=True), "reason": Varchar(length=40), "text": Text()},
    ),
    view(
        "recipient_contact", "recipient_contact", TABLES, "recipient",
        {
            "id": UUID(primary_key=True), "recipient": Varchar(length=80), "name": Varchar(length=200),
            "email": Varchar(length=200), "url": Varchar(length=200),
        },
    ),
)  # fmt: skip

"""What staff get in with: invitations, passkeys, recovery codes, an identity of the organisation's single sign-on.

Always true here: of every secret only a keyed hash is stored; a passkey's public key opens nothing to who steals it.
"""

from piccolo.columns import UUID, BigInt, Bytea, ForeignKey, OnDelete, Text, Timestamptz
from piccolo.table import Table

from admin.tables import StaffUser


class StaffInvitation(Table, tablename="staff_invitation"):
    """A link with which somebody becomes a member of staff, or gets new factors after a reset: one use, seven days."""

    id = UUID(primary_key=True)
    user = ForeignKey(StaffUser, on_delete=OnDelete.cascade, null=False, index=True)
    token_hash = Text(unique=True)
    created_at = Timestamptz()
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True, default=None)
    """When it was accepted or replaced."""


class StaffPasskey(Table, tablename="staff_passkey"):
    """A passkey: the public half of a key that never leaves its owner's device or password manager."""

    id = UUID(primary_key=True)
    user = ForeignKey(StaffUser, on_delete=OnDelete.cascade, null=False, index=True)
    credential = Text(unique=True)
    """The credential's id, base64url."""
    public_key = Bytea()
    """COSE."""
    sign_count = BigInt(default=0)
    """How often it has signed, by its own count; many passkeys stay at zero. Source: WebAuthn 3, 6.1.1."""
    name = Text(default="")
    created_at = Timestamptz()
    used_at = Timestamptz(null=True, default=None)


class StaffChallenge(Table, tablename="staff_challenge"):
    """What a passkey has to sign: once, within minutes, in the browser that was asked."""

    id = UUID(primary_key=True)
    user = ForeignKey(StaffUser, on_delete=OnDelete.cascade, null=False, index=True)
    browser = Text()
    """Keyed hash of the browser's cookie."""
    ceremony = Text()
    """create or get."""
    challenge = Text(unique=True)
    """Base64url of random bytes. Not secret: worthless without the key that signs it."""
    expires_at = Timestamptz(index=True)


class StaffRecoveryCode(Table, tablename="staff_recovery_code"):
    """One of ten codes on paper: each works once in place of a passkey."""

    id = UUID(primary_key=True)
    user = ForeignKey(StaffUser, on_delete=OnDelete.cascade, null=False, index=True)
    code_hash = Text(unique=True)
    created_at = Timestamptz()
    used_at = Timestamptz(null=True, default=None)


class StaffIdentity(Table, tablename="staff_identity"):
    """Who somebody is to the organisation's single sign-on: keyed on (issuer, subject), never on an e-mail claim."""

    id = UUID(primary_key=True)
    user = ForeignKey(StaffUser, on_delete=OnDelete.cascade, null=False, index=True)
    issuer = Text()
    identifier = Text()
    created_at = Timestamptz()

"""Changes of address as rows: found again by person or by the link to the old address, and forgotten in time.

Always true here: both addresses are sealed with the person's key; a link is stored as a keyed hash.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import NotFound
from portal.evidence import seal as seals
from portal.identity.links import token_hash
from portal.policy.model import Policy, PortalSource
from portal.rights import corrections
from portal.rights.address_fanout import forget_known
from portal.rights.corrections import Values
from portal.rights.fields import address_fields
from portal.rights.tables_rectification import AddressChange
from portal.settings import Settings

LIVING = ("asked", "proven", "changed")


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """One change of address."""

    id: UUID
    subject: UUID
    request: UUID | None
    session: UUID
    state: str
    sealed: bytes | None
    new_digest: str
    asked_at: datetime
    cancel_until: datetime
    changed_at: datetime | None
    hold_until: datetime | None
    confirmed_at: datetime | None

    def can_cancel(self, at: datetime) -> bool:
        """True while the old address can still stop it."""
        return self.state in LIVING and at < self.cancel_until

    def can_confirm(self, at: datetime) -> bool:
        """True while the old address can let downloads go on."""
        return self.confirmed_at is None and self.hold_until is not None and at < self.hold_until


async def by_token(token: str, settings: Settings) -> ChangeView:
    """Return the change that a link to the old address names. Raises: NotFound."""
    rows = await AddressChange.select().where(AddressChange.token_hash == token_hash(settings, token))
    if not rows:
        raise NotFound
    return msgspec.convert(rows[0], ChangeView)


async def living(subject: UUID) -> ChangeView | None:
    """Return the change that is under way, or can still be cancelled."""
    rows = await AddressChange.select().where(
        (AddressChange.subject == subject) & AddressChange.state.is_in(list(LIVING))
    )  # fmt: skip
    return msgspec.convert(rows[0], ChangeView) if rows else None


async def mark(id: UUID, state: str) -> None:
    """Say what became of a change that holds nothing back any more."""
    await AddressChange.update({AddressChange.state: state, AddressChange.hold_until: None}).where(
        AddressChange.id == id
    )


async def values_of(change: ChangeView, settings: Settings) -> Values | None:
    """Return both addresses; None once they are forgotten or the person's key is destroyed."""
    try:
        plain = await seals.unseal(
            change.subject, change.sealed or b"", reference=str(change.id), settings=settings
        )  # fmt: skip
    except seals.Unreadable:
        return None
    return msgspec.json.decode(plain, type=Values)


async def settle(change: ChangeView, settings: Settings) -> None:
    """Forget the values of a change that nobody can cancel any more, inside the caller's transaction."""
    values = await values_of(change, settings)
    if change.state == "changed" and change.changed_at is not None and values is not None and values.old:
        await _forget_old(change.subject, values.old, change.changed_at)
    state = {"changed": "settled", "asked": "replaced"}.get(change.state, change.state)
    await AddressChange.update({AddressChange.state: state, AddressChange.sealed: None}).where(
        AddressChange.id == change.id
    )


async def _forget_old(subject: UUID, email: str, changed_at: datetime) -> None:
    """Forget the old address in our own tables; another person may have it one day."""
    await forget_known(subject, email)
    run = engine().connection.execute
    await run(
        "DELETE FROM mail_body WHERE mail IN (SELECT id FROM mail WHERE to_address = $1 AND created_at <= $2)",
        email, changed_at,
    )  # fmt: skip
    await run(
        "UPDATE mail SET to_address = '', error = CASE state WHEN 'waiting' THEN 'erased' ELSE error END,"
        " state = CASE state WHEN 'waiting' THEN 'failed' ELSE state END WHERE to_address = $1 AND created_at <= $2",
        email, changed_at,
    )  # fmt: skip
    await run("DELETE FROM sign_in_attempt WHERE email = $1 AND created_at <= $2", email, changed_at)


def places(policy: Policy, category: str) -> tuple[tuple[str, str], ...]:
    """Return the (source, category) places that hold the address, our own row last."""
    own = [(spec.id, category) for spec in policy.sources if isinstance(spec, PortalSource)]
    return (*((source, where) for source, where, _ in address_fields(policy)), *own)


def digest_of(settings: Settings, subject: UUID, email: str) -> str:
    """Return the keyed digest of an address that a person wants."""
    return corrections.digest(settings, subject, "address", email)


def token_of(settings: Settings, id: UUID) -> str:
    """Return the 256-bit token of the link to the old address."""
    signed = hmac.digest(settings.key("token"), f"address-old:{id}".encode(), "sha256")
    return urlsafe_b64encode(signed).decode().rstrip("=")

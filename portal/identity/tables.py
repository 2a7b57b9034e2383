"""Who a person is to us: an address, outside identities, sign-in attempts and sessions.

Always true here: no password, no token and no code in clear; no IP address.
"""

from piccolo.columns import (
    UUID,
    ForeignKey,
    Integer,
    OnDelete,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.table import Table


class Subject(Table, tablename="subject"):
    """A person we have talked to. `email` is normalised (trimmed, lower case); None once it was erased."""

    id = UUID(primary_key=True)
    email = Text(unique=True, null=True, default=None)
    display_name = Text(default="")
    language = Varchar(length=2, default="en")
    created_at = Timestamptz()


class OutsideIdentity(Table, tablename="outside_identity"):
    """A Google or Microsoft identity: keyed on (issuer, subject), never on an e-mail claim."""

    id = UUID(primary_key=True)
    subject = ForeignKey(Subject, on_delete=OnDelete.cascade, null=False, index=True)
    issuer = Text()
    identifier = Text()
    created_at = Timestamptz()


class KnownIdentifier(Table, tablename="known_identifier"):
    """What a source calls this person, remembered so that one source can be down and the others still found."""

    id = UUID(primary_key=True)
    subject = ForeignKey(Subject, on_delete=OnDelete.cascade, null=False, index=True)
    kind = Varchar(length=20)
    """email, account_id or stripe_customer"""
    value = Text()


class SignInAttempt(Table, tablename="sign_in_attempt"):
    """One code and link, for one purpose, asked for by one browser. Secrets are stored as keyed hashes."""

    id = UUID(primary_key=True)
    email = Text(index=True)
    purpose = Varchar(length=20)
    """One of `links.Purpose`."""
    language = Varchar(length=2)
    browser = Text(index=True)
    """Hash of the asking browser's cookie: the link works there; elsewhere the code must be typed."""
    token_hash = Text(unique=True)
    code_hash = Text()
    tries = Integer(default=0)
    created_at = Timestamptz(index=True)
    expires_at = Timestamptz()
    sent_at = Timestamptz(null=True, default=None)
    """When the worker looked the address up, whether or not it was known: it does so once."""
    used_at = Timestamptz(null=True, default=None)
    next_path = Text(default="")
    outside_issuer = Text(default="")
    outside_identifier = Text(default="")
    """A Microsoft identity that becomes this address's own once the asking browser has shown the code."""


class OutsideAttempt(Table, tablename="outside_attempt"):
    """One OpenID Connect transaction: one use, short life, bound to the asking browser.

    Nonce and PKCE verifier are derived from the state, which only the browser holds, so none of them is stored.
    """

    id = UUID(primary_key=True)
    provider = Varchar(length=20)
    browser = Text()
    state_hash = Text(unique=True)
    language = Varchar(length=2)
    next_path = Text(default="")
    created_at = Timestamptz()
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True, default=None)


class Session(Table, tablename="person_session"):
    """A signed-in browser. Absolute end; revocable; the cookie's value is stored as a hash only."""

    id = UUID(primary_key=True)
    subject = ForeignKey(Subject, on_delete=OnDelete.cascade, null=False, index=True)
    token_hash = Text(unique=True)
    browser_label = Text(default="")
    """Firefox on Android, as the person knows it; never the full user agent."""
    way = Varchar(length=20)
    created_at = Timestamptz()
    expires_at = Timestamptz()
    confirmed_at = Timestamptz()
    """When the person last proved with a fresh code that it is them."""
    ended_at = Timestamptz(null=True, default=None)

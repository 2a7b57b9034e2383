"""What must leave by mail, and what became of it.

Always true here: a mail is one row with one idempotency key; its words live in a row of their own that is
deleted as soon as the provider has accepted it, so that lists of mails hold no secrets.
"""

from piccolo.columns import UUID, ForeignKey, Integer, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table


class Mail(Table, tablename="mail"):
    """One mail to one address. The id is the idempotency key at the provider."""

    id = UUID(primary_key=True)
    kind = Varchar(length=40)
    """Which message it is, e.g. sign-in, received, copy-ready."""
    to_address = Text(index=True)
    language = Varchar(length=2)
    reference = Text(default="")
    """The request it belongs to, if any."""
    state = Varchar(length=20, default="waiting", index=True)
    """waiting, accepted, delivered, delayed, bounced, complained, failed"""
    tries = Integer(default=0)
    provider_id = Text(default="", index=True)
    error = Text(default="")
    """The name of what went wrong last, never its words: a provider's message may quote the address."""
    unsure_since = Timestamptz(null=True, default=None)
    """When the first call left whose outcome we do not know. The provider forgets a key after 24 hours."""
    created_at = Timestamptz()
    accepted_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)
    """After this it is of no use (a sign-in code) and is not sent."""


class MailBody(Table, tablename="mail_body"):
    """The words of a mail that has not left yet. Never registered in Piccolo Admin."""

    mail = ForeignKey(Mail, on_delete=OnDelete.cascade, null=False, primary_key=True)
    subject = Text()
    text = Text()
    html = Text()


class MailEvent(Table, tablename="mail_event"):
    """A webhook event of the provider, kept once: `svix_id` is unique."""

    svix_id = Text(primary_key=True)
    provider_id = Text(index=True)
    kind = Varchar(length=40)
    occurred_at = Timestamptz()
    received_at = Timestamptz()

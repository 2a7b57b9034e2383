"""Corrections of single fields, and changes of the address to sign in with.

Always true here: what was and what is stand here as keyed digests; the values themselves are sealed with the person's
own key, for as long as they can be put back.
"""

from piccolo.columns import UUID, Bytea, ForeignKey, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table

from portal.identity.tables import Subject
from portal.rights.tables import SubjectRequest


class Correction(Table, tablename="correction"):
    """One field of a category that is to hold another value. At most one of a plan."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    category = Text()
    field = Text(default="")
    """Empty: something that no single field holds; the person's words are with the request."""
    how = Varchar(length=20)
    """at-once, new-address, decide; back (undone for them after a refusal) or kept (the old address cancelled)"""
    state = Varchar(length=20)
    """deciding, working, done; refused, replaced (by a newer one), undone, unfit (a place did not take it)"""
    plan = UUID(null=True, default=None, index=True)
    """No foreign key: which plan carries it out, once one does."""
    sealed = Bytea(null=True, default=None)
    """What was and what is to be, sealed with the person's key; forgotten at `kept_until`."""
    old_digest = Text(default="")
    new_digest = Text(default="")
    made_at = Timestamptz(index=True)
    ended_at = Timestamptz(null=True, default=None)
    kept_until = Timestamptz(null=True, default=None)
    """Until then it can be put back."""


class AddressChange(Table, tablename="address_change"):
    """A new address to sign in with, from the code that is sent to it until the old address can say nothing more."""

    id = UUID(primary_key=True)
    subject = ForeignKey(Subject, on_delete=OnDelete.cascade, null=False, index=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=True, default=None, index=True)
    """None until the new address is shown to be theirs."""
    session = UUID()
    """No foreign key: the session that asked, which goes on when the others end."""
    state = Varchar(length=20)
    """asked, proven, changed, settled (nobody can cancel any more); replaced, kept (the old one), looked-at"""
    sealed = Bytea(null=True, default=None)
    """Both addresses, sealed with the person's key."""
    new_digest = Text()
    token_hash = Text(unique=True)
    """Of the link in the warning to the old address."""
    asked_at = Timestamptz()
    cancel_until = Timestamptz()
    changed_at = Timestamptz(null=True, default=None)
    hold_until = Timestamptz(null=True, default=None)
    """Until then no copy is handed over, unless the old address has confirmed."""
    confirmed_at = Timestamptz(null=True, default=None)

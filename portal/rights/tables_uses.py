"""Uses of data that a person has stopped: by saying no, or by taking a consent back."""

from piccolo.columns import UUID, Boolean, ForeignKey, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table

from portal.identity.tables import Subject
from portal.rights.tables import SubjectRequest


class StoppedUse(Table, tablename="stopped_use"):
    """One purpose of the policy that stands still for one person. One living row per person and purpose (index)."""

    id = UUID(primary_key=True)
    subject = ForeignKey(Subject, on_delete=OnDelete.restrict, null=False, index=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    purpose = Text()
    reason = Varchar(length=20)
    """objection (Art. 21(1)), marketing (Art. 21(2)) or consent (Art. 7(3))"""
    since = Timestamptz()
    final = Boolean(default=False)
    """False while it is being weighed."""
    ends_at = Timestamptz(null=True, default=None)
    """From then on the use goes on; the person was told before."""
    ended_at = Timestamptz(null=True, default=None)


class Suppression(Table, tablename="suppression"):
    """Addresses that are never written to for a purpose again, as keyed hashes; outlives an erasure."""

    id = UUID(primary_key=True)
    purpose = Text()
    address_hash = Text()
    """HMAC-SHA-256 of the normalised address, in hexadecimal; the key is not in the database."""
    since = Timestamptz()

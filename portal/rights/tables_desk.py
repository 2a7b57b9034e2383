"""What staff keep about their own work on a request: notes, and what waits for a second person."""

from piccolo.columns import UUID, Bytea, ForeignKey, Integer, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table

from portal.rights.tables import SubjectRequest


class RequestNote(Table, tablename="request_note"):
    """What a member of staff wrote for colleagues. It is personal data as well, and goes with the request."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    at = Timestamptz()
    staff = Integer()
    text = Text()


class Approval(Table, tablename="approval"):
    """Something that takes two people: one asked for it, another decides; where there is only one, a day lies between.

    Source: law S-17.
    """

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=True, default=None, index=True)
    """None when it is about no request."""
    verb = Varchar(length=40)
    """One of `four_eyes.VERBS`."""
    digest = Text()
    """Keyed digest of what exactly is to be done: another person decides on this and nothing else."""
    sealed = Bytea(null=True, default=None)
    """What exactly is to be done, and why; after the decision both reasons alone."""
    sealed_for = UUID()
    """Whose key it is sealed with: the person's, or the row's own number where there is none."""
    asked_by = Text()
    """As evidence names them."""
    asked_at = Timestamptz()
    state = Varchar(length=20, default="waiting", index=True)
    """waiting, approved, refused, withdrawn (by who asked) or overtaken (the request moved on). One waits at most."""
    decided_by = Text(default="")
    decided_at = Timestamptz(null=True, default=None)

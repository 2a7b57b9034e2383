"""When a person of ours looked at somebody's data for a request, and what for."""

from piccolo.columns import UUID, ForeignKey, Integer, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table

from portal.rights.tables import SubjectRequest


class RequestLook(Table, tablename="request_look"):
    """One look: it opens the data to one member of staff for a while, and the person reads of it. Source: C-579/21."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    at = Timestamptz()
    staff = Integer()
    """Who, for our own records; the person is told when and why, not who."""
    reason = Varchar(length=20)
    """One of `looks.REASONS`."""
    why = Text(default="")
    """In words about the work, which the person reads."""

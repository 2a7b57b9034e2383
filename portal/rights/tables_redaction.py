"""What a copy was searched for, and what was decided to leave out of it: places, grounds and digests, never a word."""

from piccolo.columns import UUID, Boolean, ForeignKey, Integer, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table

from portal.rights.tables import SubjectRequest


class CopyLook(Table, tablename="copy_look"):
    """That somebody has to look at a copy before it leaves; one for each request."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, unique=True)
    texts = Integer()
    """How many texts and records the copy could hold: not all of them may be withheld."""
    found_at = Timestamptz()
    released_at = Timestamptz(null=True, default=None)


class Redaction(Table, tablename="redaction"):
    """One passage of a copy that may name somebody else, and what was decided about it. Source: GDPR Art. 15(4)."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, index=True)
    source = Text()
    category = Text()
    part = Varchar(length=10)
    """record, file or name"""
    field = Text(default="")
    place = Text()
    """A keyed fingerprint of the whole text: it fits the very same text or none."""
    number = Integer()
    """Of the record or file among those of its category and source when it was found, from 1."""
    start = Integer()
    length = Integer()
    size = Integer()
    """Characters of the whole text."""
    sign = Varchar(length=12)
    """email, phone, words, large or unreadable"""
    cuttable = Boolean()
    digest = Text()
    """A keyed fingerprint of the passage."""
    answer = Varchar(length=10, default="")
    """Empty: nobody has decided. keep, passage or whole; `gone` when what was withheld is not there any more."""
    lost = Boolean(default=False)
    """True when the text changed after it was decided on: somebody looks again."""
    ground = Varchar(length=12, default="")
    """A key of `redaction.GROUNDS`."""
    by = Text(default="")
    """As evidence names them."""
    at = Timestamptz(null=True, default=None)

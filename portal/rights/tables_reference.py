"""The few tables whose rows staff may write: words added to letters, hints on grounds, and whom to write to.

Always true here: nothing in them is law, and nothing is about a person whose data we hold.
"""

from piccolo.columns import UUID, Text, Varchar
from piccolo.table import Table


class LetterAddition(Table, tablename="letter_addition"):
    """What the organisation says at the end of a kind of letter. One row for each kind and language (index)."""

    id = UUID(primary_key=True)
    kind = Varchar(length=40)
    """One of `reference.KINDS`."""
    language = Varchar(length=2)
    text = Text()
    """Plain text; an empty line begins a paragraph."""


class ReasonHint(Table, tablename="reason_hint"):
    """What colleagues should know before they choose a ground. The ground itself is code."""

    id = UUID(primary_key=True)
    reason = Varchar(length=40, unique=True)
    """One of `letters.reasons.BY_ID`."""
    text = Text()


class RecipientContact(Table, tablename="recipient_contact"):
    """Whom to write to at a recipient when it must be told of an erasure, a correction or a pause."""

    id = UUID(primary_key=True)
    recipient = Varchar(length=80, unique=True)
    """A recipient's id in the policy file."""
    name = Text(default="")
    """A desk or a person."""
    email = Text(default="")
    url = Text(default="")
    """A form of theirs."""

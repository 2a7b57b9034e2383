"""What comes without a session: who wrote a form, whether the mailbox is theirs, and the mandates they sent.

Always true here: no token and no code is stored, in clear or hashed longer than it is of use; a file's content is not
in the database, and where it lies is noted before it lies there.
"""

from piccolo.columns import UUID, BigInt, ForeignKey, Integer, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table

from portal.rights.tables import SubjectRequest


class IntakeForm(Table, tablename="intake_form"):
    """One form of somebody who was not signed in, and what it takes until it is known whose request it is."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.cascade, null=False, unique=True)
    kind = Varchar(length=20)
    """mailbox, lost, child or agent"""
    email = Text(default="", index=True)
    """Who wrote and where a reply goes, normalised; empty when a reporter gave none."""
    name = Text(default="")
    """How they call themselves: an agent's name and organisation, what a reporter is to the child."""
    about = Text(default="")
    """The account or person they speak of: an address or, for a child, a name."""
    browser = Text(default="")
    """A keyed hash of the cookie of the browser that sent it."""
    sent_at = Timestamptz()
    confirmed_at = Timestamptz(null=True, default=None)
    """When `email` was shown to be theirs."""
    under = Varchar(length=10, default="")
    """child: yes, no or empty (not said): whether they are under the age below which nobody may have an account."""
    token_hash = Text(unique=True, null=True, default=None)
    """Of the link in the mail to the person spoken of."""
    mails = Integer(default=0)
    """How many such mails there were: each has a code of its own."""
    mailed_at = Timestamptz(null=True, default=None)
    tries = Integer(default=0)
    said = Varchar(length=10, default="")
    """The answer of the person spoken of: yes, no or unknown."""
    said_at = Timestamptz(null=True, default=None)


class Upload(Table, tablename="upload"):
    """A file somebody sent: encrypted, gone when it was decided upon, and after 30 days in any case."""

    id = UUID(primary_key=True)
    request = ForeignKey(SubjectRequest, on_delete=OnDelete.set_null, null=True, default=None, index=True)
    """None while it is being taken in, and once the request is gone."""
    media_type = Varchar(length=40)
    """What its content is: application/pdf, image/png or image/jpeg."""
    size_bytes = BigInt()
    came_at = Timestamptz()

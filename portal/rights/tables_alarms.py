"""What staff were told already, and how things that had failed came to an end.

Always true here: a key names one thing and one occasion, by references and numbers alone; whoever writes it first has
done it, and nobody does it again.
"""

from piccolo.columns import Text, Timestamptz, Varchar
from piccolo.table import Table


class Reminder(Table, tablename="reminder"):
    """One thing that staff were told once: a day's mail, an alarm, a failure."""

    key = Text(primary_key=True)
    at = Timestamptz()


class FailureEnd(Table, tablename="failure_end"):
    """What somebody did about one failure."""

    key = Text(primary_key=True)
    """The failure and its turn: what fails again is another one."""
    how = Varchar(length=20)
    """retried, skipped or by-hand"""
    at = Timestamptz()
    by = Text()
    """As evidence names them."""
    reason = Text(default="")
    """Why it was skipped, or what was done; about the work, never about a person."""

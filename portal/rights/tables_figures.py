"""How many requests ended how: counts that stay when the requests themselves are forgotten."""

from piccolo.columns import UUID, BigInt, Date, Text, Varchar
from piccolo.table import Table


class RequestTally(Table, tablename="request_tally"):
    """How often one thing is true of the ended requests of one right and month. About nobody."""

    id = UUID(primary_key=True)
    """Follows from all other columns but `times`."""
    by = Varchar(length=20)
    """Which month it is: received or answered."""
    month = Date(index=True)
    """Its first day, in the controller's zone."""
    right = Varchar(length=20)
    kind = Varchar(length=20)
    """What is counted, as `figures.marks` names it: outcome, days, channel, ground, in_time and so on."""
    key = Text(default="")
    """Which one: refused, 12, letter, claims; empty where the kind says it all."""
    times = BigInt(default=0)


class TallyMark(Table, tablename="tally_mark"):
    """Up to which entry of the log ended requests are counted."""

    name = Varchar(length=40, primary_key=True)
    seq = BigInt(default=0)

"""How many requests ended how: counts that stay when the requests themselves are forgotten."""

from piccolo.columns import UUID, BigInt, Boolean, Date, Integer, Text, Varchar
from piccolo.table import Table


class RequestTally(Table, tablename="request_tally"):
    """How many ended requests are alike in everything that figures ask for. About nobody."""

    id = UUID(primary_key=True)
    """Follows from all other columns but `times`."""
    received_month = Date(index=True)
    """The first day of the month of receipt, in the controller's zone."""
    answered_month = Date(null=True, default=None, index=True)
    right = Varchar(length=20)
    channel = Varchar(length=20)
    outcome = Varchar(length=20)
    days = Integer(null=True, default=None)
    in_time = Boolean(null=True, default=None)
    in_time_promise = Boolean(null=True, default=None)
    in_time_law = Boolean(null=True, default=None)
    extended = Boolean(default=False)
    by = Varchar(length=20)
    """staff or program"""
    grounds = Text(default="")
    """Ids with commas between."""
    times = BigInt(default=0)


class TallyMark(Table, tablename="tally_mark"):
    """Up to which entry of the log ended requests are counted."""

    name = Varchar(length=40, primary_key=True)
    seq = BigInt(default=0)

"""The arithmetic of legal days: months, ends of days, local days.

Always true here: a legal day is a day in the controller's zone; a period that ends on a day ends with its last instant.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def utc(instant: datetime) -> datetime:
    """Return the same instant in UTC, where instants compare rightly on the night the clocks change, too.

    Raises:
        ValueError: it has no offset, so nobody knows which instant it is.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant must be aware")
    return instant.astimezone(UTC)


def local_day(instant: datetime, zone: str) -> date:
    """Return the day it is at `instant` (aware) in `zone`."""
    return instant.astimezone(ZoneInfo(zone)).date()


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later, or that month's last day. Source: Reg. 1182/71 Art. 3(2)(c)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def end_of(day: date, zone: str) -> datetime:
    """Return the first instant (UTC) after `day` in `zone`: what happens before it is in time.

    Source: Reg. 1182/71 Art. 3(2)(b)-(c).
    """
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(zone)).astimezone(UTC)

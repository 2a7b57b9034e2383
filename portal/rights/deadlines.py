"""When an answer is due: the promised days and the law's month, the earlier of the two.

Always true here: legal days are counted in the controller's zone, and no day given is later than any rule allows.
"""

from calendar import monthrange
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from portal.policy.model import Policy


class Dates(msgspec.Struct, frozen=True, kw_only=True):
    """The days at whose end, in the controller's zone, the answer is late."""

    received: date
    promise: date | None
    """None when the policy promises no number of days."""
    law: date
    """The calendar month, before a weekend or holiday would move it to a later day: the safe date."""
    due: date


def dates(received_at: datetime, policy: Policy) -> Dates:
    """Return the dates for a request received at `received_at` (aware).

    The day of receipt is not counted. Source: GDPR Art. 12(3); Reg. 1182/71 Art. 3(1), 3(2)(c).
    """
    received = received_at.astimezone(ZoneInfo(policy.controller.zone)).date()
    promise = received + timedelta(days=policy.answer.days) if policy.answer.days is not None else None
    law = add_months(received, 1)
    return Dates(received=received, promise=promise, law=law, due=min(law, promise) if promise else law)


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later, or that month's last day. Source: Reg. 1182/71 Art. 3(2)(c)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))

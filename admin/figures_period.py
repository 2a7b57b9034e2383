"""Which months somebody wants figures of: one of four usual periods, or their own.

Always true here: a period is whole months in the controller's zone and has its end after its beginning.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import cast

import msgspec

from portal.errors import Invalid
from portal.rights.figures import By
from portal.words import Words

USUAL = "last-12"
LONGEST = 120
"""Months: ten years."""
MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Whole months, by their first days, both within; and which month of a request counts."""

    name: str
    first: date
    last: date
    by: By

    @property
    def query(self) -> str:
        """The same period in an address, for files and in links."""
        return f"period=own&from={self.first:%Y-%m}&to={self.last:%Y-%m}&by={self.by}"


def names(words: Words) -> Sequence[tuple[str, str]]:
    """Return each period with its title."""
    return [
        ("this-month", words("This month")),
        ("last-month", words("Last month")),
        ("this-year", words("This year")),
        (USUAL, words("The last twelve months")),
        ("own", words("From one month to another")),
    ]


def period(name: str, first: str, last: str, by: str, today: date) -> Period:
    """Return the period of this name; `first` and `last` (2026-01) count for one's own alone.

    Raises:
        Invalid: there is no such period, or its months are not months.
    """
    counted = cast(By, by) if by in {"received", "answered"} else "received"
    this = today.replace(day=1)
    match name:
        case "this-month":
            return Period(name=name, first=this, last=this, by=counted)
        case "last-month":
            before = earlier(this, 1)
            return Period(name=name, first=before, last=before, by=counted)
        case "this-year":
            return Period(name=name, first=this.replace(month=1), last=this, by=counted)
        case "last-12" | "":
            return Period(name=USUAL, first=earlier(this, 11), last=this, by=counted)
        case "own":
            return _own(first, last, counted)
        case _:
            raise Invalid("Choose a period.", field="period")


def earlier(month: date, months: int) -> date:
    """Return the first day of the month that lies so many months before."""
    index = month.year * 12 + month.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def _own(first: str, last: str, by: By) -> Period:
    start, end = _month(first, "from"), _month(last, "to")
    if end < start:
        raise Invalid("The last month comes before the first. Turn them round.", field="to")
    if earlier(end, LONGEST - 1) > start:
        raise Invalid("Ten years at most. Choose a later first month.", field="from")
    return Period(name="own", first=start, last=end, by=by)


def _month(text: str, field: str) -> date:
    found = MONTH.fullmatch(text.strip())
    if found is None:
        raise Invalid("Write a month as year and month, such as 2026-03.", field=field)
    return date(int(found[1]), int(found[2]), 1)

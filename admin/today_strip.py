"""The strip: how many answers are due on each of the next thirty days, the late ones first, as numbers for a drawing.

Always true here: everything drawn is also a list in words; nothing about a person is in it.
"""

from collections.abc import Container, Sequence
from datetime import date, timedelta

import msgspec

from portal.rights.queue import SOON
from portal.rights.queue_plan import Day
from portal.working_days import is_working_day

DAYS = 30
WIDTH, HEIGHT, BASE = 640, 150, 108
"""Of the drawing; dots stand on the base line."""
FIRST = 34
"""Where today begins: what is late stands before it."""
STEP = (WIDTH - FIRST) / (DAYS + 1)
DOTS = 6
"""Of more on one day, the number stands above a full column."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the strip, or everything that is late."""

    day: date | None
    """None: late."""
    count: int
    kind: str
    """late, soon or ok"""
    off: bool
    """Nobody works on this day."""
    x: int
    width: int

    @property
    def middle(self) -> int:
        """Where the dots stand."""
        return self.x + self.width // 2

    @property
    def dots(self) -> Sequence[int]:
        """The height of each dot."""
        return [BASE - 9 - 13 * number for number in range(min(self.count, DOTS))]

    @property
    def labelled(self) -> bool:
        """Mondays carry their date."""
        return self.day is not None and self.day.weekday() == 0


class Strip(msgspec.Struct, frozen=True):
    """The columns, late first, and how many are due after the last of them."""

    columns: tuple[Column, ...]
    later: int

    @property
    def most(self) -> int:
        """How many are due on the fullest day."""
        return max(column.count for column in self.columns)


def strip(days: Sequence[Day], today: date, holidays: Container[date]) -> Strip:
    """Return the strip for the open requests by the day that counts."""
    counts = {one.day: one.count for one in days}
    late = Column(
        day=None, count=sum(one.count for one in days if one.day < today), kind="late", off=False, x=0, width=FIRST - 4
    )
    ahead = [today + timedelta(days=number) for number in range(DAYS + 1)]
    columns = [
        Column(
            day=day, count=counts.get(day, 0), kind="soon" if number <= SOON else "ok",
            off=not is_working_day(day, holidays), x=round(FIRST + number * STEP), width=round(STEP),
        )
        for number, day in enumerate(ahead)
    ]  # fmt: skip
    return Strip((late, *columns), sum(one.count for one in days if one.day > ahead[-1]))

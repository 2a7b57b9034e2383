"""A second way to count, day by day and slowly, that shares nothing with the first but the rule book."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache

DAY = timedelta(days=1)


def walk(day: date, days: int) -> date:
    """So many days on, one at a time."""
    for _ in range(days):
        day += DAY
    return day


def walk_months(day: date, months: int) -> date:
    """The day with the same number so many months on; if the month ends before, its last day."""
    number, left = day.day, months
    while True:
        if (day + DAY).day == 1:
            left -= 1
            if left < 0:
                return day
        day += DAY
        if left == 0 and day.day == number:
            return day


@cache
def french_holidays(year: int) -> frozenset[date]:
    """The eleven of C. trav. L3133-1, since 1982."""
    easter = easter_sunday(year)
    moving = (easter + days * DAY for days in (1, 39, 50))
    fixed = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
    return frozenset([*moving, *(date(year, month, day) for month, day in fixed)])


def easter_sunday(year: int) -> date:
    """Butcher's reckoning of 1876."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def works_in_france(day: date) -> bool:
    """Neither weekend nor holiday."""
    return day.isoweekday() <= 5 and day not in french_holidays(day.year)


def roll(day: date, works: Callable[[date], bool]) -> date:
    """On to a day that works."""
    while not works(day):
        day += DAY
    return day


def days_still(received: date, spans: list[tuple[date, date]], within: int) -> int:
    """How many days lie in any span that began in time: the first of each does, the last does not."""
    still: set[date] = set()
    for asked, answered in spans:
        day = asked
        while day < answered and (asked - received).days <= within:
            still.add(day)
            day += DAY
    return len(still)

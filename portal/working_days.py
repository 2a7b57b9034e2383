"""Which days are working days: not Saturday, not Sunday, not a public holiday of the country asked about.

Always true here: holidays come from the library `holidays`, for any year, never from a list of ours. A day is a working
day unless we know better: where that is wrong, a date computed from it is too early, never too late.
"""

from collections.abc import Container
from datetime import date, timedelta
from functools import cache

LAST_YEAR = 2999
"""The library stops at 2100 because laws change; the rules of today are our best guess for later years."""

SATURDAY = 5


class Calendar:
    """The public holidays of one country or region, asked as `day in calendar`. Years are computed when asked about."""

    def __init__(self, code: str) -> None:
        """Take `FR`, or a region after a dash as in `GB-ENG`. Raises: LookupError when there is no such calendar."""
        if not is_calendar(code):
            raise LookupError(f"there is no holiday calendar {code}")
        self.code = code

    def __contains__(self, day: object) -> bool:
        """Tell whether `day` is a public holiday."""
        return isinstance(day, date) and day in holidays_in(self.code, day.year)


def is_calendar(code: str) -> bool:
    """Tell whether we know the holidays of `code`: a country such as FR, or a region such as GB-ENG or FR-57."""
    try:
        holidays_in(code, 2026)
    except LookupError:
        return False
    return True


@cache
def holidays_in(code: str, year: int) -> frozenset[date]:
    """Return the public holidays of one year, those on weekends too.

    Source: the country's own law, as the library keeps it; for France C. trav. L3133-1. Good Friday and 26 December
    are in the calendar of Alsace-Moselle only: FR-57 or FR-6AE.

    Raises:
        LookupError: when there is no such calendar.
    """
    # Loading the library takes a third of a second; who never asks for a day does not pay for it.
    from holidays import country_holidays  # noqa: PLC0415

    country, _, region = code.partition("-")
    try:
        calendar = country_holidays(country, subdiv=region or None)
    except NotImplementedError:
        raise LookupError(f"there is no holiday calendar {code}") from None
    calendar.end_year = LAST_YEAR
    calendar.get(date(year, 1, 1))
    return frozenset(day for day in calendar if day.year == year)


def is_working_day(day: date, holidays: Container[date]) -> bool:
    """Tell whether `day` is a working day. Source: Reg. 1182/71 Art. 2(2)."""
    return day.weekday() < SATURDAY and day not in holidays


def first_working_day_on_or_after(day: date, holidays: Container[date]) -> date:
    """Roll forward. Source: Reg. 1182/71 Art. 3(4)."""
    while not is_working_day(day, holidays):
        day += timedelta(days=1)
    return day


def last_working_day_on_or_before(day: date, holidays: Container[date]) -> date:
    """Roll back: the last day on which somebody is there to act in time."""
    while not is_working_day(day, holidays):
        day -= timedelta(days=1)
    return day


def add_working_days(day: date, count: int, holidays: Container[date]) -> date:
    """Return the `count`-th working day after `day`, which itself does not count."""
    for _ in range(count):
        day = first_working_day_on_or_after(day + timedelta(days=1), holidays)
    return day

"""Working days of any country and any year."""

from datetime import date, timedelta

import pytest

from portal.working_days import (
    Calendar,
    add_working_days,
    first_working_day_on_or_after,
    holidays_in,
    is_calendar,
    is_working_day,
    last_working_day_on_or_before,
)
from tests.law.oracle import french_holidays


@pytest.mark.parametrize("year", [1983, 2026, 2100, 2101, 2150, 2999])
def test_france_has_the_eleven_holidays_of_its_labour_code(year: int) -> None:
    """Easter is computed, before and after the library's own last year."""
    assert holidays_in("FR", year) == french_holidays(year)


def test_alsace_and_moselle_have_two_more() -> None:
    """Good Friday and 26 December; off by default, on by FR-57."""
    assert holidays_in("FR-57", 2026) - holidays_in("FR", 2026) == {date(2026, 4, 3), date(2026, 12, 26)}


def test_england_makes_up_for_a_holiday_on_a_weekend() -> None:
    """Boxing Day 2026 is a Saturday: Monday is a bank holiday."""
    assert date(2026, 12, 28) in holidays_in("GB-ENG", 2026)


def test_a_calendar_that_nobody_keeps_is_said_so() -> None:
    """Small letters, other lengths and unknown regions are no calendars."""
    assert is_calendar("FR")
    assert is_calendar("GB-ENG")
    assert not any(is_calendar(code) for code in ("", "fr", "ZZ", "FR-ZZ", "EU"))
    with pytest.raises(LookupError, match="ZZ"):
        Calendar("ZZ")


def test_days_roll_over_weekends_and_holidays() -> None:
    """From Good Friday's Saturday to Tuesday after Easter, and back to Friday: it is a working day in Paris."""
    france = Calendar("FR")
    saturday = date(2026, 4, 4)
    assert first_working_day_on_or_after(saturday, france) == date(2026, 4, 7)
    assert last_working_day_on_or_before(saturday, france) == date(2026, 4, 3)
    assert add_working_days(date(2026, 4, 2), 2, france) == date(2026, 4, 7)
    assert is_working_day(date(2026, 4, 7), france)
    assert not any(is_working_day(saturday + timedelta(days=more), france) for more in range(3))

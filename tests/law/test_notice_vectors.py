"""The published vectors of periods counted backwards (N)."""

from datetime import date

import pytest

from portal.disclosures.notice_period import earliest_effect, last_notice_day, may_take_effect, not_told
from portal.errors import Invalid


def test_fourteen_full_days_lie_between_notice_and_effect() -> None:
    """N1, N3: 17 August for 1 September; 26 December, a holiday, for 11 December. Nothing moves."""
    assert last_notice_day(date(2026, 9, 1), 14) == date(2026, 8, 17)
    assert earliest_effect(date(2026, 12, 11), 14) == date(2026, 12, 26)
    assert earliest_effect(last_notice_day(date(2026, 9, 1), 14), 14) == date(2026, 9, 1)


def test_one_person_who_was_not_told_stops_the_change() -> None:
    """N4: one of five thousand, told nothing or a day too late."""
    effective = date(2026, 9, 1)
    told: list[date | None] = [date(2026, 8, 17)] * 4_999
    may_take_effect(effective, told, 14)
    for last in (None, date(2026, 8, 18)):
        assert not_told(effective, [*told, last], 14) == 1
        with pytest.raises(Invalid, match="D17"):
            may_take_effect(effective, [*told, last], 14)

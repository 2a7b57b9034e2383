"""The days between telling people of a change and its effect, counted backwards.

Always true here: a period counted backwards never moves for weekends or holidays, and all its days lie whole between
the last notice and the day of effect. Source: Reg. 1182/71 Art. 3(4), second sentence; rule D17.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from portal.errors import Invalid


def last_notice_day(effective: date, notice_days: int) -> date:
    """Return the last day to tell people of what takes effect at the beginning of `effective`.

    One day earlier than the least that can be argued for, so that `notice_days` full days lie between.
    """
    return effective - timedelta(days=notice_days + 1)


def earliest_effect(last_told: date, notice_days: int) -> date:
    """Return the first day on which what people were told of by the end of `last_told` may take effect."""
    return last_told + timedelta(days=notice_days + 1)


def not_told(effective: date, told: Iterable[date | None], notice_days: int) -> int:
    """Count the people who were not told in time of what takes effect at the beginning of `effective`.

    `told`, for each person it concerns: the day their notice was accepted for delivery, or a bounce was made good in
    another way; None while neither happened.
    """
    last = last_notice_day(effective, notice_days)
    return sum(day is None or day > last for day in told)


def may_take_effect(effective: date, told: Iterable[date | None], notice_days: int) -> None:
    """See whether a change may take effect at the beginning of `effective`.

    Raises:
        Invalid: one person was not told, or too late.
    """
    if not_told(effective, told, notice_days):
        raise Invalid("Not everybody has been told early enough: the change cannot take effect (rule D17).")

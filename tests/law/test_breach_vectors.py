"""The published vectors of the 72 hours (B)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.breaches.clock import GAP_WARNING, BreachClock, breach_clock, complete_by, filed_late
from portal.errors import Invalid
from tests.law.clocks import LAW_ONLY, PROMISED


def clock(aware: str, signal: str | None = None) -> BreachClock:
    first = datetime.fromisoformat(signal) if signal else None
    return breach_clock(aware_at=datetime.fromisoformat(aware), first_signal_at=first, policy=PROMISED)


@pytest.mark.parametrize(
    ("aware", "due"),
    [
        ("2026-06-05T14:37+02:00", "2026-06-08T14:37+02:00"),
        ("2026-10-24T12:00+02:00", "2026-10-27T11:00+01:00"),
        ("2026-12-24T17:05+01:00", "2026-12-27T17:05+01:00"),
        ("2026-06-02T16:00+00:00", "2026-06-05T18:00+02:00"),
        ("2026-03-28T12:00+01:00", "2026-03-31T13:00+02:00"),
    ],
    ids=["B1", "B2", "B4", "B6", "clocks go forward"],
)
def test_seventy_two_hours_are_elapsed_hours(aware: str, due: str) -> None:
    """Through weekends, holidays and the nights on which clocks change, to the minute, in the controller's zone."""
    found = clock(aware).due
    assert (found, found.isoformat(timespec="minutes")) == (datetime.fromisoformat(due), due)


def test_a_long_gap_after_the_first_signal_is_warned_of() -> None:
    """B7: the law counts from certainty; the cautious target counts from the signal."""
    found = clock("2026-06-02T10:00+00:00", "2026-06-01T08:00+00:00")
    assert found.due == datetime.fromisoformat("2026-06-05T10:00+00:00")
    assert found.cautious == datetime.fromisoformat("2026-06-04T08:00+00:00")
    assert (found.gap_hours, found.warning) == (26, GAP_WARNING)
    assert clock("2026-06-02T10:00+00:00", "2026-06-01T10:00+00:00").warning is None


def test_a_signal_after_awareness_is_refused() -> None:
    """Nobody is certain of what nothing pointed to."""
    with pytest.raises(Invalid, match="D20"):
        clock("2026-06-02T10:00+00:00", "2026-06-02T10:01+00:00")


def test_hours_elapse_whatever_the_clock_on_the_wall_says() -> None:
    """A day with 25 hours is longer than 24; of two moments at half past two, the one after the change is later."""
    paris = ZoneInfo("Europe/Paris")
    gap = breach_clock(
        first_signal_at=datetime(2026, 10, 24, 12, tzinfo=paris), aware_at=datetime(2026, 10, 25, 12, tzinfo=paris),
        policy=PROMISED,
    )  # fmt: skip
    assert (gap.gap_hours, gap.warning) == (25, GAP_WARNING)
    before, after = (datetime(2026, 10, 25, 2, minute, tzinfo=paris, fold=fold) for minute, fold in ((45, 0), (30, 1)))
    found = breach_clock(first_signal_at=before, aware_at=after, policy=PROMISED)
    assert found.due - found.cautious == timedelta(minutes=45)
    assert found.due.isoformat(timespec="minutes") == "2026-10-28T02:30+01:00"
    with pytest.raises(Invalid, match="D20"):
        breach_clock(first_signal_at=after, aware_at=before, policy=PROMISED)


def test_a_late_notice_needs_its_reason_and_is_never_blocked() -> None:
    """B8: at 73 hours the reason is asked for; with it the notice goes, marked late."""
    found = clock("2026-06-05T14:37+02:00")
    late = found.due + timedelta(hours=1)
    with pytest.raises(Invalid, match="D21"):
        filed_late(found, filed_at=late, reason=" ")
    assert filed_late(found, filed_at=late, reason="The processor told us in parts.")
    assert not filed_late(found, filed_at=found.due, reason="")
    assert complete_by(late) - late == timedelta(hours=72)


def test_people_are_told_as_promised() -> None:
    """B10: Casagbic promised the same hours at any risk; Caaartoons has the law's own threshold and no hours."""
    found = clock("2026-06-05T14:37+02:00")
    assert (found.people_due, found.people_when) == (found.due, "any-risk")
    law = breach_clock(aware_at=found.aware_at, policy=LAW_ONLY)
    assert (law.due, law.people_due, law.people_when) == (found.due, None, "high-risk")

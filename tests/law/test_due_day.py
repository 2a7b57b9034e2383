"""The published vectors of the month: P is the promised day, N the month's own end, L the law's last day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.policy.load import load
from portal.policy.model import Policy
from portal.rights.deadlines import add_months, dates, deadline, inputs_for

POLICIES = Path(__file__).parents[2] / "policies"
PROMISED = load(POLICIES / "casagbic.toml")
LAW_ONLY = load(POLICIES / "caaartoons.toml")


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")


@pytest.mark.parametrize(
    ("received", "promise", "safe", "law", "promised_due", "act_by"),
    [
        ("2026-03-05", "2026-04-04", "2026-04-05", "2026-04-07", "2026-04-04", "2026-04-03"),
        ("2026-08-31", "2026-09-30", "2026-09-30", "2026-09-30", "2026-09-30", "2026-09-30"),
        ("2028-01-31", "2028-03-01", "2028-02-29", "2028-02-29", "2028-02-29", "2028-02-29"),
        ("2026-01-30", "2026-03-01", "2026-02-28", "2026-03-02", "2026-03-01", "2026-02-27"),
        ("2026-02-01", "2026-03-03", "2026-03-01", "2026-03-02", "2026-03-02", "2026-03-02"),
        ("2026-01-16", "2026-02-15", "2026-02-16", "2026-02-16", "2026-02-15", "2026-02-13"),
        ("2026-07-14", "2026-08-13", "2026-08-14", "2026-08-14", "2026-08-13", "2026-08-13"),
        ("2026-11-25", "2026-12-25", "2026-12-25", "2026-12-28", "2026-12-25", "2026-12-24"),
        ("2026-12-01", "2026-12-31", "2027-01-01", "2027-01-04", "2026-12-31", "2026-12-31"),
        ("2027-04-17", "2027-05-17", "2027-05-17", "2027-05-18", "2027-05-17", "2027-05-14"),
        ("2026-06-14", "2026-07-14", "2026-07-14", "2026-07-15", "2026-07-14", "2026-07-13"),
    ],
)
def test_the_earlier_of_promise_and_law_counts(
    received: str, promise: str, safe: str, law: str, promised_due: str, act_by: str
) -> None:
    """The promise never moves; the law's day moves on from weekends and holidays; the earlier of the two binds."""
    both, month = dates(noon(received), PROMISED), dates(noon(received), LAW_ONLY)
    assert (str(both.promise), str(both.law), str(both.law_unrolled)) == (promise, law, safe)
    assert (str(both.due), str(both.act_by)) == (promised_due, act_by)
    assert (month.promise, str(month.law_unrolled), str(month.law), str(month.due)) == (None, safe, law, law)


def test_the_legal_day_is_the_controllers_not_utc() -> None:
    """Half past ten in the evening UTC is the next day in Paris, and the last day ends there too (vector Z1)."""
    received = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    found = dates(received, PROMISED)
    assert (found.received, found.promise, found.law) == (date(2026, 4, 1), date(2026, 5, 1), date(2026, 5, 4))
    assert deadline(inputs_for(received, LAW_ONLY)).late_at == datetime(2026, 5, 4, 22, 0, tzinfo=UTC)


@given(st.integers(min_value=0, max_value=40 * 366 * 86_400))
def test_the_due_day_is_never_later_than_any_rule(seconds: int) -> None:
    """Whatever the instant: after receipt, within 30 days if promised, and never past the law's day."""
    received = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    for policy in (PROMISED, LAW_ONLY):
        found = dates(received, policy)
        assert found.received < found.act_by <= found.due <= found.law
        assert found.law_unrolled == add_months(found.received, 1)
        if policy.answer.days is not None:
            assert found.due <= found.received + timedelta(days=policy.answer.days)


def test_a_policy_that_promises_nothing_still_has_the_law() -> None:
    """No promise means the month, not no date."""
    silent: Policy = msgspec.structs.replace(PROMISED, answer=msgspec.structs.replace(PROMISED.answer, days=None))
    assert dates(noon("2026-08-31"), silent).due == date(2026, 9, 30)

"""The published vectors: R is the local day of receipt, P the promised days, N the calendar month."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.policy.load import load
from portal.policy.model import Policy
from portal.rights.deadlines import add_months, dates

POLICIES = Path(__file__).parents[2] / "policies"
PROMISED = load(POLICIES / "casagbic.toml")
LAW_ONLY = load(POLICIES / "caaartoons.toml")


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")


@pytest.mark.parametrize(
    ("received", "promise", "law", "promised_due", "law_due"),
    [
        ("2026-03-05", "2026-04-04", "2026-04-05", "2026-04-04", "2026-04-05"),
        ("2026-08-31", "2026-09-30", "2026-09-30", "2026-09-30", "2026-09-30"),
        ("2028-01-31", "2028-03-01", "2028-02-29", "2028-02-29", "2028-02-29"),
        ("2026-01-30", "2026-03-01", "2026-02-28", "2026-02-28", "2026-02-28"),
        ("2026-02-01", "2026-03-03", "2026-03-01", "2026-03-01", "2026-03-01"),
        ("2026-01-16", "2026-02-15", "2026-02-16", "2026-02-15", "2026-02-16"),
        ("2026-12-01", "2026-12-31", "2027-01-01", "2026-12-31", "2027-01-01"),
    ],
)
def test_the_earlier_of_promise_and_month_counts(
    received: str, promise: str, law: str, promised_due: str, law_due: str
) -> None:
    """30 days and one month are different things; the earlier binds. The month is taken before any roll: safe."""
    both, month = dates(noon(received), PROMISED), dates(noon(received), LAW_ONLY)
    assert (str(both.promise), str(both.law), str(both.due)) == (promise, law, promised_due)
    assert (month.promise, str(month.law), str(month.due)) == (None, law, law_due)


def test_the_legal_day_is_the_controllers_not_utc() -> None:
    """Half past ten in the evening UTC is the next day in Paris (vector Z1)."""
    found = dates(datetime(2026, 3, 31, 22, 30, tzinfo=UTC), PROMISED)
    assert (found.received, found.promise) == (date(2026, 4, 1), date(2026, 5, 1))


@given(st.integers(min_value=0, max_value=40 * 366 * 86_400))
def test_the_due_day_is_never_later_than_any_rule(seconds: int) -> None:
    """Whatever the instant: after receipt, within 30 days if promised, and never past the calendar month."""
    received = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    for policy in (PROMISED, LAW_ONLY):
        found = dates(received, policy)
        assert found.received < found.due <= add_months(found.received, 1)
        if policy.answer.days is not None:
            assert found.due <= found.received + timedelta(days=policy.answer.days)


def test_a_policy_that_promises_nothing_still_has_the_law() -> None:
    """No promise means the month, not no date."""
    silent: Policy = msgspec.structs.replace(PROMISED, answer=msgspec.structs.replace(PROMISED.answer, days=None))
    assert dates(noon("2026-08-31"), silent).due == date(2026, 9, 30)

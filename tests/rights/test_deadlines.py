"""Ten thousand made-up clocks against a second way to count, and what is stored against what comes back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest

from portal.errors import Invalid, Refused
from portal.policy.model import Jurisdiction
from portal.rights.deadlines import (
    Deadline,
    Inputs,
    add_profile,
    answer,
    dates,
    deadline,
    end_of,
    extend,
    from_json,
    inputs_for,
    join,
    pause,
    to_json,
)
from portal.rights.deadlines.profiles import PROFILES, profile_on
from tests.law.clocks import LAW_ONLY, PROMISED, at, identified, received, with_answer
from tests.law.oracle import days_still, roll, walk, walk_months, works_in_france

CASES = 10_000
PARIS = ZoneInfo("Europe/Paris")
LAWS: tuple[Jurisdiction, ...] = ("eu", "california", "brazil", "brazil-small")


@dataclass(frozen=True)
class Case:
    """A made-up clock and what went into it."""

    inputs: Inputs
    before: Inputs
    """The same without its extension."""
    spans: list[tuple[date, date]]
    extended_on: date | None


def case(random: Random) -> Case:
    """Anything that can happen to a request between 2009 and 2129. From 2005 to 2007 Pentecost had no Monday."""
    came = datetime(2009, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(120 * 365 * 86_400))
    changes = {
        "days": random.choice([None, 30, random.randint(1, 31)]),
        "profiles": tuple(random.sample(LAWS, random.choice([1, 1, 1, 2, 4]))),
        "identity_pause": random.choice(["none", "fr"]), "extension": random.choice(["strict", "answer-counts"]),
    }  # fmt: skip
    inputs = inputs_for(came, with_answer(random.choice([PROMISED, LAW_ONLY]), **changes))
    spans = []
    for _ in range(random.choice([0, 0, 0, 1, 1, 2, 3])):
        asked = came + timedelta(hours=random.randrange(9 * 24))
        answered = asked + timedelta(hours=random.randrange(60 * 24))
        inputs = pause(inputs, kind="identity", asked_at=asked, answered_at=answered)
        spans.append((asked.astimezone(PARIS).date(), answered.astimezone(PARIS).date()))
    told = came + timedelta(days=random.randrange(27))
    if random.random() < 0.5 and set(inputs.profiles) & {"eu", "california"}:
        longer = extend(inputs, noticed_at=told, reason="Many requests.", ground="number")
        return Case(longer, inputs, spans, told.astimezone(PARIS).date())
    return Case(inputs, inputs, spans, None)


@pytest.fixture(scope="module")
def cases() -> list[tuple[Case, Deadline]]:
    """The same ten thousand in every run."""
    random = Random(679)
    return [(one, deadline(one.inputs)) for one in (case(random) for _ in range(CASES))]


def laws_by_hand(one: Case) -> Iterator[date]:
    """Each law's last day, counted day by day."""
    first, longer = one.inputs.received, one.extended_on is not None
    for name in one.inputs.profiles:
        if name == "eu":
            still = days_still(first, one.spans, 5) if one.inputs.identity_pause == "fr" else 0
            yield roll(walk(walk_months(first, 3 if longer else 1), still), works_in_france)
        else:
            yield walk(first, {"california": 90 if longer else 45, "brazil": 15, "brazil-small": 30}[name])


def test_the_due_day_is_the_earliest_that_any_rule_allows(cases: list[tuple[Case, Deadline]]) -> None:
    """Never later than any law or the promise, and never needlessly earlier: the law's day is exactly theirs."""
    for one, found in cases:
        assert found.received == one.inputs.received_at.astimezone(PARIS).date()
        assert found.law == min(laws_by_hand(one)), one.inputs
        days = one.inputs.promise_days
        promise = walk(found.received, days) if days is not None else None
        assert found.promise == promise
        if promise and (one.extended_on is None or one.inputs.extension == "strict"):
            assert found.due == min(found.law, promise), one.inputs
        elif promise:
            assert found.due == found.law or (found.due == min(found.law, promise)), one.inputs
        else:
            assert found.due == found.law


def test_the_safe_day_and_the_day_to_act_are_never_after_the_day_that_counts(
    cases: list[tuple[Case, Deadline]],
) -> None:
    """The day to act by is the last working day up to the due day; late begins with the next local midnight."""
    for one, found in cases:
        assert found.law_unrolled <= found.law
        assert works_in_france(found.act_by) and found.act_by <= found.due
        assert not any(
            works_in_france(found.act_by + timedelta(days=n + 1)) for n in range((found.due - found.act_by).days)
        )
        assert found.late_at.astimezone(PARIS).date() == found.due + timedelta(days=1), one.inputs
        assert (found.late_at - timedelta(microseconds=1)).astimezone(PARIS).date() == found.due


def test_an_extension_never_shortens(cases: list[tuple[Case, Deadline]]) -> None:
    """With it, the law's day and the due day are at least what they were."""
    longer = [(one, found) for one, found in cases if one.extended_on]
    assert len(longer) > CASES / 5
    for one, found in longer:
        before = deadline(one.before)
        assert found.law >= before.law and found.due >= before.due and found.extended


def test_a_stored_clock_gives_the_same_dates_again(cases: list[tuple[Case, Deadline]]) -> None:
    """Through JSON and back, the inputs are equal and so is everything computed from them."""
    for one, found in cases:
        again = from_json(to_json(one.inputs))
        assert again == one.inputs and deadline(again) == found


def test_what_arrives_later_is_never_due_earlier() -> None:
    """Hour by hour through two years, with the night the clocks change twice a year."""
    for policy in (PROMISED, LAW_ONLY):
        start = datetime(2026, 1, 1, tzinfo=UTC)
        found = [dates(start + timedelta(hours=5 * hours), policy) for hours in range(2 * 365 * 5)]
        for name in ("received", "law", "law_unrolled", "due", "act_by"):
            days = [getattr(one, name) for one in found]
            assert days == sorted(days)


def test_a_stored_clock_keeps_the_holidays_it_was_counted_with() -> None:
    """A holiday that is proclaimed or abolished later does not move an old case; later years are added beside it."""
    stored = json.loads(to_json(received("2026-03-05")))
    stored["holidays"]["FR"]["2026"].append("2026-04-07")
    clock = from_json(json.dumps(stored))
    assert deadline(clock).law == date(2026, 4, 8)
    later = extend(clock, noticed_at=at("2026-03-30"), reason="Many requests.")
    assert later.holidays["FR"][2026] == clock.holidays["FR"][2026]
    far = identified(later, "2026-03-06", "2028-03-06")
    assert set(far.holidays["FR"]) == {2026, 2027, 2028, 2029}


@pytest.mark.parametrize(
    "change",
    [
        {"rules_version": 2}, {"rules_version": 0}, {"zone": "Europe/Atlantis"}, {"received_at": "2026-03-05T10:00:00"},
        {"profiles": ["mars"]}, {"surprise": 1}, {"events": [{"event": "forgiven"}]}, {"received_at": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_stored_clock_that_is_not_ours_is_refused(change: dict[str, object]) -> None:
    """Another version, another shape: nothing is guessed."""
    stored = json.loads(to_json(received("2026-03-05"))) | change
    with pytest.raises(Refused, match=r"version \d of the deadline rules is not known|cannot be read"):
        deadline(from_json(json.dumps(stored)))


def test_no_clock_without_an_offset() -> None:
    """An instant that could mean two days is a mistake of ours."""
    with pytest.raises(ValueError, match="aware"):
        inputs_for(datetime(2026, 3, 5, 10), PROMISED)  # noqa: DTZ001


def test_an_answer_closes_the_question_that_waits() -> None:
    """Asked, then answered, is the same as both told at once; the second answer changes nothing."""
    clock = received("2026-03-05", identity_pause="fr")
    asked = identified(clock, "2026-03-06", None)
    with pytest.raises(Invalid, match="asked already"):
        identified(asked, "2026-03-07", None)
    with pytest.raises(Invalid, match="before the question"):
        answer(asked, kind="identity", answered_at=at("2026-03-05"))
    answered = answer(asked, kind="identity", answered_at=at("2026-03-16"))
    assert answered == identified(clock, "2026-03-06", "2026-03-16")
    assert answer(answered, kind="identity", answered_at=at("2026-03-20")) == answered


def test_nothing_happens_before_receipt_or_backwards() -> None:
    """As a move, and also in what somebody stored."""
    clock = received("2026-03-05")
    with pytest.raises(Invalid, match="D13"):
        identified(clock, "2026-03-04", None)
    with pytest.raises(Invalid, match="before the question"):
        identified(clock, "2026-03-16", "2026-03-06")
    with pytest.raises(Invalid, match="D9"):
        extend(clock, noticed_at=at("2026-03-04"), reason="Many requests.")


def test_while_the_clock_stands_still_nothing_is_late_but_the_giving_up() -> None:
    """The decree: late only when the 30 days for identifying are over; with a promise, when that is broken."""
    still = identified(received("2026-03-05", identity_pause="fr"), "2026-03-10", None)
    found = deadline(still)
    assert (found.suspended, found.close_on) == (date(2026, 4, 7), date(2026, 4, 9))
    assert found.late_at == end_of(date(2026, 4, 9), "Europe/Paris")
    promised = deadline(identified(received("2026-03-05", PROMISED, identity_pause="fr"), "2026-03-10", None))
    assert (promised.due, promised.late_at) == (date(2026, 4, 4), end_of(date(2026, 4, 4), "Europe/Paris"))


def test_an_extension_may_be_sent_while_the_clock_stands_still() -> None:
    """Also after the day it was: the period is not over."""
    still = identified(received("2026-03-05", identity_pause="fr"), "2026-03-06", None)
    longer = extend(still, noticed_at=at("2026-04-09"), reason="Many requests.")
    found = deadline(answer(longer, kind="identity", answered_at=at("2026-04-10")))
    assert (found.extended, found.law) == (date(2026, 7, 10), date(2026, 7, 10))


def test_moments_of_the_night_the_clocks_change_are_told_apart() -> None:
    """Asked at 2:45, answered at 2:30 after the clocks went back: 45 minutes later, and stored as that."""
    night = datetime(2026, 10, 25, 2, 45, tzinfo=PARIS)
    asked, answered = night, night.replace(minute=30, fold=1)
    clock = pause(received("2026-10-22"), kind="identity", asked_at=asked, answered_at=answered)
    assert from_json(to_json(clock)) == clock
    with pytest.raises(Invalid, match="before the question"):
        pause(received("2026-10-22"), kind="identity", asked_at=answered, answered_at=asked)
    with pytest.raises(ValueError, match="aware"):
        pause(received("2026-10-22"), kind="identity", asked_at=datetime(2026, 10, 25, 2, 45))  # noqa: DTZ001


def test_duplicates_take_the_earliest_receipt() -> None:
    """D16, whichever of the two was entered first; the receipt itself is not edited."""
    clock = join(received("2026-03-05"), received_at=at("2026-03-02"))
    assert (deadline(clock).received, deadline(clock).law_unrolled) == (date(2026, 3, 2), date(2026, 4, 2))
    assert clock.received_at == received("2026-03-05").received_at
    assert deadline(join(received("2026-03-05"), received_at=at("2026-03-09"))).received == date(2026, 3, 5)


def test_an_extension_that_an_earlier_receipt_makes_late_does_not_count() -> None:
    """A join cannot be refused because of it: the dates say what holds, and why."""
    clock = extend(received("2026-03-05"), noticed_at=at("2026-04-06"), reason="Many requests.")
    found = deadline(join(clock, received_at=at("2026-02-20")))
    assert (found.extended, found.law) == (None, date(2026, 3, 20))
    assert any("does not count" in rule.text for rule in found.rules if rule.id == "D9")


def test_a_law_that_turns_out_to_apply_counts_from_receipt() -> None:
    """Laws only add: the earliest day counts, with that country's own holidays."""
    clock = add_profile(received("2026-11-26"), "uk")
    assert "GB-ENG" in clock.holidays
    assert deadline(clock).law == date(2026, 12, 28)
    assert add_profile(clock, "uk") == clock


def test_every_law_is_a_dated_row() -> None:
    """Oldest first, each with either months or days, a source, and a name the policy file knows."""
    assert set(PROFILES) == set(msgspec.inspect.type_info(Jurisdiction.__value__).values)
    for name, rows in PROFILES.items():
        assert [row.since for row in rows] == sorted(row.since for row in rows)
        assert all((row.months is None) != (row.days is None) and row.source for row in rows)
        assert profile_on(name, date(1900, 1, 1)) == rows[0]
    with pytest.raises(LookupError, match="mars"):
        profile_on("mars", date(2026, 1, 1))


@pytest.mark.parametrize("day", ["1900-01-31", "2099-12-31", "2100-01-31", "2400-02-29", "2900-12-01"])
def test_any_year_can_be_counted(day: str) -> None:
    """Far back and far ahead of any list of holidays."""
    found = deadline(received(day, PROMISED))
    assert found.received < found.act_by <= found.due <= found.law

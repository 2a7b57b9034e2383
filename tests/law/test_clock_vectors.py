"""The published vectors of extensions (E), pauses (P) and other laws (U, C, L)."""

from datetime import date

import pytest

from portal.errors import Invalid
from portal.rights.deadlines import dates, deadline, extend, inputs_for, may_extend, may_pause, pause
from tests.law.clocks import LAW_ONLY, PROMISED, at, identified, received

REASON = "Three systems have to be searched by hand."


def test_entry_on_monday_does_not_move_a_receipt_on_friday() -> None:
    """What arrived on Friday evening was received on Friday, whenever somebody typed it in (Z4, Z5)."""
    assert dates(at("2026-03-06T18:00+01:00"), PROMISED).received == date(2026, 3, 6)


def test_an_extension_moves_the_law_and_not_the_promise() -> None:
    """E1: two months more in law; the promised day stays, and D10 says so."""
    found = deadline(extend(received("2026-03-05", PROMISED), noticed_at=at("2026-03-30"), reason=REASON))
    assert (found.law, found.extended, found.due) == (date(2026, 6, 5), date(2026, 6, 5), date(2026, 4, 4))
    assert "D10" in {rule.id for rule in found.rules}


def test_an_extension_may_be_the_promised_answer_if_the_policy_says_so() -> None:
    """E1: with answer-counts the law's day counts, if the notice kept the promise itself."""
    clock = received("2026-03-05", PROMISED, extension="answer-counts")
    assert deadline(extend(clock, noticed_at=at("2026-03-30"), reason=REASON)).due == date(2026, 6, 5)
    late = extend(clock, noticed_at=at("2026-04-06"), reason=REASON)
    assert (deadline(late).due, deadline(late).extended) == (date(2026, 4, 4), date(2026, 6, 5))
    short = received("2026-01-31", PROMISED, extension="answer-counts")
    after_the_month = extend(short, noticed_at=at("2026-03-01"), reason=REASON)
    assert deadline(after_the_month).due == deadline(after_the_month).promise == date(2026, 3, 2)


def test_an_extension_is_counted_from_receipt() -> None:
    """E2: three months from 31 January end on 30 April, not two months after 28 February."""
    clock = extend(received("2026-01-31"), noticed_at=at("2026-02-20"), reason=REASON)
    assert deadline(clock).law == date(2026, 4, 30)


def test_an_extension_sent_too_late_is_none() -> None:
    """E4: refused as a move; if it was sent all the same, it does not count, and the answer is late."""
    clock = received("2026-03-05")
    with pytest.raises(Invalid, match="D9"):
        may_extend(clock, noticed_at=at("2026-04-08"), reason=REASON)
    may_extend(clock, noticed_at=at("2026-04-07T23:59:59+02:00"), reason=REASON)
    with pytest.raises(Invalid, match="D9"):
        may_extend(clock, noticed_at=at("2026-04-08T00:00:00+02:00"), reason=REASON)


def test_a_second_extension_and_one_without_reason_are_refused() -> None:
    """E5."""
    clock = received("2026-03-05")
    with pytest.raises(Invalid, match=r"reason.*D9"):
        extend(clock, noticed_at=at("2026-03-30"), reason=" ")
    once = extend(clock, noticed_at=at("2026-03-30"), reason=REASON)
    with pytest.raises(Invalid, match=r"only once.*D9"):
        extend(once, noticed_at=at("2026-03-31"), reason=REASON)


def test_asking_for_identity_moves_nothing_unless_the_policy_says_so() -> None:
    """P1: the month and its last day stay; the question is kept, and D11 says why."""
    found = deadline(identified(received("2026-03-05", PROMISED), "2026-03-06", "2026-03-16"))
    assert (found.law_unrolled, found.law, found.due) == (date(2026, 4, 5), date(2026, 4, 7), date(2026, 4, 4))
    assert "D11" in {rule.id for rule in found.rules}


@pytest.mark.parametrize(
    ("day", "spans", "safe", "law"),
    [
        ("2026-03-05", [("2026-03-06", "2026-03-16")], "2026-04-15", "2026-04-15"),
        ("2026-03-05", [("2026-03-06T10:00+01:00", "2026-03-06T17:00+01:00")], "2026-04-05", "2026-04-07"),
        ("2026-11-10", [("2026-11-12", "2026-11-27")], "2026-12-25", "2026-12-28"),
        ("2026-03-05", [("2026-04-02", "2026-04-20")], "2026-04-05", "2026-04-07"),
        ("2026-03-05", [("2026-03-06", "2026-03-16"), ("2026-03-10", "2026-03-12")], "2026-04-15", "2026-04-15"),
        ("2026-03-05", [("2026-03-10", "2026-03-12"), ("2026-03-06", "2026-03-16")], "2026-04-15", "2026-04-15"),
    ],
    ids=["P2", "P3", "P5", "P6", "P8", "P8 in another order"],
)
def test_the_french_decree_stops_the_month(day: str, spans: list[tuple[str, str]], safe: str, law: str) -> None:
    """Days from question to answer are added once, if the question came within five days; the promise stays."""
    clock = received(day, PROMISED, identity_pause="fr")
    for asked, answered in spans:
        clock = identified(clock, asked, answered)
    found = deadline(clock)
    assert (str(found.law_unrolled), str(found.law)) == (safe, law)
    assert found.promise == found.due == deadline(received(day, PROMISED)).promise


def test_a_question_without_an_answer_shows_the_day_it_was() -> None:
    """D13: suspended; a reminder after 14 days, and after 30 the answer that they cannot be identified."""
    found = deadline(identified(received("2026-03-05", identity_pause="fr"), "2026-03-06", None))
    assert (found.suspended, found.due) == (date(2026, 4, 7), date(2026, 4, 7))
    assert (found.remind_on, found.close_on) == (date(2026, 3, 20), date(2026, 4, 5))
    still = identified(received("2026-03-05", identity_pause="fr"), "2026-03-06", None)
    asked_again = identified(still, "2026-03-08", "2026-03-20")
    assert deadline(asked_again).suspended == date(2026, 4, 7)
    without = deadline(identified(received("2026-03-05"), "2026-03-20", None))
    assert (without.suspended, without.remind_on, without.close_on) == (None, date(2026, 4, 3), without.due)


def test_whether_to_count_on_the_time_can_be_asked_before() -> None:
    """D11 and D12 refuse; where the clock would stop, nothing is said."""
    with pytest.raises(Invalid, match="D11"):
        may_pause(received("2026-03-05"), kind="identity", asked_at=at("2026-03-06"))
    decree = received("2026-03-05", identity_pause="fr")
    may_pause(decree, kind="identity", asked_at=at("2026-03-10"))
    with pytest.raises(Invalid, match="D12"):
        may_pause(decree, kind="identity", asked_at=at("2026-03-11"))
    with pytest.raises(Invalid, match="D11"):
        may_pause(decree, kind="clarification", asked_at=at("2026-03-06"))
    with pytest.raises(Invalid, match="D14"):
        may_pause(received("2026-03-05", LAW_ONLY, "uk"), kind="identity", asked_at=at("2026-05-06"))


def test_the_united_kingdom_begins_anew_with_the_last_thing_asked_for() -> None:
    """U1; and the days spent waiting for a clarification do not count (D14)."""
    clock = received("2026-03-05", LAW_ONLY, "uk")
    assert deadline(identified(clock, "2026-03-06", "2026-03-16")).law == date(2026, 4, 16)
    clarified = pause(clock, kind="clarification", asked_at=at("2026-03-09"), answered_at=at("2026-03-12"))
    assert (deadline(clarified).law_unrolled, deadline(clarified).law) == (date(2026, 4, 8), date(2026, 4, 8))
    both = identified(clarified, "2026-03-06", "2026-03-16")
    assert deadline(both).law == date(2026, 4, 16)
    paid = pause(both, kind="fee", asked_at=at("2026-03-07"), answered_at=at("2026-03-10"))
    assert deadline(paid).law == date(2026, 4, 16), "the last thing to arrive, not the last to be asked for"


def test_the_united_kingdom_has_its_own_holidays() -> None:
    """U3: Boxing Day on a Saturday is made up for on Monday."""
    found = deadline(received("2026-11-26", LAW_ONLY, "uk"))
    assert (found.law_unrolled, found.law) == (date(2026, 12, 26), date(2026, 12, 29))


def test_the_united_kingdom_acknowledges_complaints() -> None:
    """U5; requests need no acknowledgement there, and complaints did not before 19 June 2026."""
    complaint = inputs_for(at("2026-07-01"), LAW_ONLY, profiles=("uk",), complaint=True)
    assert deadline(complaint).ack_by == date(2026, 7, 31)
    assert deadline(received("2026-07-01", LAW_ONLY, "uk")).ack_by is None
    earlier = inputs_for(at("2026-06-18"), LAW_ONLY, profiles=("uk",), complaint=True)
    assert deadline(earlier).ack_by is None


def test_california_counts_days_and_never_moves_them() -> None:
    """C1: acknowledged in ten business days, answered in 45, extended to 90; asking stops nothing."""
    clock = received("2026-03-02", LAW_ONLY, "california")
    found = deadline(identified(clock, "2026-03-03", "2026-03-20"))
    assert (found.ack_by, found.law) == (date(2026, 3, 16), date(2026, 4, 16))
    extended = deadline(extend(clock, noticed_at=at("2026-04-16"), reason=REASON))
    assert (extended.law, extended.extended) == (date(2026, 5, 31), date(2026, 5, 31))


def test_brazil_has_fifteen_days_and_no_extension() -> None:
    """L1: a small agent has thirty."""
    clock = received("2026-03-05", LAW_ONLY, "brazil")
    assert deadline(clock).law == date(2026, 3, 20)
    assert deadline(received("2026-03-05", LAW_ONLY, "brazil-small")).law == date(2026, 4, 4)
    with pytest.raises(Invalid, match="no extension"):
        extend(clock, noticed_at=at("2026-03-10"), reason=REASON)


def test_of_several_laws_the_earliest_day_counts() -> None:
    """2d: an extension that one of them does not know does not move the day."""
    clock = extend(received("2026-03-05", LAW_ONLY, "eu", "brazil"), noticed_at=at("2026-03-10"), reason=REASON)
    found = deadline(clock)
    assert (found.law, found.due, found.extended) == (date(2026, 3, 20), date(2026, 3, 20), date(2026, 6, 5))

"""What staff are told: references and days, in their language, with one link and nothing about anybody."""

import re
from datetime import date

import pytest

from portal.mail.kinds import kinds_in_words
from portal.mail.letter import Message
from portal.mail.messages.again import written_again
from portal.mail.messages.staff_reminders import Day, Line, alarm_in_words, staff_alarm, staff_daily
from portal.policy.model import Policy
from portal.words import Words

LINK = "https://privacy.casagbic.example/en/staff/desk"
DAY = date(2026, 10, 17)
LINES = (Line("DR-2026-0101", "Decide. One day late."), Line("DR-2026-0102", "Find out who it is. Due tomorrow."))


def day(count: int, *, more: int = 0, late: int = 0, still: int = 0) -> Day:
    """A day with so many things."""
    return Day(lines=LINES[:count], count=count, more=more, late=late, minutes=3 * count, open=still, safe_until=DAY)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_staff_mail_has_one_link_and_says_nothing_about_the_readers_own_data(language: str, policy: Policy) -> None:
    """Its footer is for staff: neither who is responsible for their data nor how to complain."""
    words = Words(language, "Europe/Paris")
    daily = staff_daily(words, policy, day=day(2, more=1, late=1, still=4), link=LINK)
    alarm = staff_alarm(words, policy, subject="x", lines=LINES, late=True, unowned=True, link=LINK)
    for message in (daily, alarm):
        assert message.kind in kinds_in_words(words)
        assert links(message) == [LINK]
        assert "DR-2026-0101" in message.text and "DR-2026-0101" in message.html
        assert policy.controller.authority.name not in message.text + message.html
        assert policy.controller.name in message.text
        assert len(message.subject) <= 78


@pytest.mark.parametrize(
    ("planned", "subject", "said"),
    [
        (day(0), "Today: nothing to do", "Nothing is open. Nothing can become late before Saturday 17\u00a0October"),
        (day(0, still=3), "Today: nothing to do", "Nothing must be done today. Nothing can become late before"),
        (day(1, still=3), "Today: one thing, about 3 min", "After these, nothing can become late before Saturday"),
        (day(2, late=1, still=3), "Today: 2 things, about 6 min (1 late)", "After these"),
        (day(2, more=5, still=9), "Today: 2 things, about 6 min", "5 more things are on the desk."),
    ],
)
def test_a_day_is_told_as_it_is(planned: Day, subject: str, said: str, policy: Policy) -> None:
    """Empty, quiet, short, late and long days."""
    message = staff_daily(Words("en", "Europe/Paris"), policy, day=planned, link=LINK)
    assert message.subject == subject
    assert said in message.text
    assert "A day without it means that" in " ".join(message.text.split())


@pytest.mark.parametrize("kind", ["unowned-soon", "unowned-today", "late"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_alarm_fits_on_a_lock_screen(kind: str, language: str) -> None:
    """The longest month, the longest reference."""
    said = alarm_in_words(Words(language, "Europe/Paris"), kind, "DR-2026-000000101", date(2026, 9, 30))
    assert said.startswith("DR-2026-000000101") and len(said) <= 78


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_mail_that_came_back_is_written_again_under_its_own_kind(language: str, policy: Policy) -> None:
    """What counts when it has left, such as an answer, counts the second one, too; what it said stays on the page."""
    message = written_again(
        Words(language, "Europe/Paris"), policy, kind="answered", reference="DR-2026-0101", link=LINK
    )
    assert message.kind == "answered" and "DR-2026-0101" in message.subject
    assert links(message) == [LINK]


def links(message: Message) -> list[str]:
    """The addresses that can be followed."""
    return re.findall(r'href="([^"]+)"', message.html)

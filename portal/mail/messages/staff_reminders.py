"""What we remind our own staff of: the plan of the day, and what somebody must see to now.

Always true here: references, rights and days, and no person's name or address; the day's plan leaves on empty days
too, so that a day without it means that something is broken.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from portal.mail.letter import Letter, Message, write
from portal.policy.model import Policy
from portal.words import Words


class Line(msgspec.Struct, frozen=True):
    """One row of a list, in the reader's language: which request, and what is with it."""

    title: str
    value: str


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan of one day comes to."""

    lines: Sequence[Line]
    """In the order in which they are done."""
    count: int
    """How many things there are."""
    more: int
    """How many of them are not among the lines."""
    late: int
    minutes: int
    open: int
    """How many requests are open altogether."""
    safe_until: date
    """Before this day nothing that is not in the plan can become late."""


def staff_daily(words: Words, policy: Policy, *, day: Day, link: str) -> Message:
    """Write the plan of the day."""
    subject = _subject(words, day)
    return write(
        Letter(
            kind="staff-daily",
            subject=subject,
            heading=subject,
            before=_before(words, day),
            facts=tuple((line.title, line.value) for line in day.lines),
            invitation=words("The plan, with a button for each:"),
            button=words("Open the desk"),
            link=link,
            after=(
                words(
                    "This message comes every day, also when there is nothing to do. A day without it means that "
                    "something is broken."
                ),
            ),
            staff=True,
        ),
        words,
        policy,
    )


def staff_alarm(
    words: Words, policy: Policy, *, subject: str, lines: Sequence[Line], late: bool, unowned: bool, link: str
) -> Message:
    """Write that somebody is needed now. `late` and `unowned` tell what is among the lines."""
    before = []
    if unowned:
        before.append(words("What nobody has: take it, or give it to somebody."))
    if late:
        before.append(words("What is late: whoever waits is told by us that we owe an answer. Answer today."))
    return write(
        Letter(
            kind="staff-alarm",
            subject=subject,
            heading=subject,
            before=tuple(before),
            facts=tuple((line.title, line.value) for line in lines),
            invitation=words("See to it here:"),
            button=words("Open the desk"),
            link=link,
            staff=True,
        ),
        words,
        policy,
    )


def alarm_in_words(words: Words, kind: str, reference: str, day: date) -> str:
    """Say an alarm in one line: a subject, or what a chat room reads. Raises: KeyError."""
    said: Mapping[str, str] = {
        "unowned-soon": words(
            "{reference}: act by {day}, and nobody has it", reference=reference, day=words.day_month(day)
        ),
        "unowned-today": words("{reference}: act today, and nobody has it", reference=reference),
        "late": words("{reference} is late", reference=reference),
    }
    return said[kind]


def _subject(words: Words, day: Day) -> str:
    if not day.count:
        return words("Today: nothing to do")
    said = words.plural(
        "Today: one thing, about {minutes} min", "Today: {count} things, about {minutes} min", day.count,
        minutes=words.number(day.minutes),
    )  # fmt: skip
    return f"{said} {words.plural('(1 late)', '({count} late)', day.late)}" if day.late else said


def _before(words: Words, day: Day) -> tuple[str, ...]:
    until = words.day(day.safe_until)
    if day.count:
        said = words("After these, nothing can become late before {day}.", day=until)
    elif day.open:
        said = words("Nothing must be done today. Nothing can become late before {day}.", day=until)
    else:
        said = words("Nothing is open. Nothing can become late before {day}.", day=until)
    if day.more:
        return said, words.plural("One more thing is on the desk.", "{count} more things are on the desk.", day.more)
    return (said,)

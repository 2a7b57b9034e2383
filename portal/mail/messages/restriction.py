"""What we say about a pause: that it is in place, and, before it ends, that it will.

Always true here: the end is told before it comes. Source: GDPR Art. 18(3).
"""

from collections.abc import Sequence
from datetime import date

from portal.mail.letter import Letter, Message, write
from portal.policy.model import Policy
from portal.words import Words


def paused(
    words: Words, policy: Policy, *, reference: str, stopped: Sequence[str], by_hand: Sequence[str] = (), link: str
) -> Message:
    """Say what is out of use now: `stopped` are titles of categories, `by_hand` those a person still has to stop."""
    return write(
        Letter(
            kind="paused",
            subject=words("{reference} is in place", reference=reference),
            heading=words("It is paused"),
            before=(words("We keep this data and give it to you when you ask. Nothing else happens with it."),),
            facts=(
                (words("Reference"), reference),
                (words("Out of use"), words.several(stopped)),
                *(((words("A person is stopping it now"), words.several(by_hand)),) if by_hand else ()),
            ),
            invitation=words("You can follow it here:"),
            button=words("Follow my request"),
            link=link,
            after=(words("We will tell you before the pause ends."),),
        ),
        words,
        policy,
    )


def pause_ending(words: Words, policy: Policy, *, reference: str, ends_on: date, reason: str, link: str) -> Message:
    """Say, before it happens, on which day the pause ends and why, in one sentence without data."""
    return write(
        Letter(
            kind="pause-ending",
            subject=words("{reference} ends on {day}", reference=reference, day=words.day_month(ends_on)),
            heading=words("Your pause will end"),
            before=(words("From {day} on we use this data again as before.", day=words.day(ends_on)), reason),
            facts=((words("Reference"), reference),),
            invitation=words("If you do not agree, tell us here before that day:"),
            button=words("Follow my request"),
            link=link,
        ),
        words,
        policy,
    )

"""What we say when a request is answered, takes longer, or should have been answered.

Always true here: whatever is not given comes with reasons, with an authority and with a court; the answer itself is
read on the portal. Source: GDPR Art. 12(3), 12(4), 19.
"""

from collections.abc import Sequence
from datetime import date

from portal.mail.letter import Letter, Message, Section, write
from portal.mail.remedies import remedies
from portal.policy.model import Policy
from portal.words import Words


def extended(
    words: Words,
    policy: Policy,
    *,
    reference: str,
    old_day: date,
    new_day: date,
    reasons: Sequence[str],
    link: str,
    country: str | None = None,
) -> Message:
    """Say that the answer takes longer, until when and why; `reasons` are sentences in the person's language."""
    _needs("reasons", reasons)
    return write(
        Letter(
            kind="extended",
            subject=words("New date for {reference}", reference=reference),
            heading=words("We need more time"),
            before=(
                words("We need more time: until {day}. Here is why. You can complain.", day=words.day(new_day)),
                words("The date so far was {day}.", day=words.day(old_day)),
            ),
            sections=(Section(words("Why"), tuple(reasons)), *remedies(words, policy, country)),
            remedies=True,
            invitation=words("You can follow it here:"),
            button=words("Follow my request"),
            link=link,
        ),
        words,
        policy,
    )


def answered(words: Words, policy: Policy, *, reference: str, link: str, country: str | None = None) -> Message:
    """Say that our answer can be read."""
    return write(
        Letter(
            kind="answered",
            subject=_answer_subject(words, reference),
            heading=words("We have answered your request"),
            before=(words("For your safety our answer is not in this message."),),
            facts=((words("Reference"), reference),),
            sections=remedies(words, policy, country),
            remedies=True,
            invitation=words("Read our answer here:"),
            button=words("Read the answer"),
            link=link,
        ),
        words,
        policy,
    )


def refused(
    words: Words,
    policy: Policy,
    *,
    reference: str,
    reasons: Sequence[str],
    link: str,
    country: str | None = None,
) -> Message:
    """Say that we do not do what was asked. `reasons` are standard sentences in the person's language, never data.

    Raises:
        ValueError: without a reason. Source: GDPR Art. 12(4).
    """
    _needs("reasons", reasons)
    return write(
        Letter(
            kind="refused",
            subject=_answer_subject(words, reference),
            heading=words("We will not do what you asked"),
            before=(words("You can disagree: on the page of your request, with an authority, or in court."),),
            facts=((words("Reference"), reference),),
            sections=(Section(words("Why"), tuple(reasons)), *remedies(words, policy, country)),
            remedies=True,
            invitation=words("Read our whole answer here:"),
            button=words("Read the answer"),
            link=link,
        ),
        words,
        policy,
    )


def partly_answered(
    words: Words,
    policy: Policy,
    *,
    reference: str,
    done: Sequence[str],
    not_done: Sequence[str],
    reasons: Sequence[str],
    link: str,
    country: str | None = None,
) -> Message:
    """Say what was done and what was not, by titles (of categories, of fields), and why not.

    Raises:
        ValueError: when one of the three is missing. Source: GDPR Art. 12(4).
    """
    for name, given in (("done", done), ("not_done", not_done), ("reasons", reasons)):
        _needs(name, given)
    return write(
        Letter(
            kind="partly",
            subject=_answer_subject(words, reference),
            heading=words("We have done a part of what you asked"),
            before=(),
            facts=(
                (words("Reference"), reference),
                (words("Done"), ", ".join(done)),
                (words("Not done"), ", ".join(not_done)),
            ),
            sections=(Section(words("Why not everything"), tuple(reasons)), *remedies(words, policy, country)),
            remedies=True,
            invitation=words("Read our whole answer here:"),
            button=words("Read the answer"),
            link=link,
        ),
        words,
        policy,
    )


def late(
    words: Words, policy: Policy, *, reference: str, due_day: date, link: str, country: str | None = None
) -> Message:
    """Say, the morning after, that we owe an answer. It is sent by itself: nobody has to decide it."""
    return write(
        Letter(
            kind="late",
            subject=words("We owe you an answer, {reference}", reference=reference),
            heading=words("We owe you an answer"),
            before=(
                words(
                    "We are late. You should have had our answer on {day}. We are sorry; it is first on our list "
                    "today.",
                    day=words.day(due_day),
                ),
            ),
            facts=((words("Reference"), reference),),
            sections=remedies(words, policy, country),
            remedies=True,
            invitation=words("You can follow it here:"),
            button=words("Follow my request"),
            link=link,
        ),
        words,
        policy,
    )


def recipients_told(
    words: Words, policy: Policy, *, reference: str, told: Sequence[str], waiting: Sequence[str], link: str
) -> Message:
    """Say which others heard of a correction, an erasure or a pause. `waiting` have been asked and not answered yet.

    Both are names of recipients. Source: GDPR Art. 19.
    """
    facts = [(words("Reference"), reference)]
    if told:
        facts.append((words("Have confirmed"), ", ".join(told)))
    if waiting:
        facts.append((words("Asked, no answer yet"), ", ".join(waiting)))
    return write(
        Letter(
            kind="recipients-told",
            subject=words("Who else was told about {reference}", reference=reference),
            heading=words("We have told the others"),
            before=(words("Others had this data from us. We have told them what you asked."),),
            facts=tuple(facts),
            invitation=words("The page of your request shows each of them:"),
            button=words("Follow my request"),
            link=link,
            after=(words("We remind those who have not answered yet."),) if waiting else (),
        ),
        words,
        policy,
    )


def _answer_subject(words: Words, reference: str) -> str:
    return words("Our answer to {reference}", reference=reference)


def _needs(name: str, given: Sequence[str]) -> None:
    if not given or not all(text.strip() for text in given):
        raise ValueError(f"{name} must not be empty (GDPR Art. 12(4))")

"""What we say while a request is open: that we have it, that we ask something, that we wrote, that two became one.

Always true here: the clock is never said to stop, and a question's text stays on the portal.
"""

from datetime import date

from portal.mail.letter import Letter, Message, write
from portal.policy.model import Policy
from portal.words import Words


def request_received(
    words: Words,
    policy: Policy,
    *,
    reference: str,
    due_day: date,
    link: str,
    what: str = "",
    signed_in: bool = True,
) -> Message:
    """Acknowledge a request with the date of our answer.

    `what` is what they asked for, in their language (`wording.asked_in_words`). `signed_in` is False for whoever
    came without an account: what identity takes is then told by the request's own page.
    """
    return write(
        Letter(
            kind="received",
            subject=words("We have your request {reference}", reference=reference),
            heading=words("We have your request"),
            before=(words("You will have our answer by {day}.", day=words.day(due_day)),),
            facts=(
                (words("Your request"), what or words("A copy of your data")),
                (words("Reference"), reference),
            ),
            invitation=words("You can follow it here:"),
            button=words("Follow my request"),
            link=link,
            after=(words("You are signed in, so no identity papers are needed."),) if signed_in else (),
        ),
        words,
        policy,
    )


def question(words: Words, policy: Policy, *, reference: str, due_day: date | None, link: str) -> Message:
    """Say that one question waits, never which: its text may be about the person. The clock goes on.

    `due_day` is None only where a law lets the date move with the answer; then no date is given.
    """
    goes_on = (
        words("The clock goes on meanwhile: you will have our answer by {day}.", day=words.day(due_day))
        if due_day
        else words("The date of our answer depends on yours; the page of your request says how.")
    )
    return write(
        Letter(
            kind="question",
            subject=_question_subject(words, reference),
            heading=words("We have one question"),
            before=(words("We need one thing from you. Not answering will not close your request."), goes_on),
            facts=((words("Reference"), reference),),
            invitation=words("Read the question and answer it here:"),
            button=words("Answer the question"),
            link=link,
        ),
        words,
        policy,
    )


def question_again(
    words: Words, policy: Policy, *, reference: str, asked_on: date, due_day: date, link: str
) -> Message:
    """Remind of a question after 7 and after 14 days, without pressing."""
    return write(
        Letter(
            kind="question-again",
            subject=_question_subject(words, reference),
            heading=words("Our question still waits for you"),
            before=(
                words("We asked it on {day}.", day=words.day(asked_on)),
                words("Not answering will not close your request."),
                words("You will have our answer by {day}.", day=words.day(due_day)),
            ),
            facts=((words("Reference"), reference),),
            invitation=words("Read the question and answer it here:"),
            button=words("Answer the question"),
            link=link,
        ),
        words,
        policy,
    )


def message_waiting(words: Words, policy: Policy, *, reference: str, link: str) -> Message:
    """Say that a person of ours wrote something on the request's page."""
    return write(
        Letter(
            kind="message",
            subject=words("A message about {reference}", reference=reference),
            heading=words("We have written to you"),
            before=(words("A person has left a message on the page of your request."),),
            facts=((words("Reference"), reference),),
            invitation=words("Read it and answer it here:"),
            button=words("Read the message"),
            link=link,
        ),
        words,
        policy,
    )


def joined(words: Words, policy: Policy, *, reference: str, other: str, due_day: date, link: str) -> Message:
    """Say that two requests for the same go on as one: `other` as part of `reference`, with the earlier of the dates.

    Source: D16, duplicates merge to the earliest receipt.
    """
    return write(
        Letter(
            kind="joined",
            subject=words("{other} is now part of {reference}", other=other, reference=reference),
            heading=words("Your two requests are one now"),
            before=(
                words("You asked for the same thing twice. We answer both together, under one reference."),
                words("The earlier date counts: you will have our answer by {day}.", day=words.day(due_day)),
            ),
            facts=((words("Reference"), reference), (words("Joined to it"), other)),
            invitation=words("You can follow it here:"),
            button=words("Follow my request"),
            link=link,
        ),
        words,
        policy,
    )


def _question_subject(words: Words, reference: str) -> str:
    return words("One question about {reference}", reference=reference)

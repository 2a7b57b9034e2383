"""What we say about a copy: that it is ready, that it goes soon, that it was taken.

Always true here: the copy itself is never in a mail; what is missing from it is named.
"""

from collections.abc import Sequence
from datetime import datetime

from portal.mail.letter import Letter, Message, write
from portal.policy.model import Policy
from portal.words import Words


def copy_ready(
    words: Words,
    policy: Policy,
    *,
    reference: str,
    size: str,
    until: datetime,
    link: str,
    missing: Sequence[str] = (),
    withheld: bool = False,
) -> Message:
    """Say that the copy can be fetched. `size` is ready to read; `missing` holds titles of parts that are not in it.

    `withheld` tells that something was left out of it for good, with a letter that says why.
    """
    return write(
        Letter(
            kind="copy-ready",
            subject=_copy_subject(words, until, reference),
            heading=words("Your copy is ready"),
            before=(
                words("For your safety it is not attached to this message."),
                *_missing(words, missing),
                *_withheld(words, withheld=withheld),
            ),
            remedies=withheld,
            facts=(
                (words("Reference"), reference),
                (words("Size"), size),
                (words("Available until"), words.day_moment(until)),
            ),
            invitation=words("Sign in and download it here:"),
            button=words("Get my copy"),
            link=link,
            after=(words("After that day it is deleted. You can ask for a new one at any time, free of charge."),),
        ),
        words,
        policy,
    )


def copy_expires_soon(words: Words, policy: Policy, *, reference: str, until: datetime, link: str) -> Message:
    """Remind of a copy that nobody has opened, two days before it is deleted."""
    return write(
        Letter(
            kind="copy-expires",
            subject=_copy_subject(words, until, reference),
            heading=words("You have not opened your copy yet"),
            before=(words("It is deleted on {moment}.", moment=words.day_moment(until)),),
            facts=((words("Reference"), reference),),
            invitation=words("Sign in and download it here:"),
            button=words("Get my copy"),
            link=link,
            after=(words("You can ask for a new one at any time, free of charge."),),
        ),
        words,
        policy,
    )


def copy_downloaded(words: Words, policy: Policy, *, reference: str, file: str, at: datetime, link: str) -> Message:
    """Tell the registered address at once that the copy was taken; `link` leads to the account page. Source: S-02."""
    return write(
        Letter(
            kind="copy-downloaded",
            subject=words("Your copy was downloaded ({reference})", reference=reference),
            heading=words("Your copy was downloaded"),
            before=(words("If this was you, there is nothing to do."),),
            facts=(
                (words("Reference"), reference),
                (words("File"), file),
                (words("Downloaded"), words.day_moment(at)),
            ),
            invitation=words("Not you? End all sessions on your account page, then reply to this message:"),
            button=words("Open my account page"),
            link=link,
        ),
        words,
        policy,
    )


def _copy_subject(words: Words, until: datetime, reference: str) -> str:
    day = words.day_month(until.astimezone(words.zone).date())
    return words("Your copy is ready until {day} ({reference})", day=day, reference=reference)


def _missing(words: Words, missing: Sequence[str]) -> tuple[str, ...]:
    if not missing:
        return ()
    parts = words.several(missing)
    return (
        words("Not in it yet, because a system did not answer: {parts}. We keep trying.", parts=parts),
        words("The page of your request shows how far we are."),
    )


def _withheld(words: Words, *, withheld: bool) -> tuple[str, ...]:
    if not withheld:
        return ()
    return (
        words(
            "Something in it was left out for the sake of other people. Our letter on the page of your request says "
            "how much and why."
        ),
    )

"""What we say by mail, one function per message, in the person's language.

Always true here: no personal data in a body, subjects stay neutral on a lock screen and carry the reference where
there is one, and every mail can be answered to a person.
"""

from collections.abc import Sequence
from datetime import date, datetime

from babel.dates import format_date

from portal.mail.letter import Letter, Message, write
from portal.policy.model import Policy
from portal.words import NO_BREAK, Words

__all__ = [
    "Message", "copy_downloaded", "copy_expires_soon", "copy_ready", "request_received", "sign_in_code", "step_up_code",
]  # fmt: skip


def sign_in_code(words: Words, policy: Policy, *, code: str, link: str, minutes: int) -> Message:
    """Write the mail that lets a person in: a code, a link, or both. An empty `code` leaves the link alone."""
    name = policy.controller.name
    after = (
        words("This works once, for {minutes} minutes.", minutes=minutes),
        words("Not you? Ignore this message: nobody can sign in without it."),
        words("We never ask for this code by telephone or by mail.") if code else "",
    )
    return write(
        Letter(
            kind="sign-in",
            subject=_code_subject(words, name, code) if code else words("Your link to sign in to {name}", name=name),
            heading=words("Sign in to {name}", name=name),
            before=(words("Type this code on the page where you asked for it:"),) if code else (),
            code=_grouped(code),
            invitation=_invitation(words, code),
            button=words("Sign in"),
            link=link,
            after=tuple(filter(None, after)),
        ),
        words,
        policy,
    )


def step_up_code(words: Words, policy: Policy, *, code: str, link: str = "", minutes: int) -> Message:
    """Write the mail that confirms one sensitive step of somebody who is signed in already."""
    return write(
        Letter(
            kind="step-up",
            subject=_code_subject(words, policy.controller.name, code),
            heading=words("Confirm it is you"),
            before=(words("Type this code on the page where you asked for it:"),),
            code=_grouped(code),
            invitation=words("Or open this link in the same browser, and press the button there:"),
            button=words("Confirm"),
            link=link,
            after=(
                words("This works once, for {minutes} minutes.", minutes=minutes),
                words("Not you? Then somebody else is signed in to your account. Please reply to this message."),
                words("We never ask for this code by telephone or by mail."),
            ),
        ),
        words,
        policy,
    )


def request_received(
    words: Words, policy: Policy, *, reference: str, due_day: date, link: str, what: str = ""
) -> Message:
    """Acknowledge a request with the date of our answer. `what` is what they asked for, in their language."""
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
            after=(words("You are signed in, so no identity papers are needed."),),
        ),
        words,
        policy,
    )


def copy_ready(
    words: Words,
    policy: Policy,
    *,
    reference: str,
    size: str,
    until: datetime,
    link: str,
    missing: Sequence[str] = (),
) -> Message:
    """Say that the copy can be fetched. `size` is ready to read; `missing` holds titles of parts that are not in it."""
    return write(
        Letter(
            kind="copy-ready",
            subject=_copy_subject(words, until, reference),
            heading=words("Your copy is ready"),
            before=(
                words("For your safety it is not attached to this message."),
                *_missing(words, missing),
            ),
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


def _code_subject(words: Words, name: str, code: str) -> str:
    return words("{code} is your {name} code", code=_grouped(code), name=name)


def _copy_subject(words: Words, until: datetime, reference: str) -> str:
    day = format_date(until.astimezone(words.zone).date(), f"d'{NO_BREAK}'MMMM", locale=words.language)
    return words("Your copy is ready until {day} ({reference})", day=day, reference=reference)


def _grouped(code: str) -> str:
    """Six digits are read in two groups: 402913 becomes 402 913."""
    return f"{code[:3]} {code[3:]}" if len(code) == 6 else code


def _invitation(words: Words, code: str) -> str:
    if code:
        return words("Or use this link, and press the button there:")
    return words("Use this link, and press the button there:")


def _missing(words: Words, missing: Sequence[str]) -> tuple[str, ...]:
    if not missing:
        return ()
    parts = ", ".join(missing)
    return (
        words("Not in it yet, because a system did not answer: {parts}. We keep trying.", parts=parts),
        words("The page of your request shows how far we are."),
    )

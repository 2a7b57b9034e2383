"""Codes: to sign in, and to confirm one sensitive step, an address or a mailbox.

Always true here: a code works once and for minutes; whoever did not ask for it need do nothing to stay safe.
"""

from portal.mail.letter import Letter, Message, write
from portal.mail.wording import code_subject, grouped
from portal.policy.model import Policy
from portal.words import Words


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
            subject=code_subject(words, name, code) if code else words("Your link to sign in to {name}", name=name),
            heading=words("Sign in to {name}", name=name),
            before=(words("Type this code on the page where you asked for it:"),) if code else (),
            code=grouped(code),
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
            subject=code_subject(words, policy.controller.name, code),
            heading=words("Confirm it is you"),
            before=(words("Type this code on the page where you asked for it:"),),
            code=grouped(code),
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


def _invitation(words: Words, code: str) -> str:
    if code:
        return words("Or use this link, and press the button there:")
    return words("Use this link, and press the button there:")

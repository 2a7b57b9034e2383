"""What we say when the address to sign in with changes: a code to the new one, a warning to the old one.

Always true here: neither mail names the other address; the old address can stop the change. Source: S-02.
"""

from datetime import datetime

from portal.mail.letter import Letter, Message, write
from portal.mail.wording import code_subject, grouped
from portal.policy.model import Policy
from portal.words import Words


def address_code(words: Words, policy: Policy, *, code: str, minutes: int, link: str = "") -> Message:
    """Write to the new address: the code that proves that it can be read there."""
    return write(
        Letter(
            kind="address-code",
            subject=code_subject(words, policy.controller.name, code),
            heading=words("Confirm your new address"),
            before=(words("Type this code on the page where you asked for it:"),),
            code=grouped(code),
            invitation=words("Or open this link in the same browser, and press the button there:"),
            button=words("Confirm"),
            link=link,
            after=(
                words("This works once, for {minutes} minutes.", minutes=minutes),
                words("Not you? Ignore this message: nothing changes without the code."),
                words("We never ask for this code by telephone or by mail."),
            ),
        ),
        words,
        policy,
    )


def address_offered(words: Words, policy: Policy, *, code: str, until: datetime, link: str) -> Message:
    """Write to the new address of somebody who lost their mailbox: a link that opens the page, a code that proves."""
    return write(
        Letter(
            kind="address-offered",
            subject=code_subject(words, policy.controller.name, code),
            heading=words("Confirm your new address"),
            before=(
                words("You told us that you cannot read the mailbox of your account any more. We have looked at it."),
                words("Open the page below and type this code there:"),
            ),
            code=grouped(code),
            invitation=words("Opening this page changes nothing:"),
            button=words("Confirm"),
            link=link,
            after=(
                words("This works once, until {when}.", when=words.day_moment(until)),
                words("Not you? Ignore this message: nothing changes without the code."),
                words("For your safety, no copy of your data can be downloaded for 7 days."),
            ),
        ),
        words,
        policy,
    )


def address_changing(
    words: Words, policy: Policy, *, reference: str = "", until: datetime, link: str, lost: bool = False
) -> Message:
    """Warn the old address, which can cancel until `until` (72 hours); downloads wait for 7 days meanwhile.

    `lost`: they told us that they cannot read this mailbox any more.
    """
    return write(
        Letter(
            kind="address-changing",
            subject=words("A new address was asked for"),
            heading=words("A new address was asked for"),
            before=(
                words("Somebody told us that they cannot read this mailbox any more, and wants to use another address.")
                if lost
                else words("Somebody who is signed in to your account wants to use another e-mail address."),
                words("If this was you, there is nothing to do."),
            ),
            facts=(
                *(((words("Reference"), reference),) if reference else ()),
                (words("You can cancel until"), words.day_moment(until)),
            ),
            invitation=words("Not you? This page has a button to cancel. Opening it changes nothing:"),
            button=words("Keep my present address"),
            link=link,
            after=(
                words("For your safety, no copy of your data can be downloaded for 7 days."),
                words("If you cancel, please reply to this message as well: a person looks into it."),
            ),
        ),
        words,
        policy,
    )

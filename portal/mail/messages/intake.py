"""What we say to people who come without signing in, and to those somebody else speaks of.

Always true here: no mail says who acts, who reported or whether an account exists; opening a link decides nothing.
Source: S-01, S-04; design/ux.md, 5.
"""

from datetime import date, datetime

from portal.mail.letter import Letter, Message, write
from portal.mail.wording import code_subject, grouped
from portal.policy.model import Policy
from portal.words import Words


def mailbox_code(words: Words, policy: Policy, *, code: str, minutes: int, link: str = "") -> Message:
    """Write to somebody without an account: the code that proves the mailbox is theirs."""
    return write(
        Letter(
            kind="mailbox",
            subject=code_subject(words, policy.controller.name, code),
            heading=words("Confirm your mailbox"),
            before=(
                words("You wrote to us about your data. This code shows us that the mailbox is yours."),
                words("Type this code on the page where you asked for it:"),
            ),
            code=grouped(code),
            invitation=words("Or open this link in the same browser, and press the button there:"),
            button=words("Confirm"),
            link=link,
            after=(
                words("This works once, for {minutes} minutes.", minutes=minutes),
                words("Your request counts from the moment you sent it, not from the code."),
                words("Not you? Ignore this message: we do nothing without the code."),
            ),
        ),
        words,
        policy,
    )


def mandate(words: Words, policy: Policy, *, reference: str, until: datetime, link: str, code: str = "") -> Message:
    """Ask the person whether somebody may act for them: yes, no, or I do not know this. Three buttons on the page."""
    return write(
        Letter(
            kind="mandate",
            subject=words("Someone says they act for you"),
            heading=words("Someone says they act for you"),
            before=(
                words("Somebody has asked us for something about your data, in your name."),
                words("We do nothing before you have answered. Whatever comes of it goes to you."),
                *((words("Type this code on the page below:"),) if code else ()),
            ),
            code=grouped(code),
            facts=(
                (words("Reference"), reference),
                (words("Please answer by"), words.day_moment(until)),
            ),
            invitation=words("See who it is, and answer yes, no, or “I don’t know this”:"),
            button=words("Look and answer"),
            link=link,
            after=(words("Did you not expect this? Answer “I don’t know this”: a person then looks into it."),),
        ),
        words,
        policy,
    )


def child_report(
    words: Words, policy: Policy, *, reference: str, decide_by: date, link: str, code: str = ""
) -> Message:
    """Write to the address of an account that is said to be a child's; a child of ten can read it."""
    age = policy.children.minimum_age if policy.children else 16
    return write(
        Letter(
            kind="child-report",
            subject=words("About an account on {name}", name=policy.controller.name),
            heading=words("This account is paused"),
            before=(
                words("Somebody told us that this account belongs to a child. Nobody can use it for now."),
                words("Are you younger than {age}? You did nothing wrong.", age=age),
                words("Show this message to a grown-up you trust. They can answer for you."),
                words("Are you {age} or older? Tell us: a person looks, and then the account works again.", age=age),
                *((words("Type this code on the page below:"),) if code else ()),
            ),
            code=grouped(code),
            facts=((words("Reference"), reference), (words("We decide by"), words.day(decide_by))),
            invitation=words("Answer here. You do not need any papers:"),
            button=words("Answer"),
            link=link,
            after=(
                words("If it is a child’s account, we close it and erase what is in it."),
                words("Any question? Reply to this message. A person answers."),
            ),
        ),
        words,
        policy,
    )


def child_erasure_planned(
    words: Words, policy: Policy, *, reference: str, erase_at: datetime, can_stop: bool, link: str
) -> Message:
    """Write to the address of an account that is a child's: from when it is erased, and whether this can stop it."""
    return write(
        Letter(
            kind="child-erasure",
            subject=words("About an account on {name}", name=policy.controller.name),
            heading=words("This account will be erased"),
            before=(
                words("It was confirmed that this account belongs to a child. Nobody can use it any more."),
                words("Until the moment below you can stop it. Then a person looks, and the account stays paused.")
                if can_stop
                else words("A person of ours has looked at it. Until the moment below you can still take a copy."),
            ),
            facts=((words("Reference"), reference), (words("Erasure begins"), words.day_moment(erase_at))),
            invitation=words("This page has a button to stop it. Opening it changes nothing:")
            if can_stop
            else words("You can follow it here:"),
            button=words("Stop the erasure") if can_stop else words("Open the page"),
            link=link,
            after=(words("Any question? Reply to this message. A person answers."),),
        ),
        words,
        policy,
    )


def child_report_noted(words: Words, policy: Policy, *, reference: str, decide_by: date, link: str) -> Message:
    """Thank whoever reported a child's account, in the same words whether or not there is one. Source: S-04."""
    return write(
        Letter(
            kind="child-reporter",
            subject=words("About an account on {name}", name=policy.controller.name),
            heading=words("Thank you for telling us"),
            before=(
                words("If there is such an account, nobody can use it within the hour."),
                words("If you gave a name and no address, a person of ours finds the account first."),
                words("A person looks at your report and decides."),
                words("To protect the child we cannot tell you what we hold, nor whether there is an account."),
            ),
            facts=((words("Reference"), reference), (words("We decide by"), words.day(decide_by))),
            invitation=words("You can follow your report here:"),
            button=words("Follow my report"),
            link=link,
            after=(words("Are you the parent? Reply to this message and a person tells you what comes next."),),
        ),
        words,
        policy,
    )

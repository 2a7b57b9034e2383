"""What we say to staff when something waits for a second person, and what became of it.

Always true here: references and kinds only, nothing about the person.
"""

from datetime import date

from portal.mail.letter import Letter, Message, write
from portal.policy.model import Policy
from portal.words import Words


def approval_asked(
    words: Words, policy: Policy, *, what: str, reference: str, act_by: date | None, alone: bool, link: str
) -> Message:
    """Write to whoever may decide; where one person decides `alone`, to everybody and at once. Source: law S-17."""
    facts = [(words("What"), what)]
    facts += [(words("Reference"), reference)] if reference else []
    facts += [(words("Act by"), words.day(act_by))] if act_by else []
    subject = words("{reference}: a second person is needed", reference=reference) if reference else words(
        "A second person is needed"
    )  # fmt: skip
    said = (
        words("Nobody else could be asked, so the same person may decide, 24 hours after they asked.")
        if alone
        else words("A colleague asked for this. It happens only if somebody else agrees.")
    )
    return write(
        Letter(
            staff=True,
            kind="staff-approval-asked", subject=subject, heading=words("A second person is needed"), before=(said,),
            facts=tuple(facts), invitation=words("See exactly what was asked for:"), button=words("Look at it"),
            link=link, after=(words("Not expected? Look at it at once: it can still be stopped."),),
        ),
        words,
        policy,
    )  # fmt: skip


def approval_ended(words: Words, policy: Policy, *, what: str, reference: str, agreed: bool, link: str) -> Message:
    """Tell whoever asked what the second person said."""
    heading = words("A second person agreed") if agreed else words("A second person did not agree")
    subject = words("{reference}: {what}", reference=reference, what=heading) if reference else heading
    facts = [(words("What"), what)]
    return write(
        Letter(
            staff=True,
            kind="staff-approval-ended", subject=subject, heading=heading,
            before=(words("It is done.") if agreed else words("Nothing was done. Their reason is on the page."),),
            facts=tuple(facts), invitation=words("See the reason:"), button=words("Look at it"), link=link,
        ),
        words,
        policy,
    )  # fmt: skip

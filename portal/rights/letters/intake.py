"""Letters before the answer: we have it, we must be sure it is you, it takes longer, it would cost something.

Always true here: none of them stops the clock by itself; a fee is told before any work begins.
Source: GDPR Art. 12(1), 12(3), 12(5), 12(6).
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, ClassVar

from portal.mail.wording import asked_in_words
from portal.policy.model import Policy
from portal.rights.letters.blocks import (
    Answer,
    Case,
    Content,
    Letter,
    Line,
    NotComplete,
    Rule,
    asked,
    complaint_block,
    content,
    court_block,
)
from portal.rights.letters.reasons import cited, reason
from portal.words import Words


class Acknowledgement(Letter, frozen=True, kw_only=True):
    """We have it."""

    kind: ClassVar[str] = "acknowledgement"
    types: Annotated[Content, Rule("2f")]
    received_at: Annotated[datetime, Rule("2f")]
    due_day: Annotated[date, Rule("Art. 12(3)")]
    channel: Annotated[str, Rule("2f")]
    next_step: Annotated[Content, Rule("2a")]


class IdentityQuestion(Letter, frozen=True, kw_only=True):
    """We must be sure it is you."""

    kind: ClassVar[str] = "identity"
    doubt: Annotated[Content, Rule("Art. 12(6)")]
    asked_for: Annotated[Content, Rule("Art. 12(6), 5(1)(c)")]
    alternatives: Annotated[Content, Rule("2f")]
    effect: Annotated[Content, Rule("Art. 12(3)")]
    due_day: Annotated[date, Rule("Art. 12(3)")]
    destruction: Annotated[Content, Rule("Art. 5(1)(e)")]


class Extension(Answer, frozen=True, kw_only=True):
    """It takes longer."""

    kind: ClassVar[str] = "extension"
    reason: Annotated[Content, Rule("Art. 12(3)")]
    here: Annotated[Content, Rule("Art. 12(3)")]
    new_day: Annotated[date, Rule("Art. 12(3)")]
    old_day: Annotated[date, Rule("2f")]


class Fee(Answer, frozen=True, kw_only=True):
    """It would cost something."""

    kind: ClassVar[str] = "fee"
    reason: Annotated[Content, Rule("Art. 12(5)")]
    here: Annotated[Content, Rule("Art. 12(5)")]
    amount: Annotated[str, Rule("Art. 12(5)(a)")]
    costs: Annotated[Content, Rule("Art. 12(5)(a)")]
    withdraw: Annotated[Content, Rule("2a")]
    before: Annotated[Content, Rule("2f")]


def acknowledgement(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    received_at: datetime,
    channel: str,
    rights: Sequence[str] = (),
    next_step: Sequence[str] = (),
) -> Acknowledgement:
    """Say what we understood, when it came and by when we answer. `channel` is one of `SubjectRequest.channel`.

    `rights` names all that were asked for in one go; by default the case's own.
    """
    usual = words("We work on it now. If we need anything from you, we ask. You need not do anything.")
    return Acknowledgement(
        reference=case.reference,
        written_on=case.written_on,
        types=content([asked_in_words(words, right) for right in rights or (case.right,)]),
        received_at=received_at,
        due_day=case.due_day,
        channel=channel_in_words(words, channel),
        next_step=content(next_step or (usual,)),
        contact=policy.controller.contact,
    )


def identity_question(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    doubt: Sequence[str],
    asked_for: Sequence[str],
    moves_the_date: bool = False,
    delete_by: date | None = None,
) -> IdentityQuestion:
    """Ask for the least that removes a reasonable doubt, with other ways to show the same.

    `moves_the_date` is True only under a pause profile (D12). `delete_by` is the last day on which proof is kept.
    """
    other = words("If you can sign in to your account, that is enough. So is a reply from the address we know.")
    no_papers = words("We do not ask for an identity card. If you have something better than what we ask, tell us.")
    return IdentityQuestion(
        reference=case.reference,
        written_on=case.written_on,
        doubt=content(doubt),
        asked_for=content(asked_for),
        alternatives=(other, no_papers),
        effect=(_effect(words, moves=moves_the_date),),
        due_day=case.due_day,
        destruction=_destruction(words, delete_by),
        contact=policy.controller.contact,
    )


def extension(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    reason_id: str,
    here: Sequence[str],
    new_day: date,
    last_day: date,
) -> Extension:
    """Give the new date, one of the two lawful reasons and why it applies here. `case.due_day` is the date so far.

    `last_day` is the law's day for the answer: the letter cannot be written after it. Source: D9.

    Raises:
        NotComplete: when it comes too late, or gives no later date.
        ValueError: when `reason_id` is no reason for more time.
    """
    found = reason(reason_id)
    if found.use != "extend":
        raise ValueError(f"{reason_id} is no reason to extend (Art. 12(3))")
    if case.written_on > last_day:
        raise NotComplete(Extension.kind, "written_on", "Art. 12(3)", "lies after the last day for it")
    if new_day <= case.due_day:
        raise NotComplete(Extension.kind, "new_day", "Art. 12(3)", "is no later than the date so far")
    return Extension(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        reason=(Line(cited(words, found.article), found.plain[words.language]),),
        here=content(here),
        new_day=new_day,
        old_day=case.due_day,
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def fee(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    reason_id: str,
    here: Sequence[str],
    amount: str,
    costs: Sequence[str],
    answer_by: date,
) -> Fee:
    """Announce a fee before any work. `amount` is ready to read, `costs` says what work it pays for.

    Raises:
        ValueError: when `reason_id` is not unfounded or excessive.
    """
    found = reason(reason_id)
    if found.article != "12(5)":
        raise ValueError(f"{reason_id} is no reason for a fee (Art. 12(5))")
    return Fee(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        reason=(
            Line(
                cited(words, found.article),
                words("Instead of refusing such a request, we may ask for a fee. We must prove that it is such a one."),
            ),
        ),
        here=content(here),
        amount=amount,
        costs=content(costs),
        withdraw=(
            words("You can withdraw your request, wholly or in part. Then it costs nothing."),
            words("Please tell us what you want by {day}.", day=words.day(answer_by)),
        ),
        before=(words("No work that costs anything has begun. It begins when you agree."),),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def channel_in_words(words: Words, channel: str) -> str:
    """Say how a request came. Raises: KeyError."""
    return {
        "portal": words("on this portal, signed in"),
        "mailbox": words("on this portal, from a mailbox you confirmed"),
        "agent": words("through somebody who acts for you"),
        "report": words("as a report on this portal"),
        "letter": words("by letter"),
        "phone": words("by telephone"),
        "email": words("by e-mail"),
        "counter": words("in person"),
    }[channel]


def _effect(words: Words, *, moves: bool) -> str:
    if moves:
        return words("The days we wait for you are added to the date. Without your reply we cannot begin.")
    return words("The date does not move because we ask. You will have an answer either way.")


def _destruction(words: Words, delete_by: date | None) -> Content:
    used = words("We use what you send for this check only. We delete it as soon as we have decided.")
    if delete_by is None:
        return (used, words("We note only how and when we checked, never the document."))
    last = words("It is gone by {day} at the latest, whatever happens.", day=words.day(delete_by))
    return (used, last, words("We note only how and when we checked, never the document."))

"""Letters on pausing, on saying no to a use, and on taking a consent back.

Always true here: the end of a pause is told before it comes; what has stopped is said with its moment.
Source: GDPR Art. 7(3), 18, 21.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, ClassVar

from portal.policy.model import Policy, Purpose
from portal.rights.grounds import basis_in_words
from portal.rights.letters.blocks import (
    Answer,
    Case,
    Content,
    Line,
    NotComplete,
    Rule,
    asked,
    complaint_block,
    content,
    court_block,
    late,
)
from portal.rights.letters.reasons import cited, reason
from portal.words import Words


class RestrictionAnswer(Answer, frozen=True, kw_only=True):
    """It is paused."""

    kind: ClassVar[str] = "restriction"
    data: Annotated[Content, Rule("Art. 18(1)")]
    ground: Annotated[Content, Rule("Art. 18(1)")]
    stopped: Annotated[Content, Rule("Art. 18(2)")]
    goes_on: Annotated[Content, Rule("Art. 18(2)")]
    until: Annotated[Content, Rule("Art. 18(3)")]


class LiftingNotice(Answer, frozen=True, kw_only=True):
    """The pause will end."""

    kind: ClassVar[str] = "lifting"
    data: Annotated[Content, Rule("Art. 18(3)")]
    ending: Annotated[Content, Rule("Art. 18(3)")]
    lifts_on: Annotated[date, Rule("Art. 18(3)")]
    afterwards: Annotated[Content, Rule("Art. 18(3)")]
    disagree: Annotated[Content, Rule("Art. 12(2)")]


class ObjectionStopped(Answer, frozen=True, kw_only=True):
    """The use has stopped."""

    kind: ClassVar[str] = "objection-stopped"
    use: Annotated[Content, Rule("Art. 21(1), 21(3)")]
    stopped_at: Annotated[datetime, Rule("Art. 21(1), 21(3)")]
    effect: Annotated[Content, Rule("2f")]


class ObjectionWeighed(Answer, frozen=True, kw_only=True):
    """We have weighed your reasons and ours, and the use goes on."""

    kind: ClassVar[str] = "objection-weighed"
    use: Annotated[Content, Rule("Art. 21(1)")]
    your_side: Annotated[Content, Rule("Art. 21(1)")]
    our_side: Annotated[Content, Rule("Art. 21(1)")]
    article: Annotated[Content, Rule("Art. 12(4)")]
    balance: Annotated[Content, Rule("Art. 21(1)")]
    result: Annotated[Content, Rule("Art. 12(4)")]
    disagree: Annotated[Content, Rule("Art. 12(2)")]


class ConsentWithdrawn(Answer, frozen=True, kw_only=True):
    """Your consent is taken back."""

    kind: ClassVar[str] = "consent"
    use: Annotated[Content, Rule("Art. 7(3)")]
    stopped_at: Annotated[datetime, Rule("Art. 7(3)")]
    effect: Annotated[Content, Rule("Art. 7(3)")]


def restriction(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    categories: Sequence[str],
    reason_id: str,
    stopped: Sequence[str | Line],
    by_hand: Sequence[str] = (),
) -> RestrictionAnswer:
    """Say which categories (ids) are out of use and why.

    `reason_id` is accuracy, unlawful, claims or objection; `stopped` says how it was stopped, system by system;
    `by_hand` are the titles of systems that a person still has to stop.
    """
    found = reason(f"pause-{reason_id}")
    hand = tuple(Line(place, words("a person is stopping it by hand; not done yet")) for place in by_hand)
    return RestrictionAnswer(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        data=_data(words, policy, categories),
        ground=(Line(cited(words, found.article), found.plain[words.language]),),
        stopped=content((*stopped, *hand)),
        goes_on=(
            words("We keep the data, and give it to you when you ask."),
            words("We use it only with your consent, for a legal claim, or to protect somebody else’s rights."),
        ),
        until=(words("We write to you before the pause ends. Until then it stays."),),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def lifting_notice(
    words: Words, policy: Policy, case: Case, *, categories: Sequence[str], reason_id: str, lifts_on: date
) -> LiftingNotice:
    """Say, before it happens, when and why the pause ends. `reason_id` is one of `reasons.LIFT`.

    Raises:
        NotComplete: when the day is not after the day of the letter.
        ValueError: when `reason_id` is no reason to end a pause.
    """
    found = reason(reason_id)
    if found.use != "lift":
        raise ValueError(f"{reason_id} is no reason to end a pause (Art. 18(3))")
    if lifts_on <= case.written_on:
        raise NotComplete(LiftingNotice.kind, "lifts_on", "Art. 18(3)", "does not lie after the letter")
    return LiftingNotice(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        data=_data(words, policy, categories),
        ending=(found.plain[words.language],),
        lifts_on=lifts_on,
        afterwards=(words("From that day on we use the data again as before."),),
        disagree=(words("Tell us before that day, on the page of your request or by replying to us."),),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def objection_stopped(
    words: Words, policy: Policy, case: Case, *, purpose: str, stopped_at: datetime, marketing: bool = False
) -> ObjectionStopped:
    """Confirm that a use (a purpose's id) has stopped for good; for marketing nothing is weighed."""
    for_good = words("We do not use your data for this any more. You need not do anything to keep it so.")
    no_reason = words("You need no reason to say no to advertising, and there is nothing for us to weigh.")
    return ObjectionStopped(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        use=_use(words, policy.purpose(purpose)),
        stopped_at=stopped_at,
        effect=(no_reason, for_good) if marketing else (for_good,),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def objection_weighed(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    purpose: str,
    your_side: Sequence[str],
    our_side: Sequence[str],
    balance: Sequence[str],
    reason_id: str = "compelling",
    resumes_on: date,
) -> ObjectionWeighed:
    """Say why a use (a purpose's id) goes on after all: both sides, how they were weighed, and from when.

    Raises:
        ValueError: when `reason_id` cannot refuse an objection.
        NotComplete: when the use would go on before the person hears of it. Source: GDPR Art. 18(3).
    """
    found = reason(reason_id)
    if "objection" not in found.rights:
        raise ValueError(f"{reason_id} cannot refuse an objection (Art. {found.article})")
    if resumes_on <= case.written_on:
        raise NotComplete(ObjectionWeighed.kind, "result", "Art. 18(3)", "lets the use go on before the letter")
    return ObjectionWeighed(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        use=_use(words, policy.purpose(purpose)),
        your_side=content(your_side),
        our_side=content(our_side),
        article=(Line(cited(words, found.article), found.plain[words.language]),),
        balance=content(balance),
        result=(
            words(
                "Our grounds weigh more. The use has stood still until now; it goes on from {day}.",
                day=words.day(resumes_on),
            ),
        ),
        disagree=(words("Tell us before that day, on the page of your request or by replying to us."),),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def consent_withdrawn(
    words: Words, policy: Policy, case: Case, *, purpose: str, stopped_at: datetime
) -> ConsentWithdrawn:
    """Confirm that a consent is taken back, and since when the use has stopped."""
    return ConsentWithdrawn(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        use=_use(words, policy.purpose(purpose)),
        stopped_at=stopped_at,
        effect=(
            words("We do not use your data for this any more. You need not do anything to keep it so."),
            words("What we did before, with your consent, stays lawful. You may ask us to erase the data as well."),
        ),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def _data(words: Words, policy: Policy, categories: Sequence[str]) -> Content:
    found = [policy.category(id) for id in categories]
    return tuple(Line(category.title[words.language], category.explanation[words.language]) for category in found)


def _use(words: Words, purpose: Purpose) -> Content:
    use = words("{use} ({basis})", use=purpose.title[words.language], basis=basis_in_words(words, purpose.basis))
    return (Line(use, purpose.interest[words.language]),) if purpose.interest else (use,)

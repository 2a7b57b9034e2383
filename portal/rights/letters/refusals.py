"""Letters that say no: wholly, in part, because nothing is held, or because we cannot tell who somebody is.

Always true here: a refusal says the facts, the article and why it applies to this person. Source: GDPR Art. 11, 12(4).
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from portal.policy.model import Policy
from portal.rights.letters.blocks import (
    Answer,
    Case,
    Content,
    Line,
    Rule,
    asked,
    complaint_block,
    content,
    court_block,
    late,
)
from portal.rights.letters.copies import scope
from portal.rights.letters.reasons import cited, reason
from portal.words import Words


class Refusal(Answer, frozen=True, kw_only=True):
    """We will not do it."""

    kind: ClassVar[str] = "refusal"
    facts: Annotated[Content, Rule("Art. 12(4)")]
    article: Annotated[Content, Rule("Art. 12(4)")]
    why: Annotated[Content, Rule("Art. 12(4)")]
    disagree: Annotated[Content, Rule("Art. 12(2)")]


class PartialRefusal(Answer, frozen=True, kw_only=True):
    """We have done a part of it, and will not do the rest."""

    kind: ClassVar[str] = "partial-refusal"
    done: Annotated[Content, Rule("Art. 12(3)")]
    not_done: Annotated[Content, Rule("Art. 12(4)")]
    facts: Annotated[Content, Rule("Art. 12(4)")]
    article: Annotated[Content, Rule("Art. 12(4)")]
    why: Annotated[Content, Rule("Art. 12(4)")]
    disagree: Annotated[Content, Rule("Art. 12(2)")]


class NoData(Answer, frozen=True, kw_only=True):
    """We hold nothing."""

    kind: ClassVar[str] = "no-data"
    found: Annotated[Content, Rule("Art. 15(1)")]
    scope: Annotated[Content, Rule("2f")]
    searched_with: Annotated[Content, Rule("2f")]


class Unidentified(Answer, frozen=True, kw_only=True):
    """We cannot tell who it is."""

    kind: ClassVar[str] = "unidentified"
    facts: Annotated[Content, Rule("Art. 11(2)")]
    article: Annotated[Content, Rule("Art. 11(2), 12(2)")]
    would_help: Annotated[Content, Rule("Art. 11(2)")]


def refusal(
    words: Words, policy: Policy, case: Case, *, reasons: Sequence[str], facts: Sequence[str], why: Sequence[str]
) -> Refusal:
    """Refuse on `reasons` (ids of `reasons.REFUSE`). `facts` is what we looked at; `why` why it applies to them.

    Raises:
        ValueError: when a ground cannot refuse this right.
    """
    return Refusal(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        facts=content(facts),
        article=_articles(words, case, reasons),
        why=content(why),
        disagree=_disagree(words),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def partial_refusal(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    done: Sequence[str | Line],
    not_done: Sequence[str | Line],
    reasons: Sequence[str],
    facts: Sequence[str],
    why: Sequence[str],
) -> PartialRefusal:
    """Say what was done and what was not; the rest is as in `refusal`.

    Raises:
        ValueError: when a ground cannot refuse this right.
    """
    return PartialRefusal(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        done=content(done),
        not_done=content(not_done),
        facts=content(facts),
        article=_articles(words, case, reasons),
        why=content(why),
        disagree=_disagree(words),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def no_data(words: Words, policy: Policy, case: Case, *, places: Sequence[str], searched_with: Sequence[str]) -> NoData:
    """Say that nothing is held: `places` are the titles of the systems searched, with what we searched there."""
    return NoData(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        found=(words("We looked everywhere and found nothing about you. That is our full answer."),),
        scope=scope(words, policy, places),
        searched_with=content(searched_with),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )  # fmt: skip


def unidentified(
    words: Words, policy: Policy, case: Case, *, facts: Sequence[str], would_help: Sequence[str]
) -> Unidentified:
    """Say that we cannot tell whose data it is, and what would change that. Proof that comes later is a new request."""
    found = reason("unidentified")
    again = words("Send it whenever you can. It is then a new request, with a new date.")
    return Unidentified(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        facts=content(facts),
        article=(
            Line(cited(words, found.article), found.plain[words.language]),
            Line(cited(words, "12(2)"), words("We may refuse only when we are unable to tell who you are.")),
        ),
        would_help=content((*would_help, again) if would_help else ()),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def _articles(words: Words, case: Case, ids: Sequence[str]) -> Content:
    found = [reason(id) for id in ids]
    for one in found:
        if case.right not in one.rights:
            raise ValueError(f"{one.id} cannot refuse {case.right} (Art. {one.article})")
    return tuple(Line(cited(words, one.article), one.plain[words.language]) for one in found)


def _disagree(words: Words) -> Content:
    return (words("Tell us on the page of your request, or reply to us. A person looks at it again."),)

"""Letters that answer a complaint, a question, and the question whether a program decides about people.

Always true here: the answer on automated decisions is the policy's own, with its day and with who stands for it.
Source: GDPR Art. 12(4), 15(1)(h), 22; law/rules.md, CG-20, CG-36.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar

from portal.policy.model import Policy
from portal.rights.letters.blocks import (
    Answer,
    Case,
    Content,
    Rule,
    asked,
    complaint_block,
    content,
    court_block,
    late,
)
from portal.words import Words


class ComplaintAnswer(Answer, frozen=True, kw_only=True):
    """What became of a complaint to us."""

    kind: ClassVar[str] = "complaint"
    looked: Annotated[Content, Rule("ux 5")]
    findings: Annotated[Content, Rule("Art. 12(4)")]
    result: Annotated[Content, Rule("Art. 12(4)")]


class AutomatedAnswer(Answer, frozen=True, kw_only=True):
    """Whether a program alone decides about people."""

    kind: ClassVar[str] = "automated"
    decisions: Annotated[Content, Rule("Art. 15(1)(h), 22(1)")]
    as_of: Annotated[date, Rule("CG-20")]
    owner: Annotated[str, Rule("CG-20")]
    human: Annotated[Content, Rule("Art. 22(3)")]


class InquiryAnswer(Answer, frozen=True, kw_only=True):
    """What we say to a plain question."""

    kind: ClassVar[str] = "inquiry"
    question: Annotated[Content, Rule("CG-36")]
    answer: Annotated[Content, Rule("Art. 12(1)")]


def complaint_answer(
    words: Words,
    policy: Policy,
    case: Case,
    *,
    findings: Sequence[str],
    result: Sequence[str],
    same_person: bool,
) -> ComplaintAnswer:
    """Answer a complaint. `same_person` tells that whoever decided first had to look again, and the letter says so."""
    other = words("Somebody looked at it who had not decided the first time.")
    same = words("The same person as before had to look at it: nobody else here can. You may prefer the authority.")
    return ComplaintAnswer(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        looked=(same if same_person else other,),
        findings=content(findings),
        result=content(result),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def automated_answer(
    words: Words, policy: Policy, case: Case, *, human: Sequence[str] = (), as_of: date | None = None
) -> AutomatedAnswer:
    """Answer truthfully what the policy says on automated decisions. `human` is what a person of ours found here."""
    usual = words("You can ask for a person to look at anything that a program did with your data. Reply to us.")
    return AutomatedAnswer(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        decisions=(policy.automated_decisions[words.language],),
        as_of=as_of or policy.version,
        owner=policy.controller.legal_name or policy.controller.name,
        human=content(human or (usual,)),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )


def inquiry_answer(
    words: Words, policy: Policy, case: Case, *, question: Sequence[str], answer: Sequence[str]
) -> InquiryAnswer:
    """Answer a plain question; it runs on the same clock as a right."""
    return InquiryAnswer(
        reference=case.reference,
        written_on=case.written_on,
        asked=asked(words, case),
        late=late(words, case),
        question=content(question),
        answer=content(answer),
        complaint=complaint_block(words, policy, case),
        court=court_block(words, policy, case),
        contact=policy.controller.contact,
    )

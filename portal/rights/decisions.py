"""Decide as staff: refuse, answer, have it done, or say that we cannot tell who it is.

Always true here: a decision is one letter without an empty block, one outcome with its receipt and one mail, in one
transaction; who decides second changes nothing; a ground that blames the request itself takes two people, or a day
where there is only one. Source: GDPR Art. 11, 12(3) to 12(5); law/rules.md, 2a, 2f, S-17.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from portal.database import engine
from portal.errors import Invalid, Refused
from portal.jobs import enqueue
from portal.mail.letter import Message
from portal.mail.messages import partly_answered, refused
from portal.policy.model import Policy
from portal.rights import letters
from portal.rights.approvals import use
from portal.rights.four_eyes import Consent, NeedsSecond, Verb, erasure_takes_two, takes_two
from portal.rights.intake_settle import BEGIN
from portal.rights.letters import Letter
from portal.rights.letters.reasons import noted, reason, reasons_for
from portal.rights.lifecycle import NotPossible, Outcome
from portal.rights.messages import messages_of
from portal.rights.plans import plan_of
from portal.rights.replies import decided, link_to, reply, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import Restriction, SubjectRequest
from portal.rights.tables_uses import StoppedUse
from portal.settings import Settings
from portal.words import Words

BY_ITSELF = frozenset({"access", "portability", "erasure"})
"""What the worker does once it is decided."""
BY_LETTER = frozenset({"inquiry", "complaint", "consent"})
"""What is answered in words."""


class OtherWay(Refused):
    """Something is in place for this request, which ends with a notice of its own."""

    status = 409
    sentence = "Something is in place for this request. Decide it with the form that says when it ends."


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is refused: ids of `letters.reasons`, what we looked at, and why it applies to this person."""

    reasons: tuple[str, ...]
    facts: tuple[str, ...]
    why: tuple[str, ...]


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What was done and what was not, by titles."""

    done: tuple[str, ...]
    not_done: tuple[str, ...]


def grounds_for(right: str) -> list[str]:
    """Return the grounds on which staff may refuse a right. Doubt about identity has an answer of its own."""
    return [one.id for one in reasons_for(right) if one.id != "unidentified"]


def refusal_letter(request: RequestView, grounds: Grounds, policy: Policy, *, at: datetime) -> Letter:
    """Return the letter that a refusal would send, for a preview too.

    Raises:
        Invalid: no ground, or one that cannot refuse this right, or only a part of it.
    """
    _check_grounds(request, grounds)
    if all(reason(id).part_only for id in grounds.reasons):
        raise Invalid("This ground leaves out a part and never refuses all of it. Answer in part.", field="reasons")
    return letters.refusal(
        words_for(request, policy), policy, letters.case_of(request, policy, at=at), reasons=grounds.reasons,
        facts=grounds.facts, why=grounds.why,
    )  # fmt: skip


async def refuse(
    request: RequestView,
    grounds: Grounds,
    *,
    consent: Consent | None = None,
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> None:
    """Refuse with reasons. `consent` is a second person's, where the ground takes one.

    Raises:
        Invalid: no ground, or one that cannot refuse this right.
        NeedsSecond: the ground takes a second person. See `approvals.ask`.
        NotComplete: a block of the letter is empty.
        NotPossible: it was decided already.
        OtherWay: a pause, a stopped use or a planned erasure is in place for it.
    """
    letter = refusal_letter(request, grounds, policy, at=at)
    async with engine().transaction():
        held = await hold(request.id)
        await _need_nothing_in_place(held.id)
        if takes_two(grounds.reasons):
            await use(consent, Verb.REFUSE, held, at=at, actor=actor)
        mail = refused(
            words_for(held, policy), policy, reference=held.reference, reasons=_plain(grounds, held),
            link=link_to(held, settings),
        )  # fmt: skip
        await reply(
            held, letter, "refused", event="refused", policy=policy, settings=settings, at=at, actor=actor, mail=mail,
            details=noted(grounds.reasons),
        )  # fmt: skip


def partial_letter(request: RequestView, grounds: Grounds, parts: Parts, policy: Policy, *, at: datetime) -> Letter:
    """Return the letter of a refusal in part, for a preview too.

    Raises:
        Invalid: no ground, or one that cannot refuse this right.
        NeedsSecond: a ground that takes two people refuses all or nothing.
    """
    _check_grounds(request, grounds)
    if takes_two(grounds.reasons):
        raise NeedsSecond
    return letters.partial_refusal(
        words_for(request, policy), policy, letters.case_of(request, policy, at=at), done=parts.done,
        not_done=parts.not_done, reasons=grounds.reasons, facts=grounds.facts, why=grounds.why,
    )  # fmt: skip


async def refuse_partly(
    request: RequestView,
    grounds: Grounds,
    parts: Parts,
    *,
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> None:
    """Say what was done, and refuse the rest with reasons. No ground that takes two people. Raises: as `refuse`."""
    letter, words = partial_letter(request, grounds, parts, policy, at=at), words_for(request, policy)
    async with engine().transaction():
        held = await hold(request.id)
        await _need_nothing_in_place(held.id)
        mail = partly_answered(
            words, policy, reference=held.reference, done=parts.done, not_done=parts.not_done,
            reasons=_plain(grounds, held), link=link_to(held, settings),
        )  # fmt: skip
        await reply(
            held, letter, "partly", event="partly", policy=policy, settings=settings, at=at, actor=actor, mail=mail,
            details=noted(grounds.reasons),
        )  # fmt: skip


async def answer_with(
    request: RequestView,
    letter: Letter,
    outcome: Outcome,
    *,
    event: str = "answered",
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
    mail: Message | None = None,
) -> None:
    """Answer with a letter, and end the request with it.

    Raises:
        NotComplete: a block of the letter is empty.
        NotPossible: it was decided already, or cannot end so from where it is.
    """
    async with engine().transaction():
        held = await hold(request.id)
        await reply(
            held, letter, outcome, event=event, policy=policy, settings=settings, at=at, actor=actor, mail=mail
        )  # fmt: skip


async def answer_letter(
    request: RequestView,
    answer: Sequence[str],
    policy: Policy,
    *,
    findings: Sequence[str] = (),
    same_person: bool = False,
    at: datetime,
) -> Letter:
    """Return the letter that answers a question or a complaint in words, for a preview too.

    A complaint has `findings` besides, and says whether the `same_person` decided before.
    """
    words, case = words_for(request, policy), letters.case_of(request, policy, at=at)
    if request.right == "complaint":
        return letters.complaint_answer(
            words, policy, case, findings=findings, result=answer, same_person=same_person
        )  # fmt: skip
    asked = await _own_words(request.id, words)
    return letters.inquiry_answer(words, policy, case, question=asked, answer=answer)


async def have_it_done(
    request: RequestView,
    *,
    categories: Sequence[str] = (),
    consent: Consent | None = None,
    at: datetime,
    actor: str,
) -> None:
    """Have the worker begin what a proven person asked for: a copy, or an erasure with its three days.

    `categories` are what goes, where the request itself names none; `consent` is a second person's.

    Raises:
        Invalid: an erasure of nothing.
        NeedsSecond: an erasure that the person never confirmed themself. See `approvals.ask`.
        NotPossible: it is not waiting for a decision.
    """
    async with engine().transaction():
        held = await hold(request.id)
        if held.state != "deciding" or held.subject is None or held.right not in BY_ITSELF:
            raise NotPossible
        if await erasure_takes_two(held):
            await use(consent, Verb.BEGIN, held, at=at, actor=actor)
        if held.right == "erasure" and not held.categories:
            await _name_what_goes(held.id, categories)
        await decided(held, at=at, actor=actor)
        await enqueue(BEGIN, {"request": str(held.id)}, key=f"begin:{held.id}")


async def _name_what_goes(id: UUID, categories: Sequence[str]) -> None:
    if not categories:
        raise Invalid("Tick what is to be erased.", field="categories")
    await SubjectRequest.update({SubjectRequest.categories: list(categories)}).where(SubjectRequest.id == id)


async def hold(id: UUID) -> RequestView:
    """Return a request that nobody else decides before we commit. Raises: NotPossible, when it has ended."""
    await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", id)
    request = await find_by_id(id)
    if not request.is_open:
        raise NotPossible
    return request


async def _need_nothing_in_place(id: UUID) -> None:
    paused = await Restriction.exists().where((Restriction.request == id) & Restriction.lifted_at.is_null())
    stopped = await StoppedUse.exists().where((StoppedUse.request == id) & StoppedUse.ended_at.is_null())
    if paused or stopped or await plan_of(id, "erase") is not None:
        raise OtherWay


def _check_grounds(request: RequestView, grounds: Grounds) -> None:
    if not grounds.reasons:
        raise Invalid("Choose a ground.", field="reasons")
    if not set(grounds.reasons) <= set(grounds_for(request.right)):
        raise Invalid("This ground cannot refuse this right. Choose another.", field="reasons")


def _plain(grounds: Grounds, request: RequestView) -> list[str]:
    return [reason(id).plain[request.language] for id in grounds.reasons]


async def _own_words(id: UUID, words: Words) -> tuple[str, ...]:
    """Return what the person wrote first; where it came without words, that it was asked."""
    first = next((one.text for one in await messages_of(id) if one.author != "staff"), "")
    return tuple(part for part in first.split("\n") if part.strip()) or (words("It came without words of your own."),)

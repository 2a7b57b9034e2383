"""What staff do about a correction that needs a decision: see it, accept it, refuse it with reasons.

Always true here: what is accepted is written by the same plan as any correction, and answered when it stands
everywhere; a refusal says the facts, the article and why. Source: GDPR Art. 12(3)-(4), 16.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from portal.database import engine
from portal.mail.messages import refused
from portal.policy.model import Policy
from portal.rights import corrections
from portal.rights.correction_answers import note_letter
from portal.rights.corrections import CorrectionView, Values
from portal.rights.fields import places_of
from portal.rights.letters import case_of, refusal
from portal.rights.letters.reasons import noted, reason
from portal.rights.lifecycle import NotPossible, move
from portal.rights.rectification import lay_plan
from portal.rights.replies import decided, link_to, reply, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.settings import Settings


async def look(request_id: UUID, settings: Settings) -> tuple[CorrectionView, Values | None]:
    """Return what is to be decided, with both values, for the page of whoever decides. Looking is evidence elsewhere.

    Raises:
        NotPossible: the request is about no correction.
    """
    correction = await corrections.of_request(request_id)
    if correction is None:
        raise NotPossible
    return correction, await corrections.values_of(correction, settings)


async def accept(
    request_id: UUID, *, record: str = "", policy: Policy, settings: Settings, at: datetime, actor: str
) -> None:
    """Have a correction carried out, in one record when `record` (its key) names it. A note is answered at once.

    The person is answered when every place holds the value. Where several records could be meant and none is named,
    and where a place has no means, a person of ours does it there.

    Raises:
        NotPossible: it was decided already.
    """
    async with engine().transaction():
        request, correction = await _waiting(request_id)
        if not correction.field:
            letter = note_letter(words_for(request, policy), policy, request, at=at)
            await corrections.end(correction, "done", at=at, actor=actor)
            await reply(
                request, letter, "fulfilled", event="correction-accepted", policy=policy, settings=settings, at=at,
                actor=actor,
            )  # fmt: skip
            return
        if record:
            await _name_record(request, correction, record, settings, at)
        await move(
            request.id, request.reference, "working", event="correction-accepted", at=at, actor=actor,
            start=["deciding"],
        )  # fmt: skip
        await decided(request, at=at, actor=actor)
        places = tuple(
            (source, correction.category) for source in places_of(policy, correction.category, correction.field)
        )
        await lay_plan(request, correction, places, policy, at=at, actor=actor)


async def refuse(
    request_id: UUID,
    *,
    reasons: Sequence[str],
    facts: Sequence[str],
    why: Sequence[str],
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> None:
    """Refuse with the letter that the law wants. `reasons` are ids of grounds that can refuse a correction.

    Raises:
        NotPossible: it was decided already.
        NotComplete: `facts` or `why` say nothing.
        ValueError: a ground cannot refuse a correction.
    """
    async with engine().transaction():
        request, correction = await _waiting(request_id)
        words = words_for(request, policy)
        letter = refusal(
            words, policy, case_of(request, policy, at=at), reasons=reasons, facts=facts, why=why
        )  # fmt: skip
        await corrections.end(correction, "refused", at=at, actor=actor)
        await reply(
            request, letter, "refused", event="correction-refused", policy=policy, settings=settings, at=at,
            actor=actor, details=noted(reasons),
            mail=refused(
                words, policy, reference=request.reference, link=link_to(request, settings),
                reasons=[reason(id).plain[request.language] for id in reasons],
            ),
        )  # fmt: skip


async def _waiting(request_id: UUID) -> tuple[RequestView, CorrectionView]:
    """Return a request with what it asks, which nobody else decides before we commit. Raises: NotPossible."""
    request = await find_by_id(request_id)
    await corrections.lock(request.owner)
    correction = await corrections.of_request(request_id)
    request = await find_by_id(request_id)
    if correction is None or request.state != "deciding" or correction.state not in {"deciding", "unfit"}:
        raise NotPossible
    return request, correction


async def _name_record(
    request: RequestView, correction: CorrectionView, record: str, settings: Settings, at: datetime
) -> None:  # fmt: skip
    values = await corrections.values_of(correction, settings)
    if values is None:
        raise NotPossible
    await corrections.seal_again(
        request, correction, Values(old=values.old, new=values.new, record=record), settings, at=at
    )  # fmt: skip

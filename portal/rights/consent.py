"""Take a consent back, and give it again: one button each, at once, with proof of when.

Always true here: taking it back asks for nothing more than giving it; what was done before stays lawful and what comes
after stands still. Source: GDPR Art. 7(1), 7(3).
"""

from datetime import datetime
from uuid import UUID

from portal.database import engine
from portal.policy.model import Basis, Policy, Purpose
from portal.rights import stopped_uses
from portal.rights.intake import Asked, take_in
from portal.rights.letters import case_of, consent_withdrawn
from portal.rights.objection import Use
from portal.rights.person import address_of
from portal.rights.replies import reply, words_for
from portal.rights.stopped_uses import Stopped, stopped
from portal.rights.timeline import record
from portal.settings import Settings


def consents(policy: Policy, now_stopped: list[Stopped]) -> list[Use]:
    """Return every use that rests on consent, and how it stands for this person."""
    by_purpose = {one.purpose: one for one in now_stopped}
    return [
        Use(purpose=one, answer="withdraw", stopped=by_purpose.get(one.id))
        for one in policy.purposes
        if one.basis is Basis.CONSENT
    ]


async def withdraw_consent(
    subject: UUID, purpose: str, *, language: str, policy: Policy, settings: Settings, at: datetime
) -> None:
    """Stop a use that rests on consent, for good or until it is given again; one transaction. Idempotent.

    Raises:
        ValueError: the use does not rest on consent.
    """
    use = _on_consent(policy, purpose)
    asked = Asked(
        right="consent", subject=subject, language=language, received_at=at,
        categories=tuple(category.id for category in stopped_uses.categories_for(policy, use.id)),
    )  # fmt: skip
    async with engine().transaction():
        if await _standing_still(subject, use) is not None:
            return
        request = await take_in(asked, policy=policy, public_url=settings.public_url, at=at, receipt=False)
        await stopped_uses.stop(request, policy, use.id, why="consent", at=at, actor="person")
        if use.marketing:
            await stopped_uses.suppress(use.id, await address_of(subject), settings, at=at)
        letter = consent_withdrawn(
            words_for(request, policy), policy, case_of(request, policy, at=at), purpose=use.id, stopped_at=at
        )
        await reply(
            request, letter, "fulfilled", event="consent-withdrawn", policy=policy, settings=settings, at=at,
            actor="person",
        )  # fmt: skip


async def give_consent(subject: UUID, purpose: str, *, policy: Policy, settings: Settings, at: datetime) -> None:
    """Let a use go on whose consent was taken back; one transaction. Idempotent.

    Raises:
        ValueError: the use does not rest on consent.
    """
    use = _on_consent(policy, purpose)
    async with engine().transaction():
        still = await _standing_still(subject, use)
        if still is None or still.reason != "consent":
            return
        await stopped_uses.resume(still.request, still.reference, policy, at=at, actor="person")
        await stopped_uses.unsuppress(use.id, await address_of(subject), settings)
        await record(
            still.request, still.reference, "consent-given", at=at, actor="person", details={"purpose": use.id}
        )  # fmt: skip


def _on_consent(policy: Policy, purpose: str) -> Purpose:
    found = next((one for one in policy.purposes if one.id == purpose and one.basis is Basis.CONSENT), None)
    if found is None:
        raise ValueError("no use that rests on consent")
    return found


async def _standing_still(subject: UUID, use: Purpose) -> Stopped | None:
    """Return how a use stands, which no other click can change before we commit."""
    await engine().connection.execute("SELECT FROM subject WHERE id = $1 FOR UPDATE", subject)
    return next((one for one in await stopped(subject) if one.purpose == use.id), None)

"""Do for a person what they would have clicked: for whoever wrote a letter, or a form without signing in.

Always true here: it needs a person who is known and a request that waits for a decision; afterwards the request is
decided like any other, by its own letter. Source: GDPR Art. 12(2): any channel counts.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from portal.database import engine
from portal.errors import Invalid
from portal.identity.address import normalise
from portal.policy.model import Basis, Policy
from portal.rights import letters, restriction, stopped_uses
from portal.rights.intake_child import take_out_of_use
from portal.rights.intake_forms import form_of, lock_form
from portal.rights.letters import Change, Told
from portal.rights.lifecycle import NotPossible
from portal.rights.objection import answer_of
from portal.rights.out_of_use import ASKED_FOR, Reason
from portal.rights.pauses import pausable
from portal.rights.replies import reply, words_for
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables import Restriction, SubjectRequest
from portal.rights.tables_uses import StoppedUse
from portal.rights.timeline import record
from portal.settings import Settings


async def pause(
    request: RequestView, categories: Sequence[str], reason: Reason, *, policy: Policy, at: datetime, actor: str
) -> None:
    """Put data out of use for a request that asked for a pause in words; confirming or declining comes after it.

    Raises:
        Invalid: no category, one that cannot be paused, or no reason of Art. 18(1).
        NotPossible: it is decided, or in place already.
    """
    if not categories or not {one.id for one in pausable(policy)} >= set(categories):
        raise Invalid("Tick what is to be paused.", field="categories")
    if reason not in ASKED_FOR:
        raise Invalid("Choose one of the four reasons.", field="reason")
    async with engine().transaction():
        held = await _waiting(request.id, "restriction")
        if await Restriction.exists().where((Restriction.request == held.id) & Restriction.lifted_at.is_null()):
            raise NotPossible
        await SubjectRequest.update({SubjectRequest.categories: list(categories)}).where(SubjectRequest.id == held.id)
        await restriction.put_out_of_use(held, policy, categories, reason=reason, at=at, actor=actor)
        await record(held.id, held.reference, "paused", at=at, actor=actor)


async def stop_use(request: RequestView, purpose: str, *, policy: Policy, at: datetime, actor: str) -> None:
    """Stop one use for a request that said no to it in words; it is weighed after that.

    Raises:
        Invalid: not a use that can be refused.
        NotPossible: it is decided, or stopped already.
    """
    found = next((one for one in policy.purposes if one.id == purpose and answer_of(one) == "refuse"), None)
    if found is None:
        raise Invalid("Choose a use that a person can say no to.", field="purpose")
    async with engine().transaction():
        held = await _waiting(request.id, "objection")
        await engine().connection.execute("SELECT FROM subject WHERE id = $1 FOR UPDATE", held.owner)
        if any(one.purpose == purpose for one in await stopped_uses.stopped(held.owner)):
            raise NotPossible
        await stopped_uses.stop(held, policy, purpose, why="objection", at=at, actor=actor)
        await record(held.id, held.reference, "use-standing-still", at=at, actor=actor)


async def take_consent_back(
    request: RequestView, purpose: str, *, policy: Policy, settings: Settings, at: datetime, actor: str
) -> None:
    """Stop a use whose consent was taken back in words, and answer that it has stopped.

    Raises:
        Invalid: the use does not rest on consent.
        NotPossible: it is decided already.
    """
    if not any(one.id == purpose and one.basis is Basis.CONSENT for one in policy.purposes):
        raise Invalid("Choose a use that rests on consent.", field="purpose")
    async with engine().transaction():
        held = await _waiting(request.id, "consent")
        known = (StoppedUse.subject == held.owner) & (StoppedUse.purpose == purpose) & StoppedUse.ended_at.is_null()
        if not await StoppedUse.exists().where(known):
            await stopped_uses.stop(held, policy, purpose, why="consent", at=at, actor=actor)
        letter = letters.consent_withdrawn(
            words_for(held, policy), policy, letters.case_of(held, policy, at=at), purpose=purpose, stopped_at=at
        )
        await reply(
            held, letter, "fulfilled", event="consent-withdrawn", policy=policy, settings=settings, at=at,
            actor=actor,
        )  # fmt: skip


async def corrected(
    request: RequestView,
    changes: Sequence[Change],
    told: Sequence[Told] = (),
    *,
    policy: Policy,
    settings: Settings,
    at: datetime,
    actor: str,
) -> None:
    """Answer a correction that was made by hand in the systems: what it was, what it is, who else was told.

    Raises:
        NotComplete: no change is named, or half of one.
        NotPossible: it is decided already.
    """
    async with engine().transaction():
        held = await _waiting(request.id, "rectification")
        letter = letters.rectification(
            words_for(held, policy), policy, letters.case_of(held, policy, at=at), changes=changes, told=told
        )  # fmt: skip
        await reply(
            held, letter, "fulfilled", event="corrected-by-hand", policy=policy, settings=settings, at=at,
            actor=actor,
        )  # fmt: skip


async def tie_report(
    request: RequestView, account: str, *, policy: Policy, settings: Settings, at: datetime, actor: str
) -> None:
    """Tie a report about a child to the account (its e-mail address) that staff found: out of use from then on.

    Raises:
        Invalid: no address.
        NotPossible: it is tied to an account already, or decided.
    """
    email = normalise(account)
    form = await form_of(request.id)
    async with engine().transaction():
        locked = await lock_form(form.id)
        if locked.subject is not None or locked.state != "verifying":
            raise NotPossible
        await take_out_of_use(locked, email, policy=policy, settings=settings, at=at, actor=actor)


async def _waiting(id: UUID, right: str) -> RequestView:
    """Return a request of this right that waits for a decision, which nobody else takes before we commit."""
    await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", id)
    request = await find_by_id(id)
    if request.right != right or request.state != "deciding" or request.subject is None:
        raise NotPossible
    return request

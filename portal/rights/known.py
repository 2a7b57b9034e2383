"""What a person was known by when a plan began, sealed with their own key for as long as the work lasts.

Always true here: it is read by the work and nothing else; when the key is destroyed nobody can read it any more.
"""

from datetime import datetime

import msgspec

from portal.evidence import seal as seals
from portal.rights.person import Forgotten, address_of
from portal.rights.plans import PlanView
from portal.settings import Settings
from portal.sources.base import Identifiers


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Who it is about, and the address that mail to them goes to."""

    identifiers: Identifiers
    address: str


async def seal(plan: PlanView, identifiers: Identifiers, settings: Settings, *, at: datetime) -> bytes:
    """Return the identifiers with the address of today, sealed. Inside the caller's transaction.

    Who was erased before has no address any more, and is not written to.
    """
    try:
        to = await address_of(plan.subject)
    except Forgotten:
        to = ""
    plain = msgspec.json.encode(Known(identifiers=identifiers, address=to))
    return (await seals.seal(plan.subject, plain, reference=plan.reference, settings=settings, at=at)).body


async def unseal(plan: PlanView, settings: Settings) -> Identifiers:
    """Return what the plan began with.

    Raises:
        Unreadable: the key was destroyed: the plan is over.
    """
    return (await _known(plan, settings)).identifiers


async def address(plan: PlanView, settings: Settings) -> str:
    """Return the address of the day the plan began; empty when there was none. Raises: Unreadable."""
    return (await _known(plan, settings)).address


async def _known(plan: PlanView, settings: Settings) -> Known:
    plain = await seals.unseal(plan.subject, plan.known or b"", reference=plan.reference, settings=settings)
    return msgspec.json.decode(plain, type=Known)

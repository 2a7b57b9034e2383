"""What a person was known by when a plan began, sealed with their own key for as long as the work lasts.

Always true here: it is read by the work and nothing else; when the key is destroyed nobody can read it any more.
"""

from datetime import datetime

import msgspec

from portal.evidence import seal as seals
from portal.rights.plans import PlanView
from portal.settings import Settings
from portal.sources.base import Identifiers


async def seal(plan: PlanView, identifiers: Identifiers, settings: Settings, *, at: datetime) -> bytes:
    """Return the identifiers, sealed. Inside the caller's transaction."""
    plain = msgspec.json.encode(identifiers)
    return (await seals.seal(plan.subject, plain, reference=plan.reference, settings=settings, at=at)).body


async def unseal(plan: PlanView, settings: Settings) -> Identifiers:
    """Return what the plan began with.

    Raises:
        Unreadable: the key was destroyed: the plan is over.
    """
    plain = await seals.unseal(plan.subject, plan.known or b"", reference=plan.reference, settings=settings)
    return msgspec.json.decode(plain, type=Identifiers)
